"""The ledger: double entry, so the sum of all accounts is always zero.

A transfer is two postings under one idempotency key, and both balances in the same transaction.
Points come from a group's house account, which alone may be below zero.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.at_once import adding, adding_up, each, given, packed
from storage.db import Db, Query
from storage.tables import accounts, members, postings

_GIVE = Query(
    insert(accounts)
    .values(
        id=bindparam("id"),
        group_id=bindparam("group_id"),
        kind=bindparam("kind"),
        subject=bindparam("subject"),
        balance=bindparam("amount"),
    )
    .on_conflict_do_update(
        index_elements=["group_id", "kind", "subject"],
        set_={"balance": accounts.c.balance + bindparam("amount")},
    )
    .returning(accounts.c.id, accounts.c.balance)
)
_GIVE_LATER = adding_up(
    accounts,
    "id",
    "group_id",
    "kind",
    "subject",
    "balance",
    unique=("group_id", "kind", "subject"),
    total="balance",
)
_LAST = Query(select(func.coalesce(func.max(accounts.c.id), 0)))
_wanted = given(accounts.c.group_id, accounts.c.subject)
_PURSES = each(
    _wanted,
    select(accounts.c.id, accounts.c.balance).where(
        accounts.c.group_id == _wanted.c.group_id,
        accounts.c.kind == "purse",
        accounts.c.subject == _wanted.c.subject,
    ),
)
_ADD_TO = Query(
    update(accounts)
    .where(accounts.c.id == bindparam("account"))
    .values(balance=accounts.c.balance + bindparam("amount"))
)
_PAY = Query(
    update(accounts)
    .where(
        accounts.c.group_id == bindparam("g"),
        accounts.c.kind == bindparam("k"),
        accounts.c.subject == bindparam("s"),
        accounts.c.balance >= bindparam("amount"),
    )
    .values(balance=accounts.c.balance - bindparam("amount"))
    .returning(accounts.c.id)
)
_POST = adding(postings, "key", "account_id", "amount", "at")
_BALANCE = Query(
    select(accounts.c.balance).where(
        accounts.c.group_id == bindparam("g"),
        accounts.c.kind == bindparam("k"),
        accounts.c.subject == bindparam("s"),
    )
)
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
Purse = tuple[int, int]  # its account, 0 before it has one, and what it holds
HOUSE: Account = ("house", 0)
TREASURY: Account = ("treasury", 0)


def purse(member: int) -> Account:
    return ("purse", member)


def escrow(packet: int) -> Account:
    return ("escrow", packet)


class NotEnough(Exception):
    """The account that should pay does not hold as much."""


class Ledger:
    def __init__(self, db: Db) -> None:
        self._db = db
        # As long as nothing is undone: each group's house account, and the purses that were read ahead.
        self._houses: dict[int, int] = {}
        self._purses: dict[int, Purse] = {}
        self._undone = db.undone
        self._last = 0

    def read_ahead(self, members: Mapping[int, int]) -> None:
        """Read the purses of members, each with its group: giving to them can wait for the commit."""
        self._forget()
        rows = [{"group_id": group, "subject": member} for member, group in members.items()]
        self._purses = dict.fromkeys(members, (0, 0))
        for _, member, number, balance in self._db.all(_PURSES, rows=packed(rows)):
            self._purses[member] = number, balance

    def transfer(self, group: int, source: Account, target: Account, amount: int, key: str, now: int) -> int:
        """Move points (more than 0) from one account of a group to another; the answer is what that holds now.

        Raises NotEnough. A key that was used before undoes what the event did.
        """
        if amount <= 0:
            raise ValueError(f"a transfer of {amount}")
        paying = self._mint(group, amount) if source == HOUSE else self._pay(group, source, amount)
        paid, balance = self._give(group, target, amount)
        self._db.later(
            _POST,
            {"key": key, "account_id": paying, "amount": -amount, "at": now},
            {"key": key, "account_id": paid, "amount": amount, "at": now},
        )
        return balance

    def balance(self, group: int, account: Account) -> int:
        self._db.flush()
        return self._db.value(_BALANCE, g=group, k=account[0], s=account[1])

    def top(self, group: int, many: int) -> list[tuple[str, int]]:
        """Names and points of those who hold most, the first to get there first."""
        self._write_purses()
        return [(name, points) for name, points in self._db.all(_TOP, g=group, n=many)]

    def purses_of(self, person: str) -> list[tuple[int, int]]:
        """Group and points for each purse of a platform's person."""
        self._write_purses()
        return [(group, points) for group, points in self._db.all(_BALANCES, p=person)]

    def _mint(self, group: int, amount: int) -> int:
        """From the house, which may be below zero: its balance can wait for the commit."""
        self._forget()
        house = self._houses.get(group)
        if house is None:
            house, _ = self._give(group, HOUSE, 0)
            self._houses[group] = house
        if self._db.far:
            self._give_later(group, HOUSE, house, -amount)
        else:
            self._db.later(_ADD_TO, {"account": house, "amount": -amount})
        return house

    def _pay(self, group: int, account: Account, amount: int) -> int:
        kind, subject = account
        if kind == "purse" and subject in self._purses:
            self._db.flush()
            del self._purses[subject]
        row = self._db.one(_PAY, g=group, k=kind, s=subject, amount=amount)
        if row is None:
            raise NotEnough(account)
        return int(row[0])

    def _give(self, group: int, account: Account, amount: int) -> Purse:
        kind, subject = account
        self._forget()
        if kind == "purse" and subject in self._purses:
            number, balance = self._purses[subject]
            purse = number or self._number(), balance + amount
            self._purses[subject] = purse
            self._give_later(group, account, purse[0], amount)
            return purse
        number = self._number()
        row = self._db.one(_GIVE, id=number, group_id=group, kind=kind, subject=subject, amount=amount)
        assert row is not None
        return row[0], row[1]

    def _give_later(self, group: int, account: Account, number: int, amount: int) -> None:
        kind, subject = account
        row = {"id": number, "group_id": group, "kind": kind, "subject": subject, "balance": amount}
        self._db.later(_GIVE_LATER, row)

    def _number(self) -> int:
        """Of an account that may be new: it is numbered here, so that writing it can wait."""
        self._last = (self._last or self._db.value(_LAST)) + 1
        return self._last

    def _write_purses(self) -> None:
        """Before the database is asked about them."""
        self._forget()
        if self._purses:
            self._db.flush()

    def _forget(self) -> None:
        if self._undone != self._db.undone:
            self._undone = self._db.undone
            self._houses.clear()
            self._purses.clear()
