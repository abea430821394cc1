"""The ledger: double entry, so the sum of all accounts is always zero.

A transfer is two postings under one idempotency key, and both balances in the same transaction.
Points come from a group's house account, which alone may be below zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, func, select

from storage.at_once import adding, each, given, keeping, packed
from storage.db import Db
from storage.query import Query
from storage.tables import accounts, members, postings

_KEEP = keeping(accounts, "id", "group_id", "kind", "subject", "balance", key="id", value="balance")
_LAST = Query(select(func.coalesce(func.max(accounts.c.id), 0)))
_GET = Query(
    select(accounts.c.id, accounts.c.balance).where(
        accounts.c.group_id == bindparam("g"),
        accounts.c.kind == bindparam("k"),
        accounts.c.subject == bindparam("s"),
    )
)
_wanted = given(accounts.c.group_id, accounts.c.subject)
_PURSES = each(
    _wanted,
    select(accounts.c.id, accounts.c.balance).where(
        accounts.c.group_id == _wanted.c.group_id,
        accounts.c.kind == "purse",
        accounts.c.subject == _wanted.c.subject,
    ),
)
_POST = adding(postings, "key", "account_id", "amount", "at")
_TOP = Query(
    select(members.c.name, accounts.c.balance)
    .join(members, members.c.id == accounts.c.subject)
    .where(accounts.c.group_id == bindparam("g"), accounts.c.kind == "purse", accounts.c.balance > 0)
    .order_by(accounts.c.balance.desc(), accounts.c.id)
    .limit(bindparam("n"))
)
_BALANCES = Query(
    select(accounts.c.group_id, accounts.c.balance)
    .join(members, members.c.id == accounts.c.subject)
    .where(accounts.c.kind == "purse", members.c.person == bindparam("p"))
    .order_by(accounts.c.group_id)
)

Account = tuple[str, int]
HOUSE: Account = ("house", 0)
TREASURY: Account = ("treasury", 0)
MANY = 50_000


def purse(member: int) -> Account:
    return ("purse", member)


def escrow(packet: int) -> Account:
    return ("escrow", packet)


class NotEnough(Exception):
    """The account that should pay does not hold as much."""


@dataclass(slots=True)
class _Known:
    """An account as it will be after the commit, and its row: it waits while `flushed` is the database's."""

    id: int
    balance: int
    row: dict[str, Any] = field(default_factory=dict)
    flushed: int = -1


class Ledger:
    """Accounts are read once, and written once for all that happens to them until the commit."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._known: dict[tuple[int, Account], _Known] = {}  # as long as nothing is undone
        self._undone = db.undone
        self._last = 0

    def read_ahead(self, members: Mapping[int, int]) -> None:
        """Read the purses of members, each with its group, at once."""
        self._forget()
        unknown = {
            member: group for member, group in members.items() if (group, purse(member)) not in self._known
        }
        rows = [{"group_id": group, "subject": member} for member, group in unknown.items()]
        for group, member, number, balance in self._db.all(_PURSES, rows=packed(rows)) if rows else ():
            self._known[group, purse(member)] = _Known(number, balance)
            del unknown[member]
        for member, group in unknown.items():
            self._known[group, purse(member)] = _Known(0, 0)

    def transfer(self, group: int, source: Account, target: Account, amount: int, key: str, now: int) -> int:
        """Move points (more than 0) from one account of a group to another; the answer is what that holds now.

        Raises NotEnough. A key that was used before undoes what the event did.
        """
        if amount <= 0:
            raise ValueError(f"a transfer of {amount}")
        self._forget()
        paying, paid = self._account(group, source), self._account(group, target)
        if paying.balance < amount and source != HOUSE:
            raise NotEnough(source)
        self._change(group, source, paying, -amount)
        self._change(group, target, paid, amount)
        self._db.later(
            _POST,
            {"key": key, "account_id": paying.id, "amount": -amount, "at": now},
            {"key": key, "account_id": paid.id, "amount": amount, "at": now},
        )
        return paid.balance

    def balance(self, group: int, account: Account) -> int:
        self._forget()
        return self._account(group, account).balance

    def top(self, group: int, many: int) -> list[tuple[str, int]]:
        """Names and points of those who hold most, the first to get there first."""
        self._db.flush()
        return [(name, points) for name, points in self._db.all(_TOP, g=group, n=many)]

    def purses_of(self, person: str) -> list[tuple[int, int]]:
        """Group and points for each purse of a platform's person."""
        self._db.flush()
        return [(group, points) for group, points in self._db.all(_BALANCES, p=person)]

    def _account(self, group: int, account: Account) -> _Known:
        known = self._known.get((group, account))
        if known is None:
            row = self._db.one(_GET, g=group, k=account[0], s=account[1])
            known = self._known[group, account] = _Known(*row) if row else _Known(0, 0)
        return known

    def _change(self, group: int, account: Account, known: _Known, amount: int) -> None:
        known.balance += amount
        if known.flushed == self._db.flushed:
            known.row["balance"] = known.balance
            return
        known.id = known.id or self._number()
        kind, subject = account
        known.row = {
            "id": known.id,
            "group_id": group,
            "kind": kind,
            "subject": subject,
            "balance": known.balance,
        }
        known.flushed = self._db.flushed if self._db.later(_KEEP, known.row) else -1

    def _number(self) -> int:
        """Of a new account: it is numbered here, so that writing it can wait."""
        self._last = (self._last or self._db.value(_LAST)) + 1
        return self._last

    def _forget(self) -> None:
        """What was undone is not so, and not everybody need be remembered for ever."""
        if self._undone != self._db.undone or len(self._known) > MANY:
            self._db.flush()
            self._undone = self._db.undone
            self._known.clear()
