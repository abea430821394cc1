"""Group commit: what fails leaves nothing behind and takes nobody with it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.errors import Unusable
from bot.model import Group
from storage.database import Database
from storage.db import connect
from storage.place import Place
from storage.store import Store
from storage.writer import Writer
from tests.databases import empty, place, rows
from tests.harness import hold, open_store

pytestmark = pytest.mark.usefixtures("database", "tidy")


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    made, _ = open_store(tmp_path)
    writer = Writer(made)
    yield writer
    await writer.close()
    made.dispose()


@pytest.fixture
def here(tmp_path: Path) -> Place:
    """A place where no 小二 ever was."""
    return empty(tmp_path)


def chats(folder: Path) -> list[str]:
    return [chat for (chat,) in rows(place(folder), "SELECT chat FROM groups ORDER BY id")]


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
    db = connect(made)
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
    db.close()
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


async def test_one_process_owns_a_database(here: Place) -> None:
    """A second one is told so in a sentence; after the first has closed it may."""
    first = await Database.open(here)
    with pytest.raises(Unusable, match="正被另一个小二使用"):
        await Database.open(here)
    await first.close()
    await (await Database.open(here)).close()


async def test_a_reader_sees_what_is_committed(here: Place) -> None:
    """Beside the writer, on a connection of its own."""
    database = await Database.open(here)
    await database.writer.run(adding("g"))
    assert [group.chat for group in await database.read(lambda store: store.groups.all())] == ["g"]
    await database.close()
