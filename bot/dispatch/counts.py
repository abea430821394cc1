"""How many messages there are, by member and day, and by group and moment: kept in memory.

Every message is counted, talk too, so nothing here opens a transaction or makes more than a number. What
is new is taken every few seconds and written in one unit; it is the one thing that a crash may lose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.model import HOUR, MINUTE, SECOND, Group

# A group's rate is kept for so long, in pieces of so much.
PIECE = 30 * SECOND
KEPT = 2 * HOUR
PIECES = KEPT // PIECE
# What is written of a group's talk is how many messages came in each stretch.
STRETCH = 5 * MINUTE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Messages by member and day (its date's toordinal), or by group and the moment when a stretch began.
Tally = dict[tuple[int, int], int]


class Counts:
    """The event loop counts and takes; `rate` may be asked from any thread."""

    def __init__(self, timezone: str = "Asia/Shanghai", now: Callable[[], int] = lambda: 2**63) -> None:
        """`timezone` is that of groups which have set none; no stamp is beyond `now`."""
        self._timezone = timezone
        self._now = now
        self._groups: dict[int, _Group] = {}

    def add(self, group: Group, member: int, at: int) -> None:
        """One more message of a member (our own id), as it is stamped. Stamps of one group do not go back."""
        counted = self._groups.get(group.id)
        if counted is None or at >= counted.until:
            counted = self._turn(group, at)
        counted.written[member] += 1
        counted.new += 1

    def rate(self, group: int, now: int, span: int = KEPT) -> list[int]:
        """A group's messages in each 30 s of a span (2 hours at most), the oldest first, up to now.

        The last 30 s have only begun.
        """
        last, many = now // PIECE, min(span, KEPT) // PIECE
        counted = self._groups.get(group)
        return [counted.of(piece) if counted else 0 for piece in range(last - many + 1, last + 1)]

    def take(self) -> tuple[Tally, Tally]:
        """What came since it was last taken: by member and day, and by group and stretch."""
        members: Tally = {}
        groups: Tally = {}
        for group, counted in self._groups.items():
            if counted.fresh:
                counted.take(group, members, groups)
        return members, groups

    def _turn(self, group: Group, at: int) -> _Group:
        """Go on to the piece that a moment is in, and to its day."""
        counted = self._groups.setdefault(group.id, _Group())
        at = min(at, self._now())
        if at >= counted.midnight:
            counted.begin_day(ZoneInfo(group.timezone or self._timezone), at)
        if at >= counted.until:
            counted.begin_piece(at // PIECE)
        return counted


class _Group:
    """What one group's members wrote. The pieces are a ring; `new` came in the last and is not in it yet.

    What is stamped before `until` is of the last piece, and before `midnight` of the last day.
    """

    __slots__ = ("day", "days", "midnight", "new", "piece", "pieces", "stretches", "until", "written")

    def __init__(self) -> None:
        self.days: list[tuple[int, dict[int, int]]] = []
        self.day = 0
        self.written: dict[int, int] = defaultdict(int)
        self.pieces = [0] * PIECES
        self.piece = 0
        self.new = 0
        self.stretches: dict[int, int] = {}
        self.until = self.midnight = 0

    def of(self, piece: int) -> int:
        """How many messages came in a piece, as far as that is known."""
        if not self.piece - PIECES < piece <= self.piece:
            return 0
        return self.pieces[piece % PIECES] + (self.new if piece == self.piece else 0)

    @property
    def fresh(self) -> bool:
        """Whether anything came since it was last taken."""
        return bool(self.written or self.days)

    def begin_day(self, zone: ZoneInfo, at: int) -> None:
        self.days.append((self.day, self.written))
        day = (_EPOCH + timedelta(microseconds=at)).astimezone(zone).date()
        self.day, self.written = day.toordinal(), defaultdict(int)
        after = day + timedelta(days=1)
        self.midnight = int(datetime(after.year, after.month, after.day, tzinfo=zone).timestamp()) * SECOND

    def begin_piece(self, piece: int) -> None:
        self._settle()
        for gone in range(max(self.piece, piece - PIECES) + 1, piece + 1):
            self.pieces[gone % PIECES] = 0
        self.piece, self.until = piece, (piece + 1) * PIECE

    def take(self, group: int, members: Tally, groups: Tally) -> None:
        self._settle()
        groups.update({(group, began): messages for began, messages in self.stretches.items()})
        self.stretches.clear()
        for day, written in (*self.days, (self.day, self.written)):
            members.update({(member, day): messages for member, messages in written.items()})
        self.days.clear()
        self.written.clear()

    def _settle(self) -> None:
        if self.new:
            self.pieces[self.piece % PIECES] += self.new
            began = self.piece * PIECE // STRETCH * STRETCH
            self.stretches[began] = self.stretches.get(began, 0) + self.new
            self.new = 0
