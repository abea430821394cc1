"""Some of a group's members, for the slots that are meant for them alone: who joined when, who was written to."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import and_, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from storage.db import Db
from storage.query import Query
from storage.tables import groups, members, nudges

_JOINED = Query(
    select(members.c.group_id, members.c.joined_at)
    .join(groups, groups.c.id == members.c.group_id)
    .where(
        members.c.joined_at >= bindparam("since"),
        members.c.joined_at > groups.c.opened_at,
        members.c.status != "left",
    )
    .order_by(members.c.joined_at)
)
_WHO_JOINED = Query(
    select(members.c.id, members.c.joined_at)
    .join(groups, groups.c.id == members.c.group_id)
    .where(
        members.c.group_id == bindparam("g"),
        members.c.joined_at >= bindparam("first"),
        members.c.joined_at < bindparam("last"),
        members.c.joined_at > groups.c.opened_at,
        members.c.status != "left",
    )
    .order_by(members.c.joined_at, members.c.id)
)
_SINCE = Query(
    select(members.c.id, members.c.joined_at, nudges.c.day)
    .join(groups, groups.c.id == members.c.group_id)
    .outerjoin(nudges, and_(nudges.c.account == groups.c.account, nudges.c.person == members.c.person))
    .where(members.c.group_id == bindparam("g"), members.c.status == "member")
)
_NUDGE = Query(
    insert(nudges)
    .values(account=bindparam("account"), person=bindparam("person"), day=bindparam("day"))
    .on_conflict_do_update(index_elements=["account", "person"], set_={"day": bindparam("day")})
)


class Some:
    def __init__(self, db: Db) -> None:
        self._db = db

    def joined(self, since: int) -> dict[int, tuple[int, ...]]:
        """When people came into each group that was open by then, from a moment on, in order."""
        found: dict[int, list[int]] = {}
        for group, at in self._db.all(_JOINED, since=since):
            found.setdefault(group, []).append(at)
        return {group: tuple(moments) for group, moments in found.items()}

    def who_joined(self, group: int, first: int, last: int) -> dict[int, int]:
        """Who came into an open group at `first` or after, and before `last`: each with the moment, in order."""
        return dict(self._db.all(_WHO_JOINED, g=group, first=first, last=last))

    def known(self, group: int) -> dict[int, tuple[int, int]]:
        """When each member joined, and on which day a slot wrote to them last, in whichever group (0: never)."""
        return {member: (at, day or 0) for member, at, day in self._db.all(_SINCE, g=group)}

    def wrote_to(self, account: str, persons: Iterable[str], day: int) -> None:
        """A slot for some of the members writes to these."""
        self._db.many(_NUDGE, [{"account": account, "person": person, "day": day} for person in persons])
