"""Quizzes, their rounds, and the answers in the order in which they were handled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.at_once import adding
from storage.db import Db
from storage.query import Query
from storage.tables import answers, asked, members, quizzes, rounds

_START = Query(
    insert(quizzes)
    .values(
        group_id=bindparam("group_id"),
        definition=bindparam("definition"),
        state="running",
        at=bindparam("at"),
        occurrence=bindparam("occurrence"),
    )
    .returning(quizzes.c.id)
)
_ADD_ROUND = adding(rounds, "quiz_id", "number", "question")
_columns = (quizzes.c.id, quizzes.c.group_id, quizzes.c.definition, quizzes.c.state, quizzes.c.at)
_RUNNING = Query(
    select(*_columns).where(quizzes.c.group_id == bindparam("g"), quizzes.c.state == "running").limit(1)
)
_GET = Query(select(*_columns).where(quizzes.c.id == bindparam("q")))
_round = (
    rounds.c.id,
    rounds.c.quiz_id,
    rounds.c.number,
    rounds.c.question,
    rounds.c.opened_at,
    rounds.c.closes_at,
    rounds.c.closed_at,
)
_ROUND = Query(select(*_round).where(rounds.c.id == bindparam("r")))
_OPEN_ROUND = Query(
    select(*_round)
    .join(quizzes, quizzes.c.id == rounds.c.quiz_id)
    .where(
        quizzes.c.group_id == bindparam("g"),
        quizzes.c.state == "running",
        rounds.c.opened_at > 0,
        rounds.c.closed_at == 0,
    )
    .limit(1)
)
_NEXT_ROUND = Query(
    select(*_round)
    .where(rounds.c.quiz_id == bindparam("q"), rounds.c.opened_at == 0, rounds.c.number >= bindparam("n"))
    .order_by(rounds.c.number)
    .limit(1)
)
_COUNT = Query(select(func.count()).where(rounds.c.quiz_id == bindparam("q")))
_OPENED = Query(
    select(rounds.c.number)
    .where(rounds.c.quiz_id == bindparam("q"), rounds.c.opened_at > 0)
    .order_by(rounds.c.number)
)
_OPEN = Query(
    update(rounds)
    .where(rounds.c.id == bindparam("r"))
    .values(opened_at=bindparam("opened"), closes_at=bindparam("closes"))
)
_CLOSE = Query(
    update(rounds)
    .where(rounds.c.id == bindparam("r"))
    .values(closed_at=bindparam("closed"), right_answers=bindparam("right"))
)
_END = Query(update(quizzes).where(quizzes.c.id == bindparam("q")).values(state=bindparam("s")))
_MINE = Query(
    select(answers.c.answer, answers.c.warned).where(
        answers.c.round_id == bindparam("r"), answers.c.member_id == bindparam("m")
    )
)
_LAST_PLACE = Query(select(func.max(answers.c.place)).where(answers.c.round_id == bindparam("r")))
_ANSWER = Query(
    insert(answers).values(
        round_id=bindparam("round_id"),
        member_id=bindparam("member_id"),
        place=bindparam("place"),
        answer=bindparam("answer"),
        at=bindparam("at"),
    )
)
_WARN = Query(
    update(answers)
    .where(answers.c.round_id == bindparam("r"), answers.c.member_id == bindparam("m"))
    .values(warned=1)
)
_ANSWERS = Query(
    select(answers.c.member_id, members.c.name, answers.c.answer)
    .join(members, members.c.id == answers.c.member_id)
    .where(answers.c.round_id == bindparam("r"))
    .order_by(answers.c.place)
)
_PLAYERS = Query(
    select(func.count(func.distinct(answers.c.member_id)))
    .join(rounds, rounds.c.id == answers.c.round_id)
    .where(rounds.c.quiz_id == bindparam("q"))
)
_ASKED = Query(select(asked.c.question, asked.c.at).where(asked.c.group_id == bindparam("g")))
_ASK = Query(
    insert(asked)
    .values(group_id=bindparam("group_id"), question=bindparam("question"), at=bindparam("at"))
    .on_conflict_do_update(index_elements=["group_id", "question"], set_={"at": bindparam("at")})
)


@dataclass(frozen=True, slots=True)
class Quiz:
    """A quiz that began; `definition` is the activity as it was then, in JSON; `at` is when."""

    id: int
    group: int
    definition: str
    state: str
    at: int


@dataclass(frozen=True, slots=True)
class Round:
    """One question; `opened_at` and `closed_at` are 0 until then."""

    id: int
    quiz: int
    number: int
    question: str
    opened_at: int
    closes_at: int
    closed_at: int


@dataclass(frozen=True, slots=True)
class Answer:
    member: int
    name: str
    answer: str


class Quizzes:
    def __init__(self, db: Db) -> None:
        self._db = db

    def start(
        self, group: int, definition: str, questions: Sequence[str], now: int, *, occurrence: int = 0
    ) -> Quiz:
        """A quiz with its rounds; `occurrence` is that of the calendar which starts it."""
        key = self._db.value(_START, group_id=group, definition=definition, at=now, occurrence=occurrence)
        self._db.many(
            _ADD_ROUND,
            [{"quiz_id": key, "number": n, "question": text} for n, text in enumerate(questions, 1)],
        )
        return Quiz(key, group, definition, "running", now)

    def running(self, group: int) -> Quiz | None:
        row = self._db.one(_RUNNING, g=group)
        return Quiz(*row) if row else None

    def get(self, quiz: int) -> Quiz | None:
        row = self._db.one(_GET, q=quiz)
        return Quiz(*row) if row else None

    def end(self, quiz: int, state: str) -> None:
        self._db.run(_END, q=quiz, s=state)

    def round(self, key: int) -> Round | None:
        row = self._db.one(_ROUND, r=key)
        return Round(*row) if row else None

    def open_round(self, group: int) -> Round | None:
        """The round that takes answers in this group now."""
        row = self._db.one(_OPEN_ROUND, g=group)
        return Round(*row) if row else None

    def next_round(self, quiz: int, number: int = 1) -> Round | None:
        """The first round of this number or a higher one that was not opened yet."""
        row = self._db.one(_NEXT_ROUND, q=quiz, n=number)
        return Round(*row) if row else None

    def count(self, quiz: int) -> int:
        return self._db.value(_COUNT, q=quiz)

    def opened(self, quiz: int) -> list[int]:
        """The numbers of the rounds that were opened so far."""
        return [number for (number,) in self._db.all(_OPENED, q=quiz)]

    def open(self, key: int, now: int, closes_at: int) -> None:
        self._db.run(_OPEN, r=key, opened=now, closes=closes_at)

    def close(self, key: int, now: int, *, right: int = 0) -> None:
        """Close a round, with how many answers were right."""
        self._db.run(_CLOSE, r=key, closed=now, right=right)

    def answer_of(self, key: int, member: int) -> tuple[str, bool] | None:
        """A member's answer in a round, and whether they were told that it is locked."""
        row = self._db.one(_MINE, r=key, m=member)
        return (row[0], bool(row[1])) if row else None

    def answer(self, key: int, member: int, answer: str, now: int) -> None:
        """Keep an answer behind those that were handled before it."""
        place = self._db.value(_LAST_PLACE, r=key) + 1
        self._db.run(_ANSWER, round_id=key, member_id=member, place=place, answer=answer, at=now)

    def warn(self, key: int, member: int) -> None:
        self._db.run(_WARN, r=key, m=member)

    def answers(self, key: int) -> list[Answer]:
        """All answers, in the order in which they were handled."""
        return [Answer(*row) for row in self._db.all(_ANSWERS, r=key)]

    def players(self, quiz: int) -> int:
        """How many members answered in any round."""
        return self._db.value(_PLAYERS, q=quiz)

    def asked(self, group: int) -> dict[str, int]:
        """When each question was last put to the group."""
        return {question: at for question, at in self._db.all(_ASKED, g=group)}

    def ask(self, group: int, question: str, now: int) -> None:
        self._db.run(_ASK, group_id=group, question=question, at=now)
