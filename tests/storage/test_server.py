"""A database server that goes away: nothing is lost, nothing is done twice, and one process owns it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

import storage.postgres
from bot.errors import Away, NotNow, Unusable
from storage import writer
from storage.database import Database, Owned, read
from storage.db import Lost, connect
from storage.place import at_work, engine_of
from storage.postgres import ServerDb
from storage.store import Store
from storage.writer import LOSSES
from tests import databases, postgres
from tests.harness import hold
from tests.wire import Wire

Log = list[Any]


@pytest.fixture
def server(postgresql: postgres.Server | None) -> Iterator[postgres.Server]:
    if postgresql is None:
        pytest.skip(postgres.MISSING)
    with databases.on(postgresql):
        yield postgresql


@pytest.fixture
def name(server: postgres.Server, tmp_path: Path) -> str:
    """A blank database of the server."""
    databases.blank(tmp_path)
    return databases.name(tmp_path)


@pytest.fixture
def wire(server: postgres.Server) -> Iterator[Wire]:
    with Wire(server) as wire:
        yield wire


@pytest.fixture
async def database(wire: Wire, name: str) -> AsyncIterator[Database]:
    """Open, at the other end of the wire."""
    database = await Database.open(wire.url(name))
    await database.writer.run(lambda _: None)
    yield database
    await database.close()


@pytest.fixture
def quick_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock is waited for a moment only."""
    monkeypatch.setattr(storage.postgres, "_TERMS", storage.postgres._TERMS.replace("'5s'", "'50ms'"))


@pytest.fixture
def log() -> Iterator[Log]:
    with capture_logs() as lines:
        yield lines


def chats(server: postgres.Server, name: str) -> list[str]:
    return [chat for (chat,) in databases.rows(server.url(name), "SELECT chat FROM groups ORDER BY chat")]


class Adding:
    """A unit of work that adds a group, and counts how often it is done."""

    def __init__(self, chat: str, also: Callable[[Store], object] = lambda _: None) -> None:
        self.chat = chat
        self.also = also
        self.done = 0

    def __call__(self, store: Store) -> str:
        self.done += 1
        group = store.groups.add("sandbox", self.chat)
        self.also(store)
        return group.chat


def told(log: Log) -> list[str]:
    return [line["event"] for line in log]


AWAY, BACK = "the database is away", "the database is back"
NOTHING = "the database takes nothing: what comes is kept, and tried again"


async def test_a_commit_that_was_never_heard_is_done_over(
    database: Database, wire: Wire, server: postgres.Server, name: str, log: Log
) -> None:
    """All of its batch, once each; the caller waits, and memory is told to read again."""
    again: list[int] = []
    database.writer.on_rollback = lambda: again.append(1)
    go = hold(database.writer)
    units = [Adding(chat) for chat in "abc"]
    waiting = [asyncio.ensure_future(database.writer.run(unit)) for unit in units]
    await asyncio.sleep(0)
    wire.cut("before")
    go()
    assert await asyncio.gather(*waiting) == ["a", "b", "c"]
    assert wire.cuts == 1
    assert chats(server, name) == ["a", "b", "c"]
    assert again == [1]
    assert told(log) == [AWAY, BACK]


async def test_a_commit_that_went_through_unheard_is_not_done_over(
    database: Database, wire: Wire, server: postgres.Server, name: str, log: Log
) -> None:
    """Its callers get what it gave them, and memory stays as it is."""
    again: list[int] = []
    database.writer.on_rollback = lambda: again.append(1)
    unit = Adding("a")
    wire.cut("after")
    assert await database.writer.run(unit) == "a"
    assert (wire.cuts, unit.done, again) == (1, 1, [])
    assert chats(server, name) == ["a"]
    assert told(log) == [AWAY, BACK]
    assert await database.writer.run(Adding("b")) == "b"


async def test_our_old_session_is_ended_when_the_server_has_not_missed_us(
    database: Database, wire: Wire, server: postgres.Server, name: str
) -> None:
    """It holds the lock and the rows that it wrote until then."""
    wire.cut("silent")
    assert await database.writer.run(Adding("a")) == "a"
    assert chats(server, name) == ["a"]
    lock = f"SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory' AND datname = '{name}'"
    assert len(server.run(lock)) == 1


@pytest.mark.parametrize("word", ["INSERT INTO groups", "BEGIN", "SAVEPOINT"])
async def test_a_connection_that_breaks_in_mid_turn_is_no_fault_of_the_handler(
    database: Database, wire: Wire, server: postgres.Server, name: str, log: Log, word: str
) -> None:
    """Nothing is swallowed by whoever handles errors inside, with a savepoint or in the place of one."""
    caught: list[Exception] = []
    times = 0

    def unit(store: Store) -> str:
        nonlocal times
        times += 1
        try:
            with store.savepoint():
                chat = store.groups.add("sandbox", "a").chat
                # The first time it fails, so it is done again with care, and with a real savepoint.
                assert word != "SAVEPOINT" or times > 1
                return chat
        except Exception as error:
            caught.append(error)
            raise

    wire.cut("before", word)
    assert await database.writer.run(unit) == "a"
    assert wire.cuts == 1
    assert caught == []
    assert chats(server, name) == ["a"]
    assert told(log) == [AWAY, BACK]


