"""Hooks of activities that were started: each waits, then is posted once or dropped with a reason."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.db import Db
from storage.query import Query
from storage.tables import hooks

_ADD = Query(
    insert(hooks)
    .values(
        group_id=bindparam("group_id"),
        run=bindparam("run"),
        occurrence=bindparam("occurrence"),
        definition=bindparam("definition"),
        started_at=bindparam("at"),
        state="waiting",
    )
    .returning(hooks.c.id)
)
_columns = (
    hooks.c.id,
    hooks.c.occurrence,
    hooks.c.definition,
    hooks.c.started_at,
    hooks.c.ended_at,
    hooks.c.state,
)
_GET = Query(select(*_columns).where(hooks.c.id == bindparam("h")))
_WAITING = Query(
    select(*_columns).where(
        hooks.c.group_id == bindparam("g"), hooks.c.state == "waiting", hooks.c.run == bindparam("run")
    )
)
_ENDED = Query(update(hooks).where(hooks.c.id == bindparam("h")).values(ended_at=bindparam("now")))
_END = Query(
    update(hooks)
    .where(hooks.c.id == bindparam("h"))
    .values(state=bindparam("s"), reason=bindparam("why"), at=bindparam("now"))
)
_POSTED = Query(
    select(func.count()).where(
        hooks.c.group_id == bindparam("g"), hooks.c.state == "posted", hooks.c.at >= bindparam("since")
    )
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A hook; `definition` is JSON, and `ended` is 0 while its activity runs."""

    id: int
    occurrence: int
    definition: str
    started: int
    ended: int
    state: str


class Hooks:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(self, group: int, run: str, definition: str, now: int, *, occurrence: int = 0) -> int:
        """A hook waits from now on; `run` is the activity that it belongs to."""
        return self._db.value(
            _ADD, group_id=group, run=run, definition=definition, at=now, occurrence=occurrence
        )

    def get(self, key: int) -> Kept | None:
        row = self._db.one(_GET, h=key)
        return Kept(*row) if row else None

    def waiting(self, group: int, run: str) -> Kept | None:
        """The hook that waits in an activity."""
        row = self._db.one(_WAITING, g=group, run=run)
        return Kept(*row) if row else None

    def ended(self, key: int, now: int) -> None:
        """The activity of a hook is over."""
        self._db.run(_ENDED, h=key, now=now)

    def end(self, key: int, state: str, now: int, why: str = "") -> None:
        """It is posted, or dropped with a reason."""
        self._db.run(_END, h=key, s=state, now=now, why=why)

    def posted(self, group: int, since: int) -> int:
        """How many hooks of a group went out since a moment."""
        return self._db.value(_POSTED, g=group, since=since)
