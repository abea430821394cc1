"""The ledger: double entry, so the sum of all accounts is always zero.

A transfer is two postings under one idempotency key, and both balances in the same transaction.
Points come from a group's house account, which alone may be below zero.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.db import Db, Query
from storage.tables import accounts, members, postings

_GIVE = Query(
    insert(accounts)
    .values(
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
_POST = Query(
    insert(postings).values(
        key=bindparam("key"), account_id=bindparam("account"), amount=bindparam("amount"), at=bindparam("at")
    )
)
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
        self._houses: dict[int, int] = {}  # each group's house account, as long as nothing is undone
        self._undone = db.undone

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
            {"key": key, "account": paying, "amount": -amount, "at": now},
            {"key": key, "account": paid, "amount": amount, "at": now},
        )
        return balance

    def balance(self, group: int, account: Account) -> int:
        self._db.flush()
        return self._db.value(_BALANCE, g=group, k=account[0], s=account[1])

    def top(self, group: int, many: int) -> list[tuple[str, int]]:
        """Names and points of those who hold most, the first to get there first."""
        return [(name, points) for name, points in self._db.all(_TOP, g=group, n=many)]

    def purses_of(self, person: str) -> list[tuple[int, int]]:
        """Group and points for each purse of a platform's person."""
        return [(group, points) for group, points in self._db.all(_BALANCES, p=person)]

    def _mint(self, group: int, amount: int) -> int:
        """From the house, which may be below zero: its balance can wait for the commit."""
        if self._undone != self._db.undone:
            self._undone = self._db.undone
            self._houses.clear()
        house = self._houses.get(group)
        if house is None:
            house, _ = self._give(group, HOUSE, 0)
            self._houses[group] = house
        self._db.later(_ADD_TO, {"account": house, "amount": -amount})
        return house

    def _pay(self, group: int, account: Account, amount: int) -> int:
        kind, subject = account
        row = self._db.one(_PAY, g=group, k=kind, s=subject, amount=amount)
        if row is None:
            raise NotEnough(account)
        return int(row[0])

    def _give(self, group: int, account: Account, amount: int) -> tuple[int, int]:
        kind, subject = account
        row = self._db.one(_GIVE, group_id=group, kind=kind, subject=subject, amount=amount)
        assert row is not None
        return row[0], row[1]
