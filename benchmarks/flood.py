"""10,000 messages at once into one group: its lane stays bounded, and the other groups are served."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.result import Result, middle, p99
from benchmarks.stage import folder, line, open_groups, stage
from bot.app import settle
from bot.dispatch.dispatcher import FLOOD

GROUPS, MEMBERS = 20, 101
MESSAGES = 10_000
REPEATS = 3


def measure() -> Sequence[Result]:
    late = []
    for _ in range(REPEATS):
        with folder() as data:
            late.append(asyncio.run(run(data)))
    return [Result("flood_others_p99_ms", "ms", middle(late))]


async def run(data: Path) -> float:
    """The p99 of what the others' sign-ins wait for their commit while one group is flooded."""
    late: list[float] = []
    deepest = 0
    async with stage(data) as app:
        people = await open_groups(app, GROUPS, MEMBERS)

        async def flood() -> None:
            nonlocal deepest
            for number in range(MESSAGES):
                message = line(app, 0, people[0][number % MEMBERS], "我的积分", f"flood-{number}")
                assert app.dispatcher.feed(message) is not None
                deepest = max(deepest, app.dispatcher.depth)
                await app.dispatcher.breathe(message)

        flooding = asyncio.create_task(flood())
        for one in range(1, MEMBERS):
            for group in range(1, GROUPS):
                if flooding.done():
                    break
                began = time.perf_counter()
                fed = app.dispatcher.feed(line(app, group, people[group][one], "签到", "sign"))
                assert fed is not None
                assert await fed
                late.append(time.perf_counter() - began)
        await flooding
        await settle(app)
        sent = app.far_side.sent
    assert deepest <= FLOOD, deepest
    assert sent == MESSAGES + GROUPS + len(late)
    assert late
    return p99(late) * 1000
