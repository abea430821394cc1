"""Posts that are under way: what is still to be said of each, as it was when it began."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.db import Db
from storage.query import Query
from storage.tables import posts

_BEGIN = Query(
    insert(posts).values(group_id=bindparam("group_id"), rest=bindparam("rest")).returning(posts.c.id)
)
_KEEP = Query(update(posts).where(posts.c.id == bindparam("p")).values(rest=bindparam("rest")))
_REST = Query(select(posts.c.rest).where(posts.c.id == bindparam("p")))
_END = Query(delete(posts).where(posts.c.id == bindparam("p")))


class Posts:
    def __init__(self, db: Db) -> None:
        self._db = db

    def keep(self, group: int, rest: str, number: int = 0) -> int:
        """Keep what is still to be said of a post, in JSON; of a new one, the answer is its number."""
        if not number:
            return self._db.value(_BEGIN, group_id=group, rest=rest)
        self._db.run(_KEEP, p=number, rest=rest)
        return number

    def rest(self, number: int) -> str:
        """What is still to be said of a post; nothing when it is over."""
        row = self._db.one(_REST, p=number)
        return row[0] if row else "[]"

    def end(self, number: int) -> None:
        """All of it was said."""
        self._db.run(_END, p=number)
