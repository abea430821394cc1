"""Moments that handlers asked for, and what each group listens for."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from bot.model import Timer
from storage.db import Db
from storage.query import Query
from storage.tables import listening, timers

_columns = (
    timers.c.id,
    timers.c.group_id,
    timers.c.kind,
    timers.c.subject,
    timers.c.due,
    timers.c.attempts,
)
_SET = Query(
    insert(timers)
    .values(
        group_id=bindparam("group_id"),
        kind=bindparam("kind"),
        subject=bindparam("subject"),
        due=bindparam("due"),
    )
    .on_conflict_do_update(
        index_elements=["group_id", "kind", "subject"],
        set_={"due": bindparam("due"), "attempts": 0, "parked": 0, "noticed": 0},
    )
)
_DROP = Query(
    delete(timers).where(
        timers.c.group_id == bindparam("g"),
        timers.c.kind == bindparam("k"),
        timers.c.subject == bindparam("s"),
    )
)
_CLAIM = Query(delete(timers).where(timers.c.id == bindparam("timer")))
_FIRST = Query(
    select(*_columns)
    .where(timers.c.group_id == bindparam("g"), timers.c.parked == 0, timers.c.due <= bindparam("until"))
    .order_by(timers.c.due, timers.c.id)
    .limit(1)
)
_NEXT_OF = Query(
    select(func.min(timers.c.due)).where(timers.c.group_id == bindparam("g"), timers.c.parked == 0)
)
_NEXT_EACH = Query(
    select(timers.c.group_id, func.min(timers.c.due)).where(timers.c.parked == 0).group_by(timers.c.group_id)
)
_FAILED = Query(
    update(timers)
    .where(timers.c.id == bindparam("timer"))
    .values(due=bindparam("again"), attempts=bindparam("n"), parked=bindparam("p"))
)
_LISTEN = Query(
    insert(listening)
    .values(group_id=bindparam("group_id"), topic=bindparam("topic"), value=bindparam("value"))
    .on_conflict_do_update(index_elements=["group_id", "topic"], set_={"value": bindparam("value")})
)
_UNLISTEN = Query(
    delete(listening).where(listening.c.group_id == bindparam("g"), listening.c.topic == bindparam("t"))
)
_LISTENING = Query(select(listening.c.group_id, listening.c.topic, listening.c.value))
_LISTENING_OF = Query(
    select(listening.c.topic, listening.c.value).where(listening.c.group_id == bindparam("g"))
)


class Timers:
    def __init__(self, db: Db) -> None:
        self._db = db

    def set(self, group: int, kind: str, subject: int, due: int) -> None:
        """Ask for a moment; one of the same kind and subject is moved to it."""
        self._db.run(_SET, group_id=group, kind=kind, subject=subject, due=due)

    def drop(self, group: int, kind: str, subject: int) -> None:
        self._db.run(_DROP, g=group, k=kind, s=subject)

    def claim(self, timer: int) -> None:
        """Take a timer for good: it rings no more."""
        self._db.run(_CLAIM, timer=timer)

    def first(self, group: int, until: int) -> Timer | None:
        """The group's earliest timer that is due by then."""
        row = self._db.one(_FIRST, g=group, until=until)
        return Timer(*row) if row else None

    def next_of(self, group: int) -> int:
        """When the group's next timer is due; 0 for none."""
        return self._db.value(_NEXT_OF, g=group)

    def next_of_each(self) -> dict[int, int]:
        return {group: due for group, due in self._db.all(_NEXT_EACH)}

    def failed(self, timer: Timer, again: int, *, parked: bool) -> None:
        """Count a try that raised; it is due again later, or parked for good."""
        self._db.run(_FAILED, timer=timer.id, again=again, n=timer.attempts + 1, p=int(parked))


class Listening:
    """Topic and value for each thing that ordinary text may answer: a round, a password."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def set(self, group: int, topic: str, value: str) -> None:
        self._db.run(_LISTEN, group_id=group, topic=topic, value=value)

    def drop(self, group: int, topic: str) -> None:
        self._db.run(_UNLISTEN, g=group, t=topic)

    def of(self, group: int) -> dict[str, str]:
        return {topic: value for topic, value in self._db.all(_LISTENING_OF, g=group)}

    def all(self) -> dict[int, dict[str, str]]:
        found: dict[int, dict[str, str]] = {}
        for group, topic, value in self._db.all(_LISTENING):
            found.setdefault(group, {})[topic] = value
        return found
