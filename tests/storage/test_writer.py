"""Group commit: what fails leaves nothing behind and takes nobody with it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.errors import Unusable
from bot.model import Group
from storage.database import FILE, Database
from storage.db import Db
from storage.store import Store
from storage.writer import Writer
from tests.harness import hold, open_store


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    made, _ = open_store(tmp_path)
    writer = Writer(made)
    yield writer
    await writer.close()
    made.dispose()


def chats(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return [chat for (chat,) in connection.execute("SELECT chat FROM groups ORDER BY id")]


def adding(chat: str, error: Exception | None = None) -> Callable[[Store], Group]:
    def work(store: Store) -> Group:
        group = store.groups.add("sandbox", chat)
        if error is not None:
            raise error
        return group

    return work


async def test_a_savepoint_that_raises_leaves_nothing(writer: Writer, tmp_path: Path) -> None:
    """What stood before it and comes after it in the same transaction stays."""

    def work(store: Store) -> None:
        store.groups.add("sandbox", "before")
        with contextlib.suppress(ZeroDivisionError), store.savepoint():
            store.groups.add("sandbox", "inside")
            raise ZeroDivisionError
        store.groups.add("sandbox", "after")

    await writer.run(work)
    assert chats(tmp_path) == ["before", "after"]


async def test_the_release_of_a_savepoint_commits_nothing(tmp_path: Path) -> None:
    """A batch's rollback leaves nothing, though its savepoints were released; also after reopening."""
    made, _ = open_store(tmp_path)
    with made.connect() as connection:
        db = Db(connection)
        store = Store(db)
        db.begin()
        with store.savepoint():
            store.groups.add("sandbox", "one")
        assert chats(tmp_path) == []
        with store.savepoint():
            store.groups.add("sandbox", "two")
        db.rollback()
        db.begin()
        store.groups.add("sandbox", "three")
        db.commit()
    made.dispose()
    assert chats(tmp_path) == ["three"]


async def test_a_failing_unit_does_not_touch_its_neighbours(writer: Writer, tmp_path: Path) -> None:
    """Of a batch with one bad unit all others are committed, and each caller gets its own answer."""
    go = hold(writer)
    works = [adding(f"g{n}", ValueError("no") if n == 3 else None) for n in range(6)]
    units = [asyncio.ensure_future(writer.run(work)) for work in works]
    await asyncio.sleep(0)
    go()
    answers = await asyncio.gather(*units, return_exceptions=True)
    assert isinstance(answers[3], ValueError)
    assert [group.chat for group in answers if isinstance(group, Group)] == ["g0", "g1", "g2", "g4", "g5"]
    assert chats(tmp_path) == ["g0", "g1", "g2", "g4", "g5"]


async def test_a_rolled_back_batch_is_told_of(writer: Writer) -> None:
    """So that what was kept in memory of it can be read again."""
    told: list[int] = []
    writer.on_rollback = lambda: told.append(1)
    with pytest.raises(ZeroDivisionError):
        await writer.run(lambda _: 1 // 0)
    assert told == [1, 1]  # once in hope, once with care
    await writer.run(adding("g"))
    assert told == [1, 1]


async def test_closing_commits_what_waits(tmp_path: Path) -> None:
    """Units that were submitted before the close are answered."""
    made, _ = open_store(tmp_path)
    writer = Writer(made)
    done: list[object] = []
    for n in range(20):
        writer.submit(adding(f"g{n}"), lambda group, error: done.append(error or group.chat))
    await writer.close()
    made.dispose()
    assert done == [f"g{n}" for n in range(20)] == chats(tmp_path)
    assert writer.idle


async def test_one_process_owns_a_data_folder(tmp_path: Path) -> None:
    """A second one is told so in a sentence; after the first has closed it may."""
    first = await Database.open(tmp_path)
    with pytest.raises(Unusable, match="正被另一个小二使用"):
        await Database.open(tmp_path)
    await first.close()
    await (await Database.open(tmp_path)).close()


async def test_a_reader_sees_what_is_committed(tmp_path: Path) -> None:
    """Beside the writer, on a connection of its own."""
    database = await Database.open(tmp_path)
    await database.writer.run(adding("g"))
    assert [group.chat for group in await database.read(lambda store: store.groups.all())] == ["g"]
    await database.close()


async def test_every_commit_is_durable(tmp_path: Path) -> None:
    """The connections are WAL, synchronous=FULL, with foreign keys on."""
    database = await Database.open(tmp_path)
    with database._engine.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    await database.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"x" * 5000])
async def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    """And the lock is let go."""
    (tmp_path / FILE).write_bytes(content)
    for _ in range(2):
        with pytest.raises(Unusable, match="打不开数据库"):
            await Database.open(tmp_path)
