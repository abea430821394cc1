"""What an owner said of single occurrences of the calendar: at another time of that day, or not at all."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from storage.db import Db
from storage.query import Query
from storage.tables import moves

_ALL = Query(
    select(moves.c.group_id, moves.c.slot, moves.c.local, moves.c.instead).where(
        moves.c.local >= bindparam("since")
    )
)
_OF = Query(
    select(moves.c.slot, moves.c.local, moves.c.instead).where(
        moves.c.group_id == bindparam("g"), moves.c.local >= bindparam("since")
    )
)
_SET = Query(
    insert(moves)
    .values({name: bindparam(name) for name in ("group_id", "slot", "local", "instead", "at")})
    .on_conflict_do_update(
        index_elements=["group_id", "slot", "local"],
        set_={"instead": bindparam("instead"), "at": bindparam("at")},
    )
)
_DROP = Query(
    delete(moves).where(
        moves.c.group_id == bindparam("g"),
        moves.c.slot == bindparam("slot"),
        moves.c.local == bindparam("local"),
    )
)
_FORGET = Query(delete(moves).where(moves.c.at < bindparam("before")))

Named = tuple[str, str]  # an occurrence by its slot's key and its local time


class Moves:
    def __init__(self, db: Db) -> None:
        self._db = db

    def all(self, since: str) -> dict[int, dict[Named, str]]:
        """What each group's owner said of occurrences from a local date on: the new local time, or ''."""
        found: dict[int, dict[Named, str]] = {}
        for group, slot, local, instead in self._db.all(_ALL, since=since):
            found.setdefault(group, {})[slot, local] = instead
        return found

    def of(self, group: int, since: str) -> dict[Named, str]:
        """What one group's owner said, as in `all`."""
        return {(slot, local): instead for slot, local, instead in self._db.all(_OF, g=group, since=since)}

    def set(self, group: int, slot: str, local: str, instead: str, now: int) -> None:
        """An occurrence is due at another local time of its day; '' for not at all."""
        self._db.run(_SET, group_id=group, slot=slot, local=local, instead=instead, at=now)

    def drop(self, group: int, slot: str, local: str) -> None:
        """An occurrence is due when the calendar says."""
        self._db.run(_DROP, g=group, slot=slot, local=local)

    def forget(self, before: int) -> None:
        """What was said before a moment."""
        self._db.run(_FORGET, before=before)
