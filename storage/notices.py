"""What did not go as planned and was not told yet, and what was told. Each thing is told once.

What is wrong stands in the rows themselves, and so does whether it was told: whoever ends an occurrence, a
timer or a message as it should not need say nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import (
    Exists,
    Select,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

from storage.db import Db
from storage.query import Query
from storage.tables import TROUBLED, groups, notices, occurrences, outbox, timers

NAMES = 3

_slot = text(TROUBLED.replace("state", "occurrences.state").replace("noticed", "occurrences.noticed"))
_parked = and_(timers.c.parked == 1, timers.c.noticed == 0, timers.c.kind != "slot")
# Of a message that belongs to an occurrence, the occurrence tells, unless another of its messages arrived.
_message = and_(
    or_(outbox.c.state == "failed", outbox.c.state == "unknown"),
    text("outbox.state <> 'sent'"),  # see storage/tables.py
    outbox.c.noticed == 0,
    ~exists().where(
        occurrences.c.id == outbox.c.occurrence,
        or_(occurrences.c.state == "failed", occurrences.c.state == "unknown"),
    ),
)


def _any(found: Exists) -> Query:
    return Query(select(literal(1)).where(found))


_ANY = (
    _any(exists(occurrences.c.id).where(_slot)),
    _any(exists(timers.c.id).where(_parked)),
    _any(exists(outbox.c.id).where(_message)),
)
_same_chat = and_(groups.c.account == outbox.c.account, groups.c.chat == outbox.c.chat)
_SLOTS = Query(
    select(
        occurrences.c.state,
        func.count(),
        occurrences.c.slot,
        occurrences.c.local,
        occurrences.c.reason,
        occurrences.c.what,
    )
    .where(_slot)
    .group_by(
        occurrences.c.state, occurrences.c.slot, occurrences.c.local, occurrences.c.reason, occurrences.c.what
    )
    .order_by(func.min(occurrences.c.due), occurrences.c.slot, occurrences.c.state)
)
_TIMERS = Query(
    select(timers.c.kind, func.count()).where(_parked).group_by(timers.c.kind).order_by(timers.c.kind)
)
_MESSAGES = Query(
    select(outbox.c.state, func.count(), outbox.c.reason)
    .where(_message)
    .group_by(outbox.c.state, outbox.c.reason)
    .order_by(func.min(outbox.c.id))
)


def _titles(found: Select[tuple[str]]) -> Query:
    return Query(found.distinct().order_by(groups.c.title).limit(NAMES))


_OF_SLOT = _titles(
    select(groups.c.title)
    .join(occurrences, occurrences.c.group_id == groups.c.id)
    .where(
        _slot,
        occurrences.c.state == bindparam("s"),
        occurrences.c.slot == bindparam("slot"),
        occurrences.c.local == bindparam("local"),
        occurrences.c.reason == bindparam("why"),
    )
)
_OF_TIMER = _titles(
    select(groups.c.title)
    .join(timers, timers.c.group_id == groups.c.id)
    .where(_parked, timers.c.kind == bindparam("k"))
)
_OF_MESSAGE = _titles(
    select(groups.c.title)
    .join(outbox, _same_chat)
    .where(_message, outbox.c.state == bindparam("s"), outbox.c.reason == bindparam("why"))
)
_TELL = (
    Query(update(timers).where(_parked).values(noticed=1)),
    Query(update(outbox).where(_message).values(noticed=1)),
    Query(update(occurrences).where(_slot).values(noticed=1)),
)
_OURS = Query(update(outbox).where(outbox.c.id == bindparam("row")).values(noticed=1))
_KEEP = Query(insert(notices).values(at=bindparam("at"), text=bindparam("text")))
_LAST = Query(select(notices.c.at, notices.c.text).order_by(notices.c.id.desc()).limit(bindparam("most")))


class Trouble(NamedTuple):
    """Things that went wrong alike. `kind` is an occurrence's state, `parked`, `unsent` or `unsure`.

    `groups` are the titles of the first few that it happened in, `what` and `local` an occurrence's, or a
    timer's kind.
    """

    kind: str
    times: int
    groups: tuple[str, ...]
    what: str = ""
    local: str = ""
    why: str = ""


class Notices:
    def __init__(self, db: Db) -> None:
        self._db = db

    def any(self) -> bool:
        """Whether there is anything to tell."""
        self._db.flush()
        return any(self._db.one(query) is not None for query in _ANY)

    def take(self) -> list[Trouble]:
        """All that was not told yet: from here on it was."""
        self._db.flush()
        found = [*self._slots(), *self._timers(), *self._messages()]
        for query in _TELL:
            self._db.run(query)
        return found

    def keep(self, at: int, said: str) -> None:
        """Note what was told."""
        self._db.run(_KEEP, at=at, text=said)

    def last(self, most: int) -> list[tuple[int, str]]:
        """When what was told, the newest first."""
        return [(at, said) for at, said in self._db.all(_LAST, most=most)]

    def ours(self, row: int) -> None:
        """A message that tells of what went wrong: when it does itself, nothing is told of that."""
        self._db.flush()
        self._db.run(_OURS, row=row)

    def _slots(self) -> Iterator[Trouble]:
        for state, count, slot, local, why, what in self._db.all(_SLOTS):
            names = self._names(_OF_SLOT, s=state, slot=slot, local=local, why=why)
            yield Trouble(state, count, names, what, local, why)

    def _timers(self) -> Iterator[Trouble]:
        for kind, count in self._db.all(_TIMERS):
            yield Trouble("parked", count, self._names(_OF_TIMER, k=kind), kind)

    def _messages(self) -> Iterator[Trouble]:
        for state, count, why in self._db.all(_MESSAGES):
            kind = {"failed": "unsent", "unknown": "unsure"}[state]
            yield Trouble(kind, count, self._names(_OF_MESSAGE, s=state, why=why), why=why)

    def _names(self, query: Query, **values: object) -> tuple[str, ...]:
        return tuple(title for (title,) in self._db.all(query, **values))
