"""Groups, their tags, and who is in them."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from bot.model import Group, Member, Role
from storage.db import Db
from storage.query import Query, Row
from storage.tables import admissions, groups, members, tags

_columns = (
    groups.c.id,
    groups.c.account,
    groups.c.chat,
    groups.c.title,
    groups.c.owner,
    groups.c.opened_at,
    groups.c.paused,
    groups.c.password,
    groups.c.rules,
    groups.c.rules_version,
    groups.c.timezone,
)
_ALL = Query(select(*_columns).order_by(groups.c.id))
_FIND = Query(select(*_columns).where(groups.c.account == bindparam("a"), groups.c.chat == bindparam("c")))
_GET = Query(select(*_columns).where(groups.c.id == bindparam("g")))
_ADD = Query(
    insert(groups)
    .values(account=bindparam("account"), chat=bindparam("chat"))
    .on_conflict_do_nothing()
    .returning(groups.c.id)
)
_SAVE = Query(
    update(groups)
    .where(groups.c.id == bindparam("group"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "title",
                "owner",
                "opened_at",
                "paused",
                "password",
                "rules",
                "rules_version",
                "timezone",
            )
        }
    )
)
_TAGS = Query(select(tags.c.group_id, tags.c.tag, tags.c.since).order_by(tags.c.group_id, tags.c.tag))
_TAGS_OF = Query(
    select(tags.c.tag, tags.c.since).where(tags.c.group_id == bindparam("g")).order_by(tags.c.tag)
)
_ADD_TAG = Query(
    insert(tags)
    .values(group_id=bindparam("group_id"), tag=bindparam("tag"), since=bindparam("since"))
    .on_conflict_do_nothing()
)
_DROP_TAG = Query(delete(tags).where(tags.c.group_id == bindparam("g"), tags.c.tag == bindparam("t")))
_MEMBERS = Query(
    select(members.c.group_id, members.c.id, members.c.person, members.c.name, members.c.status)
    .where(members.c.status != "left")
    .order_by(members.c.id)
)
_MEMBERS_OF = Query(
    select(members.c.group_id, members.c.id, members.c.person, members.c.name, members.c.status)
    .where(members.c.status != "left", members.c.group_id == bindparam("g"))
    .order_by(members.c.id)
)
_ENTER = Query(
    insert(members)
    .values(
        group_id=bindparam("group_id"),
        person=bindparam("person"),
        name=bindparam("name"),
        status=bindparam("status"),
        joined_at=bindparam("joined_at"),
    )
    .on_conflict_do_update(
        index_elements=["group_id", "person"],
        set_={"name": bindparam("name"), "status": bindparam("status"), "joined_at": bindparam("joined_at")},
    )
    .returning(members.c.id)
)
_STATUS = Query(update(members).where(members.c.id == bindparam("member")).values(status=bindparam("s")))
_RENAME = Query(update(members).where(members.c.id == bindparam("member")).values(name=bindparam("n")))
_ADMIT = Query(
    insert(admissions).values(
        member_id=bindparam("member_id"),
        at=bindparam("at"),
        password=bindparam("password"),
        rules_version=bindparam("rules_version"),
    )
)


class Groups:
    """Rows of groups, tags and members, as frozen values of bot/model.py."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def all(self) -> list[Group]:
        return [_group(row) for row in self._db.all(_ALL)]

    def get(self, group: int) -> Group | None:
        row = self._db.one(_GET, g=group)
        return _group(row) if row else None

    def find(self, account: str, chat: str) -> Group | None:
        row = self._db.one(_FIND, a=account, c=chat)
        return _group(row) if row else None

    def add(self, account: str, chat: str) -> Group:
        """The group of a chat, made if it was never seen."""
        row = self._db.one(_ADD, account=account, chat=chat)
        if row:
            return Group(row[0], account, chat)
        found = self.find(account, chat)
        assert found is not None
        return found

    def save(self, group: Group) -> None:
        self._db.run(
            _SAVE,
            group=group.id,
            title=group.title,
            owner=group.owner,
            opened_at=group.opened_at,
            paused=int(group.paused),
            password=group.password,
            rules=group.rules,
            rules_version=group.rules_version,
            timezone=group.timezone,
        )

    def tags(self) -> dict[int, dict[str, int]]:
        """Every group's tags, each with the moment since when it holds."""
        found: dict[int, dict[str, int]] = {}
        for group, tag, since in self._db.all(_TAGS):
            found.setdefault(group, {})[tag] = since
        return found

    def tags_of(self, group: int) -> dict[str, int]:
        """A group's tags, each with the moment since when it holds."""
        return {tag: since for tag, since in self._db.all(_TAGS_OF, g=group)}

    def set_tags(self, group: int, wanted: list[str], now: int) -> None:
        """Make these the group's tags; one that it has already keeps its moment."""
        for tag in self.tags_of(group):
            if tag not in wanted:
                self._db.run(_DROP_TAG, g=group, t=tag)
        for tag in wanted:
            self._db.run(_ADD_TAG, group_id=group, tag=tag, since=now)

    def members(self, group: Group) -> list[Member]:
        return [_member(row, group.owner) for row in self._db.all(_MEMBERS_OF, g=group.id)]

    def all_members(self, owners: dict[int, str]) -> list[tuple[int, Member]]:
        """Everybody in every group, with the group's id; `owners` tells who owns which."""
        return [(row[0], _member(row, owners[row[0]])) for row in self._db.all(_MEMBERS)]

    def enter(self, group: Group, person: str, name: str, role: Role, now: int) -> Member:
        """Take somebody in, or back in: who left and returns keeps their id and purse."""
        status = "newcomer" if role == Role.NEWCOMER else "member"
        row = self._db.one(_ENTER, group_id=group.id, person=person, name=name, status=status, joined_at=now)
        assert row is not None
        return _member((group.id, row[0], person, name, status), group.owner)

    def admit(self, member: int, now: int, password: str, rules_version: int) -> None:
        """A newcomer becomes a member: when, with which password, under which rules."""
        self._db.run(_STATUS, member=member, s="member")
        self._db.run(_ADMIT, member_id=member, at=now, password=password, rules_version=rules_version)

    def leave(self, member: int) -> None:
        self._db.run(_STATUS, member=member, s="left")

    def rename(self, member: int, name: str) -> None:
        self._db.run(_RENAME, member=member, n=name)


def _group(row: Row) -> Group:
    values = list(row)
    values[6] = bool(values[6])
    return Group(*values)


def _member(row: Row, owner: str) -> Member:
    _, key, person, name, status = row
    role = Role.NEWCOMER if status == "newcomer" else Role.MEMBER
    return Member(key, person, name, Role.OWNER if person == owner else role)
