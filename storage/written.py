"""How much members write: messages by member and day, and by group and stretch of five minutes.

What stands here is a few seconds behind what was said; see bot/dispatch/counts.py. Stretches are kept for
a quarter, days for ever.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import bindparam, delete, func, select

from storage.at_once import raising
from storage.db import Db
from storage.query import Query
from storage.tables import groups, members, talk, written

_ADD = raising(written, "member_id", "day", value="messages")
_ADD_TALK = raising(talk, "group_id", "at", value="messages")
# By each member's own last row, and not by all that they ever had.
_last = select(func.max(written.c.day)).where(written.c.member_id == members.c.id).scalar_subquery()
_LAST = Query(
    select(members.c.id, _last).where(members.c.group_id == bindparam("g"), members.c.status != "left")
)
# By group, as the rows lie: what is kept need not be looked at.
_FORGET = Query(delete(talk).where(talk.c.group_id.in_(select(groups.c.id)), talk.c.at < bindparam("before")))

Tally = Mapping[tuple[int, int], int]


class Written:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(self, days: Tally, stretches: Tally) -> None:
        """So many more messages: by member and day, and by group and the moment when a stretch began."""
        rows = [{"member_id": member, "day": day, "messages": n} for (member, day), n in days.items()]
        self._db.many(_ADD, rows)
        rows = [{"group_id": group, "at": at, "messages": n} for (group, at), n in stretches.items()]
        self._db.many(_ADD_TALK, rows)

    def last_days(self, group: int) -> dict[int, int]:
        """On which day (toordinal) each member of a group wrote last; 0 for those who never did."""
        return {member: day or 0 for member, day in self._db.all(_LAST, g=group)}

    def forget(self, before: int) -> None:
        """Stretches that began before a moment."""
        self._db.run(_FORGET, before=before)
