"""Messages that a puppet tells a second time under a new id."""

from __future__ import annotations

from bot.adapters.wechaty.recent import Recent
from bot.model import SECOND

# Such a repeat comes about 3 s after its original.
SOONEST = 2 * SECOND
LATEST = 4 * SECOND
KEEP = 5_000


class Repeats:
    """Knows who said what in which chat, and when the platform says that it was sent.

    The same words from the same person are a repeat if they are stamped alike, or if they are
    stamped 2 to 4 seconds later and came in the same login. People repeat themselves at once, or
    when no answer came, which is later than that; so what they type again, quickly or slowly, is
    heard. The next is measured by the last that was heard, so what is typed on and on is never
    silenced for long.
    """

    def __init__(self) -> None:
        self._heard: Recent[tuple[str, str, int], tuple[int, int]] = Recent(KEEP)
        self._logins = 0

    def login(self) -> None:
        """What was heard before can come again as a whole, but not a little later."""
        self._logins += 1

    def is_one(self, chat: str, sender: str, text: str, at: int) -> bool:
        """Whether it was heard before; if not, it counts as heard from now on."""
        key = (chat, sender, hash(text))
        before, login = self._heard.get(key, (0, -1))
        if before == at or (login == self._logins and SOONEST <= abs(at - before) <= LATEST):
            return True
        self._heard.keep(key, (at, self._logins))
        return False
