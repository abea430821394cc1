"""What a group's week brought: for each occurrence who took part, and for the group who did what."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, cast, func, literal_column, select

from bot.model import DAY, HOUR
from storage.brought import Brought, Ranked, Week
from storage.db import Db
from storage.query import Query
from storage.tables import (
    answers,
    hooks,
    members,
    occurrences,
    packets,
    postings,
    quizzes,
    rounds,
    shares,
    sign_ins,
    talk,
    written,
)

# Whoever signs in so long after a call was called by it, unless there was another.
CALLED = 12 * HOUR
# Messages are counted by stretches of this: see bot/dispatch/counts.py.
STRETCH = HOUR // 12
# A packet may be open for so long.
LONGEST = 30 * DAY
TOP = 10


def _within(moment: ColumnElement[int]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return moment >= bindparam("start"), moment < bindparam("stop")


def _key(*parts: Any) -> Any:  # noqa: ANN401
    """The idempotency key of a posting, put together by the database."""
    first, *rest = (
        literal_column(f"'{part}'") if isinstance(part, str) else cast(part, Text) for part in parts
    )
    for part in rest:
        first = first.concat(literal_column("':'")).concat(part)
    return first


_OCCURRENCES = Query(
    select(
        occurrences.c.id,
        func.coalesce(hooks.c.reason, ""),
        occurrences.c.slot,
        occurrences.c.local,
        occurrences.c.due,
        occurrences.c.what,
        occurrences.c.state,
        occurrences.c.reason,
        occurrences.c.sent_at,
        occurrences.c.members,
        occurrences.c.hooked_at,
    )
    .select_from(occurrences)
    .outerjoin(hooks, (hooks.c.occurrence == occurrences.c.id) & (hooks.c.group_id == occurrences.c.group_id))
    .where(occurrences.c.group_id == bindparam("g"), *_within(occurrences.c.due))
    .order_by(occurrences.c.due, occurrences.c.id)
)
_in_quizzes = (quizzes.c.group_id == bindparam("g"), *_within(quizzes.c.at))
_QUIZZES = Query(
    select(quizzes.c.occurrence, func.sum(rounds.c.right_answers))
    .select_from(quizzes)
    .join(rounds, rounds.c.quiz_id == quizzes.c.id)
    .where(*_in_quizzes)
    .group_by(quizzes.c.id, quizzes.c.occurrence)
)
_ANSWERS = Query(
    select(quizzes.c.occurrence, quizzes.c.at, answers.c.member_id, func.count(), func.sum(postings.c.amount))
    .select_from(quizzes)
    .join(rounds, rounds.c.quiz_id == quizzes.c.id)
    .join(answers, answers.c.round_id == rounds.c.id)
    .outerjoin(
        postings,
        (postings.c.key == _key("quiz", rounds.c.id, answers.c.member_id)) & (postings.c.amount > 0),
    )
    .where(*_in_quizzes)
    .group_by(quizzes.c.id, quizzes.c.occurrence, quizzes.c.at, answers.c.member_id)
)
_PACKETS = Query(
    select(packets.c.occurrence, shares.c.at, shares.c.member_id, shares.c.points)
    .select_from(packets)
    .outerjoin(shares, (shares.c.packet_id == packets.c.id) & shares.c.member_id.is_not(None))
    .where(packets.c.group_id == bindparam("g"), *_within(packets.c.at))
)
_SIGN_INS = Query(
    select(postings.c.at, sign_ins.c.member_id, sign_ins.c.points)
    .select_from(sign_ins)
    .join(
        postings,
        (postings.c.key == _key("sign_in", sign_ins.c.member_id, sign_ins.c.day)) & (postings.c.amount > 0),
    )
    .where(
        sign_ins.c.group_id == bindparam("g"),
        sign_ins.c.day >= bindparam("first"),
        sign_ins.c.day <= bindparam("last"),
    )
)
_TALK = Query(
    select(talk.c.at, talk.c.messages).where(talk.c.group_id == bindparam("g"), *_within(talk.c.at))
)
_WRITTEN = Query(
    select(written.c.member_id, func.sum(written.c.messages))
    .select_from(written)
    .join(members, members.c.id == written.c.member_id)
    .where(
        members.c.group_id == bindparam("g"),
        written.c.day >= bindparam("first"),
        written.c.day <= bindparam("last"),
    )
    .group_by(written.c.member_id)
)
_MEMBERS = Query(
    select(members.c.id, members.c.name, members.c.status, members.c.joined_at)
    .where(members.c.group_id == bindparam("g"))
    .order_by(members.c.id)
)


class Reports:
    def __init__(self, db: Db) -> None:
        self._db = db

    def week(
        self, group: int, monday: date, start: int, stop: int, opened: int, calls: Collection[str]
    ) -> Week:
        """A week from the moment `start` to before `stop`, which begins on the day `monday`.

        `opened` is when the group had its 开张; `calls` are the occurrences' `what` that call to sign in.
        """
        self._db.flush()
        rows = self._db.all(_OCCURRENCES, g=group, start=start, stop=stop)
        lines = {key: Brought(*rest) for key, _, *rest in rows}
        for key, why, *_ in rows:
            lines[key].unhooked = why
        week = Week(list(lines.values()))
        got: dict[int, int] = defaultdict(int)
        self._quizzes(group, start, stop, lines, week, got)
        self._packets(group, start, stop, lines, week, got)
        self._sign_ins(group, monday, start, stop, calls, week, got)
        self._told(group, monday, start, stop, opened, week, got)
        return week

    def _quizzes(
        self, group: int, start: int, stop: int, lines: dict[int, Brought], week: Week, got: dict[int, int]
    ) -> None:
        # What was due at the end of the week may have begun after it.
        until = stop + DAY
        for key, right in self._db.all(_QUIZZES, g=group, start=start, stop=until):
            if (line := lines.get(key)) is not None:
                line.kind = "quiz"
                line.right += int(right)
        for key, at, member, given, paid in self._db.all(_ANSWERS, g=group, start=start, stop=until):
            if (line := lines.get(key)) is not None:
                line.players.add(member)
                line.answers += given
                line.paid += int(paid or 0)
            if at < stop:
                week.players.add(member)
                got[member] += int(paid or 0)

    def _packets(
        self, group: int, start: int, stop: int, lines: dict[int, Brought], week: Week, got: dict[int, int]
    ) -> None:
        for key, at, member, points in self._db.all(
            _PACKETS, g=group, start=start - LONGEST, stop=stop + DAY
        ):
            if (line := lines.get(key)) is not None:
                line.kind = "red_packet"
                if member is not None:
                    line.players.add(member)
                    line.paid += points
            if member is not None and start <= at < stop:
                week.players.add(member)
                got[member] += points

    def _sign_ins(
        self,
        group: int,
        monday: date,
        start: int,
        stop: int,
        calls: Collection[str],
        week: Week,
        got: dict[int, int],
    ) -> None:
        """Each belongs to the last call before it, if that was not long ago."""
        called = [line for line in week.occurrences if line.what in calls]
        for line in called:
            line.kind = "sign_in"
        called = [line for line in called if line.played]
        moments = [line.sent_at or line.due for line in called]
        first = monday.toordinal()
        for at, member, points in self._db.all(_SIGN_INS, g=group, first=first - 1, last=first + 8):
            place = bisect_right(moments, at) - 1
            if place >= 0 and at - moments[place] < CALLED:
                called[place].players.add(member)
                called[place].paid += points
            if start <= at < stop:
                week.sign_ins += 1
                week.players.add(member)
                got[member] += points

    def _told(
        self, group: int, monday: date, start: int, stop: int, opened: int, week: Week, got: dict[int, int]
    ) -> None:
        """Who wrote how much, and who is there."""
        first = monday.toordinal()
        last = (monday + timedelta(days=6)).toordinal()
        wrote = {
            member: int(messages)
            for member, messages in self._db.all(_WRITTEN, g=group, first=first, last=last)
        }
        week.wrote, week.messages, week.points = len(wrote), sum(wrote.values()), sum(got.values())
        ranked = []
        for member, name, status, joined in self._db.all(_MEMBERS, g=group):
            week.members += status != "left"
            week.joined += status != "left" and max(start, opened + 1) <= joined < stop
            if member in wrote or got.get(member):
                ranked.append(Ranked(name, got.get(member, 0), wrote.get(member, 0)))
        week.top = sorted(ranked, key=lambda one: (-one.points, -one.messages))[:TOP]
        stretches: dict[int, int] = dict(
            self._db.all(_TALK, g=group, start=start - STRETCH, stop=stop + HOUR)
        )
        if wrote and not stretches:
            return  # forgotten
        for line in week.occurrences:
            line.members = line.members or week.members
            if line.hooked_at:
                line.around_hook = stretches.get(line.hooked_at // STRETCH * STRETCH, 0)
            if line.sent_at:
                began = line.sent_at // STRETCH * STRETCH
                line.messages = sum(stretches.get(began + number * STRETCH, 0) for number in range(12))
