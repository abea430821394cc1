"""How fast one account may send: arithmetic over moments. bot/outbox/gate.py asks it, and waits.

So long between messages in one chat, longer between posts to different chats, so many a minute in all.
Posts hurry when their time runs short. They take no more than three quarters of a minute, and leave an
eighth of it free for who talks next, unless they would be too late by that: then they may have all of it.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from random import Random

from bot.model import MINUTE, SECOND
from bot.ports import Clock

NEVER = 2**62
PAUSES = tuple(minutes * MINUTE for minutes in (1, 2, 4, 8, 15))

# A reply that can share a message waits a second for each that would be waiting if all had gone alone; not
# so long that it feels slow.
GATHER = SECOND
LONGEST_GATHER = 2_500_000
BACKLOG = 4.0

FORGET = 10_000
KEPT = 1000


def each_post(per_minute: int) -> int:
    """How long one post takes at least, of an account that sends so many messages a minute."""
    return MINUTE // per_minute


@dataclass(slots=True)
class _Chat:
    """`free` is when it may have its next message; `backlog` how many replies would have waited at `left_at`
    if each were a message of its own, sent at the account's pace.
    """

    free: int
    left_at: int
    backlog: float = 0


@dataclass(slots=True)
class Pacer:
    """One account's pace. Gaps are in microseconds.

    By chance a third of `chat_gap` is added to it at most, and two thirds of `post_gap`.
    """

    clock: Clock
    chat_gap: int
    per_minute: int
    chance: Random
    post_gap: int = 3 * SECOND
    _recent: deque[tuple[int, str]] = field(default_factory=deque)
    _away: dict[str, int] = field(default_factory=dict)  # chats that have a turn, and the places it will take
    _chats: dict[str, _Chat] = field(default_factory=dict)
    # The last posts to one chat: since when, how many messages, and when the last of them went.
    _post_chat: str | None = None
    _post_since: int = -NEVER
    _post_size: int = 1
    _post_at: int = -NEVER
    _post_step: int = 0
    _until: int = 0
    _pauses: int = 0
    _probing: bool = False

    # When. -----------------------------------------------------------------------------------------

    def room(self, size: int) -> int:
        """The moment from which the account may send so many messages; NEVER: not before one has landed."""
        if self._probing and self._away:
            return NEVER
        now = self.clock.now()
        while self._recent and self._recent[0][0] <= now - MINUTE:
            self._recent.popleft()
        taken = sum(self._away.values())
        over = len(self._recent) + taken + size - self.per_minute
        if over > len(self._recent):
            if taken:
                return NEVER
            over = len(self._recent)  # more than a minute can hold goes when nothing else did
        return max(self._until, self._recent[over - 1][0] + MINUTE if over > 0 else 0)

    def rested(self, chat: str) -> int:
        """The moment from which a chat may have its next message."""
        return self._chats[chat].free if chat in self._chats else 0

    def post(self, chat: str, size: int, time_each: int, at_most: int) -> int:
        """The moment from which a post may go.

        `time_each` is how long each message that waits may take, if all are to go in three quarters of
        their time, and `at_most` if they are to go in nearly all of it.
        """
        fastest, calm = self._fastest, each_post(self.per_minute) * 4 // 3
        least = min(max(fastest, at_most), calm)
        spared = max(0, min(self.per_minute // 8, self.per_minute - MINUTE // least))
        room = self.room(size + spared)
        if self.follows(chat):
            return room
        return max(self._after_post(least, max(least, time_each)), self._evenly, room)

    def no_post_before(self) -> int:
        """The moment before which no post goes to another chat than the last one's, however many wait."""
        return max(self._after_post(self._fastest, self._fastest), self.room(1))

    @property
    def _fastest(self) -> int:
        """A little less than a minute has for each message: else what each commit takes would add up."""
        return each_post(self.per_minute) * 39 // 40

    @property
    def _evenly(self) -> int:
        """The moment from which a quarter of a minute's messages, replies too, has had its time."""
        quarter = self.per_minute // 4
        return self._recent[-quarter][0] + quarter * self._fastest if 0 < quarter <= len(self._recent) else 0

    def _after_post(self, least: int, wanted: int) -> int:
        """The moment from which another chat may have a post, with so much time for each message before it."""
        hurried = min(self._post_at + self._post_step, self._post_since + wanted * self._post_size)
        return max(hurried, self._post_since + least * self._post_size)

    def follows(self, chat: str) -> bool:
        """Whether the last post went to this chat."""
        return chat == self._post_chat

    def gathered(self, chat: str, since: int) -> int:
        """Until when a reply waits for others to share its message; at once where few are talking."""
        return since + min(LONGEST_GATHER, round(GATHER * self._backlog(chat, since)))

    def _backlog(self, chat: str, moment: int) -> float:
        last = self._chats.get(chat)
        if last is None:
            return 0
        return max(0, last.backlog - max(0, moment - last.left_at) * self.per_minute / MINUTE)

    # What goes out. --------------------------------------------------------------------------------

    def takes(self, chat: str, size: int, *, post: bool) -> None:
        """A chat has its turn."""
        self._away[chat] = size
        if post:
            if not self.follows(chat):
                self._post_chat, self._post_since, self._post_size = chat, self.clock.now(), 0
            self._post_size += size
            self._post_at = self.clock.now()
            self._post_step = self.post_gap + self.chance.randrange(self.post_gap * 2 // 3 + 1)

    def leaves(self, chat: str, size: int, *, post: bool) -> None:
        """Its message goes now."""
        self._away[chat] = 0
        self._recent.extend([(self.clock.now(), chat)] * size)
        if post:
            self._post_at = self.clock.now()

    def gives_back(self, chat: str) -> None:
        """It made nothing of its turn."""
        self._away.pop(chat, None)

    def lands(self, chat: str, carried: int, *, well: bool) -> None:
        """The adapter is done with a message of so many replies, well or not."""
        self._away.pop(chat, None)
        now = self.clock.now()
        free = now + self.chat_gap + self.chance.randrange(self.chat_gap // 3 + 1)
        self._chats[chat] = _Chat(free, now, min(BACKLOG, self._backlog(chat, now) + carried))
        if len(self._chats) > FORGET:
            self._chats = {
                name: one for name, one in self._chats.items() if max(one.free, one.left_at + MINUTE) > now
            }
        if well:
            self._probing = False

    def pause(self, seconds: float) -> int:
        """The platform asks to send less: the answer is for how long nothing goes; 0 if it paused already.

        After it one message goes first, and the others when that has arrived.
        """
        now = self.clock.now()
        asked = now + round(seconds * SECOND)
        if now < self._until:
            self._until = max(self._until, asked)
            return 0
        if now > self._until + PAUSES[-1]:
            self._pauses = 0
        span = PAUSES[min(self._pauses, len(PAUSES) - 1)]
        self._pauses += 1
        self._until = max(asked, now + span + self.chance.randrange(span // 3 + 1))
        self._probing = True
        return self._until - now

    # What a crash must not forget. -----------------------------------------------------------------

    def kept(self) -> str:
        """The last minute and the pause, for `recall`; what has its place counts as gone.

        Who may send thousands a minute fears no platform, and writes none of them down.
        """
        now = self.clock.now()
        leaving = [(now, chat) for chat, size in self._away.items() for _ in range(size)]
        sent = [*self._recent, *leaving] if self.per_minute <= KEPT else []
        return json.dumps([self._until, self._pauses, *sent], ensure_ascii=False)

    def recall(self, kept: str) -> None:
        """Go on as the last process left off. A moment in the future is one of a clock that was wrong."""
        now = self.clock.now()
        until, self._pauses, *recent = json.loads(kept)
        self._until = min(until, now + PAUSES[-1])
        self._probing = self._until > now
        self._post_step = self.post_gap
        for moment, chat in recent:
            at = self._post_at = self._post_since = min(moment, now)
            self._recent.append((at, chat))
            self._chats[chat] = _Chat(at + self.chat_gap * 4 // 3, at)
