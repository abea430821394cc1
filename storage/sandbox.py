"""The sandbox's own world: its groups, its members, what was said, and how far its clock is ahead."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from bot.model import Card
from bot.ports import SandboxGroup, SandboxMember, SandboxMessage
from storage.db import Db
from storage.query import Query, Row
from storage.tables import sandbox_clock, sandbox_groups, sandbox_members, sandbox_messages

_GROUPS = Query(select(sandbox_groups.c.id, sandbox_groups.c.title).order_by(sandbox_groups.c.id))
_ADD_GROUP = Query(insert(sandbox_groups).values(title=bindparam("title")).returning(sandbox_groups.c.id))
_MEMBERS = Query(
    select(sandbox_members.c.group_id, sandbox_members.c.id, sandbox_members.c.name, sandbox_members.c.role)
    .where(sandbox_members.c.present == bindparam("present"))
    .order_by(sandbox_members.c.id)
)
_ADD_MEMBER = Query(
    insert(sandbox_members)
    .values(group_id=bindparam("group_id"), name=bindparam("name"), role=bindparam("role"), present=1)
    .on_conflict_do_update(index_elements=["group_id", "name"], set_={"present": 1})
    .returning(sandbox_members.c.id, sandbox_members.c.role)
)
_REMOVE = Query(update(sandbox_members).where(sandbox_members.c.id == bindparam("m")).values(present=0))
_APPEND = Query(
    insert(sandbox_messages)
    .values(
        chat=bindparam("chat"),
        message=bindparam("message"),
        sender=bindparam("sender"),
        name=bindparam("name"),
        text=bindparam("text"),
        at=bindparam("at"),
        mentions=bindparam("mentions"),
        picture=bindparam("picture"),
        file=bindparam("file"),
        card=bindparam("card"),
        handled=bindparam("handled"),
    )
    .on_conflict_do_nothing()
    .returning(sandbox_messages.c.seq)
)
_columns = (
    sandbox_messages.c.seq,
    sandbox_messages.c.chat,
    sandbox_messages.c.message,
    sandbox_messages.c.sender,
    sandbox_messages.c.name,
    sandbox_messages.c.text,
    sandbox_messages.c.at,
    sandbox_messages.c.mentions,
    sandbox_messages.c.picture,
    sandbox_messages.c.file,
    sandbox_messages.c.card,
)
_SINCE = Query(
    select(*_columns)
    .where(sandbox_messages.c.chat == bindparam("c"), sandbox_messages.c.seq > bindparam("after"))
    .order_by(sandbox_messages.c.seq)
    .limit(bindparam("most"))
)
_BEFORE = Query(
    select(*_columns)
    .where(sandbox_messages.c.chat == bindparam("c"), sandbox_messages.c.seq < bindparam("seq"))
    .order_by(sandbox_messages.c.seq.desc())
    .limit(bindparam("most"))
)
_UNHANDLED = Query(select(*_columns).where(sandbox_messages.c.handled == 0).order_by(sandbox_messages.c.seq))
_HANDLED = Query(update(sandbox_messages).where(sandbox_messages.c.seq == bindparam("s")).values(handled=1))
_AHEAD = Query(select(sandbox_clock.c.ahead).where(sandbox_clock.c.id == 1))
_SET_AHEAD = Query(
    insert(sandbox_clock)
    .values(id=1, ahead=bindparam("ahead"))
    .on_conflict_do_update(index_elements=["id"], set_={"ahead": bindparam("ahead")})
)


class SandboxWorld:
    """The tables, on one connection."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def groups(self) -> list[SandboxGroup]:
        members: dict[int, list[SandboxMember]] = {}
        for group, key, name, role in self._db.all(_MEMBERS, present=1):
            members.setdefault(group, []).append(SandboxMember(f"m{key}", name, role))
        return [
            SandboxGroup(f"g{key}", title, tuple(members.get(key, ())))
            for key, title in self._db.all(_GROUPS)
        ]

    def gone(self) -> list[tuple[str, SandboxMember]]:
        """Who has left, each with their group."""
        rows = self._db.all(_MEMBERS, present=0)
        return [(f"g{group}", SandboxMember(f"m{key}", name, role)) for group, key, name, role in rows]

    def add_group(self, title: str, owner: str, members: Sequence[str]) -> SandboxGroup:
        key = self._db.value(_ADD_GROUP, title=title)
        people = [self._enter(key, owner, "owner")]
        people += [self._enter(key, name, "member") for name in members]
        return SandboxGroup(f"g{key}", title, tuple(people))

    def add_member(self, group: str, name: str) -> SandboxMember:
        """Somebody comes in; who was there under this name before is the same person."""
        return self._enter(int(group[1:]), name, "member")

    def remove_member(self, member: str) -> None:
        self._db.run(_REMOVE, m=int(member[1:]))

    def append(self, message: SandboxMessage) -> int:
        """Keep a line; the answer is its `seq`, or 0 when the chat has a line with this id."""
        return self._db.value(
            _APPEND,
            chat=message.chat,
            message=message.id,
            sender=message.sender,
            name=message.name,
            text=message.text,
            at=message.at,
            mentions=json.dumps(message.mentions),
            picture=message.picture,
            file=message.file,
            card=json.dumps(asdict(message.card), ensure_ascii=False) if message.card else "",
            handled=int(message.sender == "bot"),
        )

    def handled(self, seqs: Sequence[int]) -> None:
        self._db.many(_HANDLED, [{"s": seq} for seq in seqs])

    def messages(self, chat: str, after: int, most: int) -> list[SandboxMessage]:
        return [_message(row) for row in self._db.all(_SINCE, c=chat, after=after, most=most)]

    def messages_before(self, chat: str, seq: int, most: int) -> list[SandboxMessage]:
        return [_message(row) for row in self._db.all(_BEFORE, c=chat, seq=seq, most=most)][::-1]

    def unhandled(self) -> list[SandboxMessage]:
        return [_message(row) for row in self._db.all(_UNHANDLED)]

    def offset(self) -> int:
        return self._db.value(_AHEAD)

    def save_offset(self, offset: int) -> None:
        self._db.run(_SET_AHEAD, ahead=offset)

    def _enter(self, group: int, name: str, role: str) -> SandboxMember:
        row = self._db.one(_ADD_MEMBER, group_id=group, name=name, role=role)
        assert row is not None
        return SandboxMember(f"m{row[0]}", name, row[1])


def _message(row: Row) -> SandboxMessage:
    seq, chat, key, sender, name, text, at, mentions, picture, file, card = row
    called = tuple(json.loads(mentions))
    link = Card(**json.loads(card)) if card else None
    return SandboxMessage(seq, chat, key, sender, name, text, at, called, picture, file, link)
