"""What a server refuses for want of room or of a disk that works is asked again; what is wrong is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
from structlog.testing import capture_logs

from storage.database import Database
from storage.place import Place
from storage.store import Store
from tests import databases
from tests.faults.trouble import REFUSES, TAKES, Disk, busy, told, until

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)

CHATS = ["a", "b", "c"]


@pytest.fixture
def place(database: str, tidy: None, tmp_path: Path) -> Place:
    return databases.blank(tmp_path)


@pytest.fixture
async def opened(place: Place) -> AsyncIterator[Database]:
    opened = await Database.open(place)
    await opened.writer.run(lambda _: None)
    yield opened
    await opened.close()


def add(chat: str, store: Store) -> str:
    return store.groups.add("sandbox", chat).chat


async def added(opened: Database) -> list[asyncio.Task[str]]:
    """Three groups that are asked for in one batch."""
    go = await busy(opened.writer)
    adding = [asyncio.create_task(opened.writer.run(partial(add, chat))) for chat in CHATS]
    await asyncio.sleep(0)
    go()
    return adding


@pytest.mark.parametrize("table", ["groups", "commits"], ids=["while it is done", "at its end"])
@pytest.mark.parametrize("code", ["53100", "53200", "58030"], ids=["disk full", "no memory", "disk fails"])
async def test_what_a_server_has_no_room_for_is_asked_again(
    opened: Database, place: Place, table: str, code: str
) -> None:
    """Nobody is answered meanwhile; then all are done once and in order, told of in two lines."""
    disk = Disk(place, opened.writer, table, code)
    disk.fill()
    with capture_logs() as lines:
        adding = await added(opened)
        await until(lambda: opened.writer._tries > 2)
        assert not any(one.done() for one in adding)
        assert databases.rows(place, "SELECT chat FROM groups") == []
        assert await opened.read(lambda store: store.groups.all()) == [], "who reads is served"
        disk.make_room()
        assert await asyncio.gather(*adding) == CHATS
    assert told(lines) == [REFUSES, TAKES]
    assert databases.rows(place, "SELECT chat FROM groups ORDER BY id") == [(chat,) for chat in CHATS]
    assert opened.writer.failed == 0


async def test_what_is_wrong_is_the_callers_at_once(opened: Database, place: Place) -> None:
    """A row that a rule of the server's refuses is not asked again."""
    disk = Disk(place, opened.writer, "groups", "23514")
    disk.fill()
    with capture_logs() as lines:
        answers = await asyncio.gather(*await added(opened), return_exceptions=True)
    assert [type(getattr(one, "orig", one)) for one in answers] == [psycopg.errors.CheckViolation] * 3
    assert told(lines) == ["a unit of work failed and was undone"] * 3
    assert opened.writer._tries == 0
