"""How many there are of what: for those who watch. Nothing here reads more than it must to count."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select, text

from storage.db import Db
from storage.query import Query
from storage.tables import groups, members, occurrences, outbox, timers

_NOT_SENT = text("state <> 'sent'")  # see storage/tables.py
_OUTBOX = Query(select(outbox.c.state, func.count()).where(_NOT_SENT).group_by(outbox.c.state))
_OLDEST = Query(select(func.min(outbox.c.at)).where(outbox.c.state == bindparam("s"), _NOT_SENT))
# Group by group, because that is how the index of occurrences goes: what is old is not read.
_OCCURRENCES = Query(
    select(occurrences.c.state, func.count())
    .where(
        occurrences.c.group_id.in_(select(groups.c.id)),
        occurrences.c.due >= bindparam("start"),
        occurrences.c.due < bindparam("stop"),
    )
    .group_by(occurrences.c.state)
)
_PARKED = Query(select(func.count()).select_from(timers).where(timers.c.parked == 1))
_NEXT_TIMER = Query(
    select(timers.c.due, timers.c.kind).where(timers.c.parked == 0).order_by(timers.c.due).limit(1)
)
_GROUPS = Query(select(func.count(), func.count(func.nullif(groups.c.opened_at, 0))))
_MEMBERS = Query(select(func.count()).select_from(members).where(members.c.status != "left"))

WAITING = ("planned", "sending")
OUTBOX = (*WAITING, "failed", "stale", "unknown")
OUTCOMES = ("claimed", "sent", "late", "missed", "skipped", "failed", "unknown")


class Census:
    def __init__(self, db: Db) -> None:
        self._db = db

    def outbox(self) -> dict[str, int]:
        """Rows by state, without those that were sent: they are most, and nobody waits for them."""
        return dict.fromkeys(OUTBOX, 0) | {state: count for state, count in self._db.all(_OUTBOX)}

    def oldest(self) -> int:
        """Since when the oldest row waits to be sent; 0 when none does."""
        return min((since for state in WAITING if (since := self._db.value(_OLDEST, s=state))), default=0)

    def occurrences(self, start: int, stop: int) -> dict[str, int]:
        """Occurrences that were due from `start` to before `stop`, by outcome."""
        found = self._db.all(_OCCURRENCES, start=start, stop=stop)
        return dict.fromkeys(OUTCOMES, 0) | {state: count for state, count in found}

    def parked(self) -> int:
        """Timers that were put aside."""
        return self._db.value(_PARKED)

    def next_timer(self) -> tuple[int, str] | None:
        """When the next timer of any group is due, and of what kind."""
        row = self._db.one(_NEXT_TIMER)
        return (row[0], row[1]) if row else None

    def groups(self) -> tuple[int, int]:
        """How many groups are known, and how many of them are 开张."""
        row = self._db.one(_GROUPS)
        assert row is not None
        return row[0], row[1]

    def members(self) -> int:
        """How many people are in all groups."""
        return self._db.value(_MEMBERS)
