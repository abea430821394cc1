"""What is asked again and again costs no more as the database grows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine
from sqlalchemy.dialects import sqlite

from storage import written
from storage.query import Query
from storage.tables import metadata

PEOPLE = 20


def database(days: int) -> sqlite3.Connection:
    """A group that has been talking for so many days."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    made = engine.raw_connection().driver_connection
    assert isinstance(made, sqlite3.Connection)
    made.execute("INSERT INTO groups (id, account, chat) VALUES (1, 'a', 'g')")
    add = "INSERT INTO members (id, group_id, person, status, joined_at) VALUES (?, 1, ?, 'member', 0)"
    made.executemany(add, [(number, str(number)) for number in range(PEOPLE)])
    wrote = [(member, day) for member in range(PEOPLE) for day in range(days)]
    made.executemany("INSERT INTO written VALUES (?, ?, 1)", wrote)
    made.executemany("INSERT INTO talk VALUES (1, ?, 1)", [(100 + at,) for at in range(days)])
    return made


def steps(made: sqlite3.Connection, query: Query) -> int:
    """How much SQLite does for it."""
    done: Iterator[int] = iter(range(10**9))
    made.set_progress_handler(lambda: next(done) < 0, 1)
    sql = query.on(sqlite.dialect())
    made.execute(sql.text, sql.taken({"g": 1, "before": 50})).fetchall()
    made.set_progress_handler(None, 0)
    return next(done)


@pytest.mark.parametrize("query", [written._FORGET, written._LAST], ids=["forget", "last"])
def test_what_is_kept_is_not_looked_through(query: Query) -> None:
    """Neither the stretches that are kept, nor all the days on which somebody wrote."""
    assert steps(database(1000), query) < 2 * steps(database(10), query)
