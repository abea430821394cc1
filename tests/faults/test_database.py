"""A database that takes nothing: what comes is kept, in order, and done once when it takes again."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psycopg
import pytest
from structlog.testing import capture_logs

from bot.app import App
from bot.config import Settings
from bot.dispatch import dispatcher
from bot.dispatch.dispatcher import FLOOD
from bot.dispatch.turn import Turn
from bot.errors import Refused, Unusable
from bot.model import Message, Outgoing, Reply
from storage.audit import audit
from tests import databases
from tests.databases import SQLITE_ALONE
from tests.faults.trouble import REFUSES, TAKES, Disk, Lines, busy, held, told, until
from tests.harness import SHIPPED, Group, Inside, World, said

UNSENT = "unknown whether this was sent"
UNCOUNTED = "what was counted was not written"
PEOPLE = [f"群友{n}" for n in range(40)]


@pytest.fixture(autouse=True)
def _on_both(database: str, tidy: None) -> None:
    """See tests/conftest.py."""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite itself waits for a lock no longer than a blink."""
    monkeypatch.setattr("storage.db.BUSY", 0.02)


@pytest.fixture
async def inside(tmp_path: Path, impatient: None) -> AsyncIterator[Inside]:
    async with Inside(tmp_path, people=["owner", *PEOPLE]) as inside:
        await inside.say("owner", "开张")
        yield inside


def seen(lines: Lines, words: str) -> int:
    return told(lines).count(words)


async def sign_in(group: Group, who: str) -> int:
    """Say 签到 and go on; the answer is the status."""
    body = {"from": who, "text": "签到"}
    answer = await group.world.http.post(f"/api/sandbox/groups/{group.id}/messages", json=body)
    return answer.status_code


def places(lines: list[str]) -> list[int]:
    found = [re.search(r"今天第 (\d+) 个", line) for line in lines]
    return [int(one[1]) for one in found if one]


async def test_a_full_disk_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    """Who signs in while it is full waits; others can read; with room again each is answered once."""
    async with World(tmp_path) as world:
        groups = [await world.group(f"群{n}", members=PEOPLE) for n in range(2)]
        disk = Disk(world.place, world.app.database.writer)
        with capture_logs() as lines:
            disk.fill()
            posts = [asyncio.ensure_future(sign_in(group, who)) for who in PEOPLE for group in groups]
            await until(lambda: seen(lines, REFUSES))
            assert world.sql("SELECT COUNT(*) FROM sign_ins")[0][0] < 2 * len(PEOPLE)
            assert (await groups[0].world.http.get("/api/sandbox/groups")).status_code == 200
            assert await groups[0].read() is not None
            disk.make_room()
            assert set(await asyncio.gather(*posts)) == {202}
            await world.settle()
        assert told(lines) == [REFUSES, TAKES]
        for group in groups:
            assert places(await group.lines()) == list(range(1, len(PEOPLE) + 1))
        assert world.sql("SELECT COUNT(*) FROM sign_ins") == [(2 * len(PEOPLE),)]


@SQLITE_ALONE
@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
async def test_a_lock_of_another_program_loses_nothing(inside: Inside, how: str) -> None:
    """What comes meanwhile is done in its order once the lock is gone, and told of in two lines."""
    before = len(inside.downstream.rows)
    with capture_logs() as lines:
        with held(inside.folder, how) as let_go:
            fed = [inside.dispatcher.feed(inside.message(who, "签到")) for who in PEOPLE]
            await until(lambda: inside.writer._tries > 2)
            assert len(inside.downstream.rows) == before
            let_go()
            assert all(await asyncio.gather(*(one for one in fed if one is not None)))
        assert told(lines) == [REFUSES, TAKES]
    texts = [said(row) for row in inside.downstream.rows[before:]]
    assert places(texts) == list(range(1, len(PEOPLE) + 1))
    await inside.agree()
    assert audit(inside.place).clean


