"""What is read ahead and written together for a whole batch is what it would be one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.model import Role, Spoken
from storage import ledger
from storage.database import Database
from storage.db import Db, connect
from storage.ledger import HOUSE, TREASURY, NotEnough, escrow, purse
from storage.store import Store
from tests.harness import hold, open_store

pytestmark = pytest.mark.usefixtures("database", "tidy")

MEMBERS = range(1, 7)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """As the writer has it for a batch, with a group and its members."""
    made, _ = open_store(tmp_path)
    db = connect(made)
    db.begin()
    group = Store(db).groups.add("sandbox", "g")
    for member in MEMBERS:
        Store(db).groups.enter(group, f"p{member}", "", Role.MEMBER, 1)
    db.commit()
    db.careful = False
    yield db
    db.rollback()
    db.close()
    made.dispose()


@pytest.fixture
def store(db: Db) -> Store:
    return Store(db)


def begin(db: Db, store: Store, *messages: str) -> None:
    """A batch in which every member says something, or these messages come."""
    spoken = [Spoken("sandbox", "g", f"m{member}", 1, member) for member in MEMBERS]
    spoken += [Spoken("sandbox", "g", message, 1, 1) for message in messages]
    db.begin()
    if db.far:
        store.read_ahead(spoken)


def test_gifts_of_one_batch_add_up(db: Db, store: Store) -> None:
    """To those who have a purse and to those who have none, and each is told what they hold then."""
    begin(db, store)
    assert [store.ledger.transfer(1, HOUSE, purse(1), n, f"a{n}", 1) for n in (5, 6, 7)] == [5, 11, 18]
    db.commit()
    begin(db, store)
    assert store.ledger.transfer(1, HOUSE, purse(2), 3, "b", 1) == 3
    assert [store.ledger.transfer(1, HOUSE, purse(1), n, f"c{n}", 1) for n in (1, 2)] == [19, 21]
    assert store.ledger.transfer(1, HOUSE, purse(2), 4, "d", 1) == 7
    db.commit()
    begin(db, store)
    assert [store.ledger.balance(1, one) for one in (HOUSE, purse(1), purse(2))] == [-28, 21, 7]
    assert db.ask("SELECT COUNT(*), SUM(amount) FROM postings") == (14, 0)
    assert db.ask("SELECT COUNT(*) FROM accounts") == (3,)


def test_who_was_just_given_something_can_pay_with_it(db: Db, store: Store) -> None:
    """But no more than that; and is seen to hold it."""
    begin(db, store)
    store.ledger.transfer(1, HOUSE, purse(1), 10, "a", 1)
    assert store.ledger.top(1, 5) == [("", 10)]
    assert store.ledger.purses_of("p1") == [(1, 10)]
    assert store.ledger.transfer(1, purse(1), TREASURY, 4, "b", 1) == 4
    assert store.ledger.transfer(1, HOUSE, purse(1), 1, "c", 1) == 7
    with pytest.raises(NotEnough):
        store.ledger.transfer(1, purse(1), TREASURY, 8, "d", 1)
    assert store.ledger.transfer(1, purse(1), TREASURY, 7, "e", 1) == 11
    db.commit()
    begin(db, store)
    assert [store.ledger.balance(1, one) for one in (HOUSE, purse(1), TREASURY)] == [-11, 0, 11]


async def test_an_order_before_a_first_sign_in_is_written_at_the_first_try(tmp_path: Path) -> None:
    """Its accounts are changed before that of the newcomer is made, whose entry comes with theirs."""
    made, place = open_store(tmp_path)
    made.dispose()
    tries: list[int] = []
    database = await Database.open(place)

    def begin(store: Store) -> None:
        store.groups.add("sandbox", "g")
        store.ledger.transfer(1, HOUSE, TREASURY, 10, "treasury", 1)
        store.ledger.transfer(1, TREASURY, escrow(1), 1, "packet:0", 1)

    def order(store: Store) -> None:
        tries.append(1)
        store.ledger.transfer(1, TREASURY, escrow(1), 5, "packet:1", 1)

    await database.writer.run(begin)
    go = hold(database.writer)
    both = [
        asyncio.ensure_future(database.writer.run(unit))
        for unit in (order, lambda store: store.ledger.transfer(1, HOUSE, purse(1), 5, "sign_in", 1))
    ]
    await asyncio.sleep(0)
    go()
    await asyncio.gather(*both)
    assert len(tries) == 1
    await database.close()


def test_a_batch_without_messages_asks_for_nothing(
    db: Db, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does one whose members are known."""
    begin(db, store)
    monkeypatch.delattr(Db, "all")
    store.read_ahead([])
    store.sign_ins.read_ahead(MEMBERS if db.far else [])


