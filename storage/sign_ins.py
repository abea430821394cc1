"""One row for each member and day: the place that day, and the streak that it made."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from storage.db import Db, Query
from storage.tables import sign_ins

_LAST = Query(
    select(sign_ins.c.day, sign_ins.c.streak, sign_ins.c.place)
    .where(sign_ins.c.member_id == bindparam("m"))
    .order_by(sign_ins.c.day.desc())
    .limit(1)
)
_places = (
    select(func.coalesce(func.max(sign_ins.c.place), 0) + 1)
    .where(sign_ins.c.group_id == bindparam("group_id"), sign_ins.c.day == bindparam("day"))
    .scalar_subquery()
)
_ADD = Query(
    insert(sign_ins)
    .values(
        group_id=bindparam("group_id"),
        member_id=bindparam("member_id"),
        day=bindparam("day"),
        place=_places,
        streak=bindparam("streak"),
        points=bindparam("points"),
    )
    .returning(sign_ins.c.place)
)


class SignIns:
    def __init__(self, db: Db) -> None:
        self._db = db

    def last(self, member: int) -> tuple[int, int, int]:
        """Day, streak and place of a member's latest sign-in; zeros when there is none."""
        row = self._db.one(_LAST, m=member)
        return (row[0], row[1], row[2]) if row else (0, 0, 0)

    def add(self, group: int, member: int, day: int, streak: int, points: int) -> int:
        """Keep a sign-in; the answer is the place among that day's."""
        return self._db.value(_ADD, group_id=group, member_id=member, day=day, streak=streak, points=points)