@SQLITE_ALONE
async def test_reading_pauses_while_nothing_can_be_written(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flooded group holds its own account; when too much waits in all groups, all are held."""
    message = inside.message("群友1", "我的积分")
    with held(inside.folder) as let_go:
        fed = [inside.dispatcher.feed(inside.message("群友1", "我的积分")) for _ in range(FLOOD)]
        elsewhere = inside.message("owner", "签到", chat="other")
        await asyncio.wait_for(inside.dispatcher.breathe(elsewhere), 30)
        here = asyncio.ensure_future(inside.dispatcher.breathe(message))
        monkeypatch.setattr(dispatcher, "CROWD", FLOOD)
        there = asyncio.ensure_future(inside.dispatcher.breathe(elsewhere))
        await until(lambda: inside.writer._tries > 1)
        assert not here.done()
        assert not there.done()
        let_go()
        await asyncio.gather(here, there)
        assert all(await asyncio.gather(*(one for one in fed if one is not None)))


async def test_a_handler_that_raises_is_told_of_once_though_it_is_done_again(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a neighbour that has the batch done again, and members who ask twice in a minute."""
    command = inside.frame.routes.commands["抢"]
    runs: list[str] = []

    def broken(message: Message, turn: Turn) -> Reply:
        runs.append(message.id)
        raise RuntimeError("no")

    monkeypatch.setitem(inside.frame.routes.commands, "抢", type(command)("broken", broken))
    before = len(inside.downstream.rows)
    with capture_logs() as lines:
        go = await busy(inside.writer)
        texts = ["签到", "抢", "签到", "抢"]
        fed = [inside.dispatcher.feed(inside.message(PEOPLE[n], text)) for n, text in enumerate(texts)]
        bad = asyncio.ensure_future(inside.writer.run(lambda _: 1 // 0))
        await asyncio.sleep(0)
        go()
        assert all(await asyncio.gather(*(one for one in fed if one is not None)))
        await asyncio.wait([bad])
        assert isinstance(bad.exception(), ZeroDivisionError)
        failures = [one for one in lines if one["event"] == "a handler failed"]
        assert [(one["handler"], one["group"]) for one in failures] == [("broken", 1)]
    assert runs != sorted(set(runs))  # it did run again
    texts = [said(row) for row in inside.downstream.rows[before:]]
    assert ["签到成功" in text for text in texts] == [True, False, True, False]
    assert sum("出了点岔子" in text for text in texts) == 2


async def test_a_disk_that_fills_up_in_a_savepoint_is_no_fault_of_the_handler(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No apology goes out for it, and what the handler says is said once, when there is room again."""
    command = inside.frame.routes.commands["抢"]
    disk = Disk(inside.place, inside.writer, "groups")
    runs: list[str] = []

    def refuse(message: Message, turn: Turn) -> Reply:
        runs.append(message.id)
        if len(runs) == 2:  # it raises after it has written, so this time it runs in a real savepoint
            disk.fill()
        turn.set_group(rules="长" * 100_000)
        raise Refused("gate.again")

    monkeypatch.setitem(inside.frame.routes.commands, "抢", type(command)("refuse", refuse))
    with capture_logs() as lines:
        saying = asyncio.ensure_future(inside.say("群友1", "抢"))
        await until(lambda: len(runs) > 2)
        disk.make_room()
        assert await saying == ["刚才那条已办。"]
        assert [one for one in told(lines) if one in {REFUSES, TAKES}] == [REFUSES, TAKES]
        assert seen(lines, "a handler failed") == 0
    assert inside.read("SELECT COUNT(*) FROM marks WHERE outcome = 'failed'") == [(0,)]
    await inside.agree()
    assert audit(inside.place).clean


@pytest.mark.parametrize("alone", [True, False])
async def test_a_refusal_that_a_handler_meets_while_it_reads_is_no_fault_of_its_own(
    inside: Inside, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    """No apology for it, with care or in hope: it is asked again."""
    command = inside.frame.routes.commands["抢"]
    if isinstance(inside.place, str):
        errors: list[Exception] = [psycopg.errors.IoError("could not read block 7") for _ in range(3)]
    else:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        errors = [error, error, error]

    def read(message: Message, turn: Turn) -> Reply:
        if errors:
            raise errors.pop()
        return Reply("好了", verbatim=True)

    monkeypatch.setitem(inside.frame.routes.commands, "抢", type(command)("read", read))
    with capture_logs() as lines:
        go = await busy(inside.writer)
        saying = asyncio.ensure_future(inside.say("群友1", "抢"))
        await asyncio.sleep(0)
        if not alone:
            inside.writer.submit(lambda _: 1 // 0, lambda *_: None)
        go()
        assert await saying == ["好了"]
    assert [one for one in told(lines) if one in {REFUSES, TAKES}] == [REFUSES, TAKES]
    assert seen(lines, "a handler failed") == 0


async def test_the_alarm_and_the_outbox_wait_as_well(tmp_path: Path) -> None:
    """A slot that falls due and the line that is being sent are there once, after the disk has room."""
    async with World(tmp_path) as world:
        group = await world.first()
        disk = Disk(world.place, world.app.database.writer)
        with capture_logs() as lines:
            moving = asyncio.ensure_future(world.to("2030-01-07T08:00"))
            disk.fill()
            posts = [asyncio.ensure_future(sign_in(group, "阿强")) for _ in range(300)]
            await until(lambda: seen(lines, REFUSES))
            disk.make_room()
            await asyncio.gather(moving, *posts)
            await world.settle()
        assert told(lines) == [REFUSES, TAKES]
        texts = await group.lines()
        assert len([line for line in texts if line.startswith("@阿强")]) == 300
        assert len(texts) == 301
        assert len(world.outcomes()) == 1
        assert {state for state, _ in world.outcomes().values()} == {"sent"}


async def test_a_stop_waits_for_no_full_disk_and_the_next_start_takes_it_up(tmp_path: Path) -> None:
    """It ends within seconds; who waits is told 503; what was confirmed is done after the restart."""
    async with World(tmp_path) as world:
        group = await world.group(members=PEOPLE)
        disk = Disk(world.place, world.app.database.writer)

        out: list[Outgoing] = []

        def full(outgoing: Outgoing) -> None:
            disk.fill()
            out.append(outgoing)

        world.between(full)
        with capture_logs() as lines:
            posts = [asyncio.ensure_future(sign_in(group, "掌柜"))]
            await until(lambda: out)
            posts += [asyncio.ensure_future(sign_in(group, who)) for who in PEOPLE for _ in range(4)]
            await until(lambda: seen(lines, REFUSES))
            began = time.monotonic()
            world.app.hurry()
            answers = await asyncio.gather(*posts)
            await world.down()
            assert time.monotonic() - began < 10
        assert set(answers) <= {202, 503}
        assert 503 in answers
        assert "Traceback" not in str(lines)
        last = "the database took nothing to the end: this much was not written"
        # The sandbox keeps what it is sent in the same database.
        assert [one for one in told(lines) if one not in {REFUSES, UNSENT, UNCOUNTED}] == [last]
        if isinstance(world.place, str):  # SQLite's fullness was that of a connection
            disk.make_room()
        await world.up()
        await world.settle()
        asked = world.sql("SELECT COUNT(*) FROM sandbox_messages WHERE text = '签到'")[0][0]
        assert asked == answers.count(202)
        # The line that was under way may have arrived, and is not said again.
        ((unknown,),) = world.sql("SELECT COUNT(*) FROM outbox WHERE state = 'unknown'")
        assert unknown <= 1
        lines_said = len([line for line in await group.lines() if "签到" in line])
        assert asked - unknown <= lines_said <= asked


@SQLITE_ALONE
async def test_a_start_on_a_database_that_takes_nothing_is_one_sentence(
    tmp_path: Path, impatient: None
) -> None:
    """The operator reads why, and the folder is free for the next try."""
    databases.blank(tmp_path)
    with held(tmp_path):
        app = App(Settings(), tmp_path, SHIPPED)
        with pytest.raises(Unusable, match="写不进去"):
            await app.start()
    app = App(Settings(), tmp_path, SHIPPED)
    await app.start()
    await app.stop()


@SQLITE_ALONE
async def test_who_asks_while_it_ends_is_answered_in_words(tmp_path: Path, impatient: None) -> None:
    """503 with a sentence, as every other fault of this face."""
    async with World(tmp_path) as world:
        group = await world.first()
        with held(tmp_path) as let_go:
            world.app.hurry()
            answer: httpx.Response = await world.http.post(
                f"/api/sandbox/groups/{group.id}/messages", json={"from": "阿强", "text": "签到"}
            )
            assert (answer.status_code, list(answer.json())) == (503, ["detail"])
            let_go()
        world.app.database.writer.take_time()
        assert "签到成功" in await group.ask("阿强", "签到")