def test_what_others_refer_to_is_written_before_them(db: Db) -> None:
    """In whatever order it was put off: an entry before the account that it belongs to."""
    db.begin()
    db.later(ledger._POST, {"key": "k", "account_id": 7, "amount": 1, "at": 1})
    db.later(ledger._KEEP, {"id": 7, "group_id": 1, "kind": "house", "subject": 0, "balance": 1})
    db.commit()
    assert db.ask("SELECT account_id, amount FROM postings") == (7, 1)


def test_what_was_undone_is_not_remembered(db: Db, store: Store) -> None:
    """Neither a gift, nor a mark, nor a sign-in of a batch that was rolled back."""
    begin(db, store)
    for again in (True, False):
        assert store.ledger.transfer(1, HOUSE, purse(1), 10, "a", 1) == 10
        assert store.marks.add("sandbox", "g", "m1", 1, "sign_in")
        assert store.sign_ins.last(1) == (0, 0, 0)
        assert store.sign_ins.add(1, 1, 700, 1, 5) == 1
        assert store.sign_ins.last(1) == (700, 1, 1)
        if again:
            db.rollback()
            db.begin()
    db.commit()
    begin(db, store)
    assert store.ledger.balance(1, purse(1)) == 10
    assert not store.marks.add("sandbox", "g", "m1", 1, "sign_in")


def test_a_message_that_comes_twice_is_marked_once(db: Db, store: Store) -> None:
    """In one batch, or in the next; another that came with it is not held for it."""
    begin(db, store, "m1")
    assert [store.marks.add("sandbox", "g", key, 1, "x") for key in ("m1", "m1", "m2")] == [True, False, True]
    store.marks.failed("sandbox", "g", "m2")
    db.commit()
    begin(db, store)
    assert [store.marks.add("sandbox", "g", key, 1, "x") for key in ("m1", "m3", "m2")] == [
        False,
        True,
        False,
    ]
    assert store.marks.add("sandbox", "g", "nobody read this ahead", 1, "x")
    db.commit()
    assert db.ask("SELECT COUNT(*) FROM marks WHERE outcome = 'failed' AND message = 'm2'") == (1,)
    assert db.ask("SELECT COUNT(*) FROM marks") == (4,)


def test_the_latest_sign_in_is_the_one_that_counts(db: Db, store: Store) -> None:
    """Of many days, and for all members at once."""
    begin(db, store)
    for day in (700, 702, 701):
        for member in (3, 1, 2):
            store.sign_ins.add(1, member, day, day - 699, 5)
    db.commit()
    fresh = Store(db)
    begin(db, fresh)
    assert [fresh.sign_ins.last(member) for member in (1, 2, 3, 4)] == [
        (702, 3, 2),
        (702, 3, 3),
        (702, 3, 1),
        (0, 0, 0),
    ]


def test_of_several_states_of_a_message_the_last_holds(db: Db, store: Store) -> None:
    """Though all are written together."""
    begin(db, store)
    rows = [store.outbox.add("sandbox", "g", "say", {"text": str(n)}, 1) for n in range(6)]
    store.outbox.sending(rows)
    store.outbox.ended(rows[0], "failed", "因为")
    store.outbox.sent(rows[1:5], 2)
    store.outbox.planned(rows[4:5])
    db.commit()
    kept = {key: db.ask(f"SELECT state, reason FROM outbox WHERE id = {key}") for key in range(1, 7)}
    assert kept == {
        1: ("failed", "因为"),
        **dict.fromkeys((2, 3, 4), ("sent", "")),
        5: ("planned", ""),
        6: ("sending", ""),
    }
