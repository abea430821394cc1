"""kill -9 at random moments under load: nothing that was confirmed is lost, and nothing is done twice."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

import httpx
import pytest

from storage.audit import audit
from storage.place import Place
from tests import databases
from tests.crash.books import Books
from tests.crash.crowd import Crowd, Memory
from tests.crash.life import Life, as_the_kill_left_it, command, living

pytestmark = [pytest.mark.crash, pytest.mark.usefixtures("database", "tidy")]

# How often it is killed once more, while it starts.
WHILE_STARTING = 0.1
# A slow machine goes on killing up to so many times as often, until all of REACHED is reached.
LONGEST = 3
# Every way in which something is confirmed must have happened, or the test shows nothing.
REACHED = {
    "sign_ins": "SELECT COUNT(*) FROM sign_ins",
    "shares": "SELECT COUNT(*) FROM shares WHERE member_id > 0",
    "packets of members": "SELECT COUNT(*) FROM packets WHERE giver > 0",
    "packets taken back": "SELECT COUNT(*) FROM packets WHERE state = 'withdrawn'",
    "admissions": "SELECT COUNT(*) FROM admissions",
    "answers": "SELECT COUNT(*) FROM answers",
    "rounds": "SELECT COUNT(*) FROM rounds WHERE closed_at > 0",
    "rules": "SELECT COUNT(*) FROM groups WHERE rules_version > 0",
    "pauses": "SELECT COUNT(*) FROM outbox WHERE body LIKE '%\"calendar.resumed\"%'",
    "slots": "SELECT COUNT(*) FROM occurrences WHERE state IN ('sent', 'late')",
}


async def test_nothing_confirmed_is_lost_when_it_is_killed_under_load(
    tmp_path: Path, config: Path, crashes: int, chance: Random
) -> None:
    data, memory = databases.empty(tmp_path / "data"), Memory()
    books = Books(data)
    unknown: set[int] = set()
    sending: set[int] = set()
    number, last = -1, False
    while not last:
        number += 1
        last = number >= crashes and (all(reached(books, memory).values()) or number >= LONGEST * crashes)
        logs = [tmp_path / f"log-{number}.txt"]
        if number and chance.random() < WHILE_STARTING:
            logs.append(tmp_path / f"log-{number}-killed.txt")
            await killed_while_it_starts(data, config, logs[1], chance.uniform(0.4, 1.6))
            sending |= await as_the_kill_left_it(data, tmp_path / "aside")
        async with (
            living(data, config, logs[0]) as life,
            Crowd(await life.ready(), memory, chance) as crowd,
        ):
            if not number:
                await crowd.gather()
            else:
                await books.settled(memory)
                sent = books.sent()
                books.check(memory, await crowd.look_around(), sent)
                reported(books, sending, [log.read_text("utf-8") for log in logs])
                unknown |= sending
            if not last:
                await under_load(crowd, life, chance)
                sending = await as_the_kill_left_it(data, tmp_path / "aside")
            else:
                assert await life.stop() == 0, life.log

    code, said = await command(data, "db", "audit", "--json")
    assert code == 0, said
    assert unknown <= {one["id"] for one in json.loads(said)["unknown"]}
    assert books.rows("SELECT id, state FROM outbox WHERE state IN ('planned', 'sending')") == []
    found = reached(books, memory)
    print(f"{len(memory.said)} said, {found}, unknown {len(unknown)}, killed {number} times")  # noqa: T201
    assert all(found.values()), found


async def test_the_first_start_is_done_over_when_it_is_killed(
    tmp_path: Path, config: Path, crashes: int, chance: Random
) -> None:
    """The tables are made whole or not at all, and the newcomer's group is there and 开张."""
    for number in range(max(1, crashes // 10)):
        data = databases.empty(tmp_path / f"data-{number}")
        await killed_while_it_starts(data, config, tmp_path / "log.txt", chance.uniform(0.4, 2.0))
        async with living(data, config, tmp_path / "log-again.txt") as life:
            async with httpx.AsyncClient(base_url=await life.ready(), timeout=30) as http:
                groups = (await http.get("/api/sandbox/groups")).json()
            assert [group["tags"] for group in groups] == [["理财"]], groups
            assert await life.stop() == 0, life.log
        report = audit(data)
        assert report.clean, report.faults


def reached(books: Books, memory: Memory) -> dict[str, int]:
    """How often something was confirmed in each way."""
    return {name: books.rows(sql)[0][0] for name, sql in REACHED.items()} | {"clock": memory.moves}


async def under_load(crowd: Crowd, life: Life, chance: Random) -> None:
    """Let everybody do what they do, and kill the process at a random moment."""
    storm = asyncio.create_task(crowd.storm())
    # The random moment of the kill: there is nothing to wait for.
    await asyncio.sleep(chance.uniform(0.2, 1.4))
    await life.kill()
    await asyncio.wait_for(storm, 60)


async def killed_while_it_starts(data: Place, config: Path, log: Path, seconds: float) -> None:
    async with living(data, config, log) as life:
        # The random moment of the kill: there is nothing to wait for.
        await asyncio.sleep(seconds)
        await life.kill()


def reported(books: Books, sending: set[int], logs: Sequence[str]) -> None:
    """What was being sent is unknown, in the database and in the log."""
    states = dict(books.rows("SELECT id, state FROM outbox WHERE state <> 'sent'"))
    assert {states.get(row) for row in sending} <= {"unknown"}
    told = [
        int(row) for log in logs for row in re.findall(r"unknown whether this was sent.*?\brow=(\d+)", log)
    ]
    assert set(told) == sending
    assert "Traceback" not in "".join(logs), logs
