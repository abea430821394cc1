"""One row for each member and day: the place that day, and the streak that it made."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, func, select

from storage.at_once import adding, each, given, packed
from storage.db import Db
from storage.query import Query
from storage.tables import sign_ins

_LAST = Query(
    select(sign_ins.c.day, sign_ins.c.streak, sign_ins.c.place)
    .where(sign_ins.c.member_id == bindparam("m"))
    .order_by(sign_ins.c.day.desc())
    .limit(1)
)
_wanted = given(sign_ins.c.member_id)
_LASTS = each(
    _wanted,
    select(sign_ins.c.day, sign_ins.c.streak, sign_ins.c.place)
    .where(sign_ins.c.member_id == _wanted.c.member_id)
    .order_by(sign_ins.c.day.desc()),
)
_PLACES = Query(
    select(func.max(sign_ins.c.place)).where(
        sign_ins.c.group_id == bindparam("g"), sign_ins.c.day == bindparam("d")
    )
)
_ADD = adding(sign_ins, "group_id", "member_id", "day", "place", "streak", "points")
MANY = 10_000


class SignIns:
    """What was just written is also kept in memory: many sign in at the same time, and are asked again."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._lasts: dict[int, tuple[int, int, int]] = {}
        self._places: dict[int, tuple[int, int]] = {}
        self._undone = db.undone

    def read_ahead(self, members: Iterable[int]) -> None:
        """Ask at once for what `last` will be asked."""
        self._forget()
        wanted = [member for member in members if member not in self._lasts]
        if not wanted:
            return
        found = self._db.all(_LASTS, rows=packed([{"member_id": member} for member in wanted]))
        self._lasts.update(dict.fromkeys(wanted, (0, 0, 0)))
        self._lasts.update((member, (day, streak, place)) for member, day, streak, place in found)

    def last(self, member: int) -> tuple[int, int, int]:
        """Day, streak and place of a member's latest sign-in; zeros when there is none."""
        self._forget()
        if member in self._lasts:
            return self._lasts[member]
        row = self._db.one(_LAST, m=member)
        return (row[0], row[1], row[2]) if row else (0, 0, 0)

    def add(self, group: int, member: int, day: int, streak: int, points: int) -> int:
        """Keep a sign-in; the answer is the place among that day's."""
        self._forget()
        today, place = self._places.get(group, (0, 0))
        if today != day:
            place = self._db.value(_PLACES, g=group, d=day)
        place += 1
        self._places[group] = day, place
        self._lasts[member] = day, streak, place
        self._db.later(
            _ADD,
            {
                "group_id": group,
                "member_id": member,
                "day": day,
                "place": place,
                "streak": streak,
                "points": points,
            },
        )
        return place

    def _forget(self) -> None:
        """What was undone is not so, and what is written need not be remembered for ever."""
        if self._undone != self._db.undone or len(self._lasts) > MANY:
            self._db.flush()
            self._undone = self._db.undone
            self._lasts.clear()
            self._places.clear()