async def test_a_unit_that_breaks_every_connection_is_given_up(
    database: Database, server: postgres.Server, name: str, log: Log
) -> None:
    """Its neighbours are not."""
    end = "SELECT pg_terminate_backend(pg_backend_pid())"
    go = hold(database.writer)
    works = [Adding("a"), Adding("x", lambda store: store._db.ask(end)), Adding("b")]
    waiting = [asyncio.ensure_future(database.writer.run(work)) for work in works]
    await asyncio.sleep(0)
    go()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [answers[0], answers[2]] == ["a", "b"]
    assert isinstance(answers[1], Exception)
    assert chats(server, name) == ["a", "b"]
    assert "a unit of work failed" in told(log)[-1]


async def test_while_the_server_is_away_writers_and_readers_wait_for_it(
    database: Database, wire: Wire, log: Log
) -> None:
    """The operator is told once that it is away and once that it is back, and sees no traceback."""
    wire.down()
    writing = [asyncio.ensure_future(database.writer.run(Adding(f"g{n}"))) for n in range(20)]
    reading = [asyncio.ensure_future(database.read(lambda store: store.groups.all())) for _ in range(3)]
    done, _ = await asyncio.wait([*writing, *reading], timeout=0.5)
    assert not done
    wire.up()
    assert await asyncio.gather(*writing) == [f"g{n}" for n in range(20)]
    assert all(await asyncio.gather(*reading))
    assert told(log) == [AWAY, BACK]
    assert not any("exception" in line or "exc_info" in line for line in log)
    assert len(await database.read(lambda store: store.groups.all())) == 20


async def test_who_wants_to_end_does_not_wait_for_the_server(wire: Wire, name: str) -> None:
    """What could not be written is answered with an error; and nothing hangs."""
    database = await Database.open(wire.url(name))
    wire.down()
    writing = asyncio.ensure_future(database.writer.run(Adding("a")))
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await database.close()
    with pytest.raises(Away):
        await writing


