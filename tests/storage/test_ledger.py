"""Double entry: nothing comes from nowhere, and nothing twice."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.db import Db, connect
from storage.ledger import HOUSE, TREASURY, NotEnough, escrow, purse
from storage.store import Store
from tests.harness import open_store

pytestmark = pytest.mark.usefixtures("database", "tidy")


# Either database's own.
Refused = (sqlite3.IntegrityError, psycopg.IntegrityError)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    made, _ = open_store(tmp_path)
    db = connect(made)
    db.begin()
    Store(db).groups.add("sandbox", "g")
    yield db
    db.rollback()
    db.close()
    made.dispose()


def total(db: Db) -> tuple[int, ...]:
    return (
        *db.ask("SELECT COALESCE(SUM(balance), 0) FROM accounts"),
        *db.ask("SELECT COALESCE(SUM(amount), 0) FROM postings"),
    )


def test_points_come_from_the_house(db: Db) -> None:
    """The house goes below zero by as much as there is elsewhere."""
    ledger = Store(db).ledger
    ledger.transfer(1, HOUSE, purse(7), 30, "a", 1)
    ledger.transfer(1, purse(7), escrow(1), 30, "b", 2)
    ledger.transfer(1, escrow(1), TREASURY, 12, "c", 3)
    assert [ledger.balance(1, one) for one in (HOUSE, purse(7), escrow(1), TREASURY)] == [-30, 0, 18, 12]
    assert total(db) == (0, 0)


@pytest.mark.parametrize("source", [purse(7), purse(8), TREASURY, escrow(1)])
def test_no_account_but_the_house_goes_below_zero(db: Db, source: tuple[str, int]) -> None:
    """Neither one that holds too little nor one that was never used."""
    store = Store(db)
    store.ledger.transfer(1, HOUSE, purse(7), 30, "a", 1)
    with pytest.raises(NotEnough), store.savepoint():
        store.ledger.transfer(1, source, TREASURY, 31, "b", 2)
    assert store.ledger.balance(1, purse(7)) == 30
    assert total(db) == (0, 0)


def test_the_database_itself_refuses_a_balance_below_zero(db: Db) -> None:
    """Whatever code may come later."""
    Store(db).ledger.transfer(1, HOUSE, purse(7), 30, "a", 1)
    with pytest.raises(Refused, match="never_below_zero"):
        db._cursor.execute("UPDATE accounts SET balance = -1 WHERE kind = 'purse'")


def test_a_key_is_good_for_one_transfer(db: Db) -> None:
    """The second is refused, and undone with its savepoint."""
    store = Store(db)
    store.ledger.transfer(1, HOUSE, purse(7), 30, "sign_in:7:1", 1)
    with pytest.raises(Refused), store.savepoint():
        store.ledger.transfer(1, HOUSE, purse(7), 30, "sign_in:7:1", 2)
    assert store.ledger.balance(1, purse(7)) == 30
    assert total(db) == (0, 0)


@pytest.mark.parametrize("amount", [0, -5])
def test_a_transfer_is_of_something(db: Db, amount: int) -> None:
    """Nothing and less than nothing cannot be moved."""
    with pytest.raises(ValueError, match="transfer"):
        Store(db).ledger.transfer(1, HOUSE, purse(7), amount, "a", 1)


ACCOUNTS = st.sampled_from([HOUSE, TREASURY, purse(1), purse(2), escrow(1)])


MOVES = st.lists(
    st.tuples(ACCOUNTS, ACCOUNTS, st.integers(1, 50), st.integers(0, 12)).filter(
        lambda one: one[0] != one[1]
    ),
    max_size=25,
)


def test_whatever_is_transferred_the_books_balance(tmp_path: Path) -> None:
    """After any transfers, with some refused, all sums are zero and every balance is its postings'."""
    made, _ = open_store(tmp_path)

    @settings(deadline=None, max_examples=60)
    @given(MOVES)
    def moved(moves: list[tuple[tuple[str, int], tuple[str, int], int, int]]) -> None:
        db = connect(made)
        db.begin()
        store = Store(db)
        group = store.groups.add("sandbox", "g").id
        for source, target, amount, key in moves:
            with contextlib.suppress(NotEnough, *Refused), store.savepoint():
                store.ledger.transfer(group, source, target, amount, f"k{key}", 1)
        assert total(db) == (0, 0)
        wrong = db.ask(
            "SELECT a.id FROM accounts a LEFT JOIN postings p ON p.account_id = a.id "
            "GROUP BY a.id HAVING a.balance <> COALESCE(SUM(p.amount), 0)"
        )
        assert wrong == ()
        db.rollback()
        db.close()

    moved()
    made.dispose()
