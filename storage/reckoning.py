"""What a stretch of time came to in one group: for the end of a rehearsal."""

from __future__ import annotations

import json

from sqlalchemy import bindparam, case, func, select, union

from storage.db import Db
from storage.outbox import Row, columns
from storage.query import Query
from storage.tables import (
    accounts,
    answers,
    members,
    outbox,
    packets,
    postings,
    quizzes,
    rounds,
    shares,
    sign_ins,
)

_HELD = Query(
    select(accounts.c.kind, func.sum(accounts.c.balance))
    .where(accounts.c.group_id == bindparam("g"))
    .group_by(accounts.c.kind)
    .order_by(accounts.c.kind)
)
_PURSES = Query(
    select(members.c.name, accounts.c.balance)
    .join(members, members.c.id == accounts.c.subject)
    .where(accounts.c.group_id == bindparam("g"), accounts.c.kind == "purse")
    .order_by(members.c.name, members.c.id)
)
_MOVED = Query(
    select(
        func.sum(case((postings.c.amount > 0, postings.c.amount), else_=0)),
        func.sum(case((postings.c.amount < 0, -postings.c.amount), else_=0)),
    )
    .join(accounts, accounts.c.id == postings.c.account_id)
    .where(accounts.c.group_id == bindparam("g"), accounts.c.kind == "purse")
)
_PLAYERS = Query(
    select(quizzes.c.definition, func.count(answers.c.member_id.distinct()))
    .outerjoin(rounds, rounds.c.quiz_id == quizzes.c.id)
    .outerjoin(answers, answers.c.round_id == rounds.c.id)
    .where(quizzes.c.group_id == bindparam("g"))
    .group_by(quizzes.c.id, quizzes.c.definition)
    .order_by(quizzes.c.id)
)
_TOOK_PART = Query(
    union(
        select(sign_ins.c.member_id).where(sign_ins.c.group_id == bindparam("g")),
        select(shares.c.member_id)
        .join(packets, packets.c.id == shares.c.packet_id)
        .where(packets.c.group_id == bindparam("g"), shares.c.member_id > 0),
        select(answers.c.member_id)
        .join(rounds, rounds.c.id == answers.c.round_id)
        .join(quizzes, quizzes.c.id == rounds.c.quiz_id)
        .where(quizzes.c.group_id == bindparam("g")),
    )
)
_ROWS = Query(select(*columns).where(outbox.c.id > bindparam("after")).order_by(outbox.c.id))
_STATES = Query(select(outbox.c.state, func.count()).group_by(outbox.c.state).order_by(outbox.c.state))


class Reckoning:
    def __init__(self, db: Db) -> None:
        self._db = db

    def held(self, group: int) -> dict[str, int]:
        """What a group's accounts hold, by their kind."""
        return {kind: int(points) for kind, points in self._db.all(_HELD, g=group)}

    def purses(self, group: int) -> list[tuple[str, int]]:
        """What each member holds, by name; of two with one name, who came first stands first."""
        return [(name, points) for name, points in self._db.all(_PURSES, g=group)]

    def moved(self, group: int) -> tuple[int, int]:
        """How many points went into purses, and how many out of them."""
        row = self._db.one(_MOVED, g=group)
        return (int(row[0] or 0), int(row[1] or 0)) if row else (0, 0)

    def took_part(self, group: int) -> int:
        """How many people signed in, answered or had a share of a packet."""
        return len(self._db.all(_TOOK_PART, g=group))

    def players(self, group: int) -> list[tuple[str, int]]:
        """The definition of each quiz in its order, and how many people answered in it."""
        return [(definition, int(many)) for definition, many in self._db.all(_PLAYERS, g=group)]

    def rows(self, after: int = 0) -> list[Row]:
        """What was ever to be said, from behind a row on."""
        self._db.flush()
        return [
            Row(key, account, chat, kind, json.loads(body), *rest)
            for key, account, chat, kind, body, *rest in self._db.all(_ROWS, after=after)
        ]

    def states(self) -> dict[str, int]:
        """How many rows there are in each state."""
        return {state: int(many) for state, many in self._db.all(_STATES)}