async def test_a_server_that_ends_every_session_at_once_is_no_fault_of_the_unit(
    database: Database, server: postgres.Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as no unit has begun, it is waited for, however often; also for one that is done with care."""
    begin, times = ServerDb.begin, 0

    def lost(db: ServerDb, *, write: bool = True) -> None:
        nonlocal times
        times += db.careful
        if db.careful and times <= 2 * LOSSES:
            raise Lost from psycopg.OperationalError("the session was ended")
        begin(db, write=write)

    def fails_at_first(_: Store) -> None:
        assert unit.done > 1

    monkeypatch.setattr(ServerDb, "begin", lost)
    unit = Adding("a", fails_at_first)
    assert await database.writer.run(unit) == "a"
    assert times > 2 * LOSSES
    assert chats(server, name) == ["a"]


async def test_a_lock_that_another_session_holds_is_waited_for(
    server: postgres.Server, name: str, log: Log, quick_locks: None
) -> None:
    """It is told once; nothing is lost; and who wants to end does not wait for it."""
    database = await Database.open(server.url(name))
    with psycopg.connect(server.url(name)) as other:
        other.execute("LOCK TABLE groups")
        first = asyncio.ensure_future(database.writer.run(Adding("a")))
        async with asyncio.timeout(30):
            while told(log) != [NOTHING]:
                await asyncio.sleep(0.01)
    assert await first == "a"
    assert told(log) == [NOTHING, "the database takes again"]
    assert log[0]["why"] == "canceling statement due to lock timeout"
    with psycopg.connect(server.url(name)) as other:
        other.execute("LOCK TABLE groups")
        second = asyncio.ensure_future(database.writer.run(Adding("b")))
        await asyncio.sleep(0)
        async with asyncio.timeout(30):
            await database.close()
    with pytest.raises(Away, match="lock timeout"):
        await second
    assert chats(server, name) == ["a"]


def test_a_start_does_not_wait_for_a_lock(server: postgres.Server, tmp_path: Path, quick_locks: None) -> None:
    """Of somebody who saves the tables while a new version would change them; later it may be had."""
    url = databases.empty(tmp_path)
    with psycopg.connect(str(url)) as other:
        other.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        other.commit()
        other.execute("LOCK TABLE alembic_version")
        with pytest.raises(NotNow, match=r"打不开.*lock timeout"):
            Owned(url)
    Owned(url).release()


async def test_who_wants_to_end_does_not_wait_for_a_server_that_is_frozen(
    server: postgres.Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose machine still takes what is sent; nor do readers keep the process from ending."""
    if not isinstance(server, postgres.OwnServer):
        pytest.skip("only a server of our own can be frozen")
    monkeypatch.setattr(writer, "SILENT", 0.2)
    database = await Database.open(server.url(name))
    reading = asyncio.ensure_future(asyncio.to_thread(read, database._engine, sleep))
    while not server.run(
        f"SELECT 1 FROM pg_stat_activity WHERE datname = '{name}' AND wait_event = 'PgSleep'"
    ):
        await asyncio.sleep(0.01)
    ours = [
        pid
        for (pid,) in server.run(
            f"SELECT pid FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'xiaoer'"
        )
    ]
    try:
        for pid in ours:
            os.kill(pid, signal.SIGSTOP)
        writing = asyncio.ensure_future(database.writer.run(Adding("a")))
        await asyncio.sleep(0)
        async with asyncio.timeout(30):
            await database.close()
            with pytest.raises(Away):
                await writing
            with pytest.raises(Lost):
                await reading
    finally:
        for pid in ours:
            os.kill(pid, signal.SIGCONT)
    assert chats(server, name) == []


def sleep(store: Store) -> None:
    store._db.ask("SELECT pg_sleep(100)")


def test_a_database_that_is_another_one_when_it_is_back_ends_the_process(
    server: postgres.Server, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    """Somebody made it anew in an encoding that will not do: the next start says so."""
    url = server.url(name)
    owned = Owned(url)
    server.drop(name)
    server.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    monkeypatch.setattr(os, "_exit", sys.exit)
    with pytest.raises(SystemExit, match="1"):
        owned.db.come_back(Lost(), Event())
    assert "SQL_ASCII" in told(log)[-1]
    owned.engine.dispose()


async def test_nothing_is_written_while_another_process_holds_the_database(
    database: Database, wire: Wire, server: postgres.Server, name: str, log: Log
) -> None:
    """One that only looked is waited for."""
    wire.down()
    other = engine_of(server.url(name))
    db = connect(other)
    server.run(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> {db.ask('SELECT pg_backend_pid()')[0]}"
    )
    assert db.own()
    wire.up()
    writing = asyncio.ensure_future(database.writer.run(Adding("a")))
    async with asyncio.timeout(30):
        while "held by another process" not in " ".join(told(log)):
            await asyncio.sleep(0.01)
    assert not writing.done()
    assert chats(server, name) == []
    db.drop()
    other.dispose()
    assert await writing == "a"


async def test_the_lock_is_that_of_one_database(server: postgres.Server, name: str, tmp_path: Path) -> None:
    """Who is at work can be seen by an audit, and others are told in a sentence."""
    url = server.url(name)
    assert not at_work(url)
    database = await Database.open(url)
    assert at_work(url)
    with pytest.raises(Unusable, match="正被另一个小二使用"):
        Owned(url)
    other = databases.blank(tmp_path / "other")
    Owned(other).release()
    await database.close()
    assert not at_work(url)
    Owned(url).release()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://shop:s3cret@127.0.0.1:1/db",
        "postgresql+psycopg://shop:s3cret@127.0.0.1:1/db",
        "postgresql://shop:s3cret@[::1/db",
        "postgresql://shop:s3cret%zz@127.0.0.1/db",
        "postgresql://127.0.0.1:1/db?user=shop&password=s3cret",
        "postgresql://shop:s3cret@127.0.0.1:1/db?nonsense=1",
        "postgresql://shop:s3cret/x@127.0.0.1:1/db",
        "postgresql://shop:x/s3cret@127.0.0.1:1/db",
        "postgresql://shop:x@s3cret@127.0.0.1:1/db",
    ],
)
def test_a_server_that_cannot_be_had_is_one_sentence_without_the_password(url: str) -> None:
    """Whether it cannot be reached or the URL cannot be read."""
    with pytest.raises(Unusable) as raised:
        Owned(url)
    assert "s3cret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_database_that_cannot_hold_every_text_is_refused(server: postgres.Server, tmp_path: Path) -> None:
    """One in another encoding than UTF8."""
    url = databases.empty(tmp_path)
    made = databases.name(tmp_path)
    server.drop(made)
    server.run(f"CREATE DATABASE {made} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    with pytest.raises(Unusable, match="SQL_ASCII"):
        Owned(url)


def test_every_commit_is_durable(server: postgres.Server, name: str) -> None:
    """Also where the database says that it need not be."""
    server.run(f"ALTER DATABASE {name} SET synchronous_commit = off")
    owned = Owned(server.url(name))
    assert owned.db.ask("SHOW synchronous_commit") == ("on",)
    owned.release()


async def test_a_reader_sees_one_moment(server: postgres.Server, name: str) -> None:
    """What is written between two of its queries is not there for it."""
    database = await Database.open(server.url(name))
    loop = asyncio.get_running_loop()

    def look(store: Store) -> tuple[int, int]:
        first = len(store.groups.all())
        asyncio.run_coroutine_threadsafe(database.writer.run(Adding("a")), loop).result(10)
        return first, len(store.groups.all())

    assert await database.read(look) == (0, 0)
    assert await database.read(lambda store: len(store.groups.all())) == 1
    await database.close()


def test_no_sum_and_no_number_is_anything_but_an_integer(server: postgres.Server, name: str) -> None:
    """A SUM on the server is a numeric, which no JSON takes."""
    made = engine_of(server.url(name))
    db = connect(made)
    assert type(db.ask("SELECT SUM(x) FROM (VALUES (1::bigint), (2)) AS t (x)")[0]) is int
    db.close()
    made.dispose()
