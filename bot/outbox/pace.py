"""How fast one account may send: so long between messages in one chat, and so many a minute in all."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random

from bot.model import MINUTE
from bot.ports import Clock


@dataclass(slots=True)
class Pacer:
    """One account's pace. `chat_gap` is in microseconds; a jitter of up to a third is added to it."""

    clock: Clock
    chat_gap: int
    per_minute: int
    chance: Random
    _last: dict[str, int] = field(default_factory=dict)
    _recent: deque[int] = field(default_factory=deque)

    def next(self, chat: str) -> int:
        """The moment from which the next message may go to this chat."""
        now = self.clock.now()
        while self._recent and self._recent[0] <= now - MINUTE:
            self._recent.popleft()
        free = self._recent[0] + MINUTE if len(self._recent) >= self.per_minute else 0
        return max(free, self._last.get(chat, -self.chat_gap) + self.chat_gap)

    def count(self, chat: str) -> None:
        """A message goes to this chat now."""
        now = self.clock.now()
        self._last[chat] = now + self.chance.randrange(self.chat_gap // 3 + 1)
        self._recent.append(now)
