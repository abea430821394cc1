"""Ten thousand messages at once in one group: none is dropped, and the other groups hardly notice."""

from __future__ import annotations

import asyncio
import tracemalloc
from pathlib import Path

import pytest

from bot.adapters.sandbox.adapter import AT_ONCE
from bot.dispatch.dispatcher import FLOOD
from storage.writer import BATCH
from tests.harness import Inside, World, said

MANY = 10_000
MEGABYTE = 1_000_000
PEOPLE = [f"p{n}" for n in range(100)]


@pytest.fixture(autouse=True)
def _on_both(database: str, tidy: None) -> None:
    """See tests/conftest.py."""


async def test_a_flood_that_an_adapter_reads_is_bounded_and_holds_up_nobody(tmp_path: Path) -> None:
    """Each is answered; a neighbour waits behind one lane at most; memory does not grow with the flood."""
    async with Inside(tmp_path, people=["owner", *PEOPLE]) as inside:
        await inside.feed(inside.roster("other"))
        for chat in ("g", "other"):
            await inside.say("owner", "开张", chat=chat)
        rows = inside.downstream.rows
        rows.clear()
        deepest = 0

        async def flood() -> None:
            nonlocal deepest
            for number in range(MANY):
                message = inside.message(PEOPLE[number % 100], "我的积分")
                assert inside.dispatcher.feed(message) is not None
                deepest = max(deepest, inside.dispatcher.depth)
                await inside.dispatcher.breathe(message)
                if number == MANY * 9 // 10:
                    tracemalloc.start()

        flooding = asyncio.create_task(flood())
        behind = []
        for who in PEOPLE:
            before = len(rows)
            await inside.feed(inside.message(who, "签到", chat="other"))
            (line,) = [said(row) for row in rows[before:] if row.chat == "other"]
            assert "签到成功" in line
            behind.append(len(rows) - before)
        await flooding
        while not inside.dispatcher.idle:
            await asyncio.sleep(0)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert deepest <= FLOOD
        assert max(behind) <= FLOOD + 2 * BATCH
        # The last thousand messages, and the rows of their answers that this test keeps.
        assert peak < 10 * MEGABYTE
        assert len([row for row in rows if row.chat == "g"]) == MANY
        await inside.agree()


async def test_a_flood_through_the_sandbox_is_answered_line_by_line(tmp_path: Path, database: str) -> None:
    """All that is posted at once is kept and answered in order; a neighbour waits for a part of it."""
    many = MANY // (4 if database == "sqlite" else 10)
    async with World(tmp_path) as world:
        flooded = await world.group("洪水", members=PEOPLE)
        other = await world.group("邻居", members=PEOPLE)
        sandbox = world.app.sandbox
        assert sandbox is not None
        posts = [
            asyncio.ensure_future(sandbox.say(flooded.id, PEOPLE[n % 100], "我的积分")) for n in range(many)
        ]
        await asyncio.sleep(0)  # all of them are under way
        for who in PEOPLE[:5]:
            await sandbox.say(other.id, who, "签到", handled=True)
        ((before,),) = world.sql(
            "SELECT COUNT(*) FROM sandbox_messages WHERE chat = ? AND sender <> 'bot' AND seq <"
            " (SELECT MIN(seq) FROM sandbox_messages WHERE chat = ? AND text = '签到')",
            flooded.id,
            other.id,
        )
        assert before <= 2 * AT_ONCE
        await asyncio.gather(*posts)
        await world.settle()
        names = [line.partition(" ")[0] for line in await flooded.lines()]
        assert names == [f"@{PEOPLE[n % 100]}" for n in range(many)]
        assert len([line for line in await other.lines() if "签到成功" in line]) == 5
