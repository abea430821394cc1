"""What people say among themselves costs almost nothing: a message that no handler answers.

200 groups of known members, a quiz round open in half of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from random import Random

from benchmarks.result import Result, middle
from benchmarks.stage import folder, line, open_groups, say, stage
from benchmarks.stream import CHATTER
from bot.app import settle
from bot.model import Message

GROUPS, MEMBERS = 200, 7
MESSAGES = 20_000
REPEATS = 9


def measure() -> Sequence[Result]:
    with folder() as data:
        return [Result("chatter_us", "µs", middle(asyncio.run(run(data))), "≤ 5")]


async def run(data: Path) -> list[float]:
    async with stage(data) as app:
        people = await open_groups(app, GROUPS, MEMBERS)
        for group in range(0, GROUPS, 2):
            await say(app, group, people[group][0], "开始 理财小问答", "quiz", to_bot=True)
        await settle(app)
        chance, taken = Random(7), []
        for repeat in range(REPEATS):
            # Each text is an object of its own, as it comes from a platform.
            messages: list[Message] = [
                line(app, group, chance.choice(people[group]), text[:1] + text[1:], f"{repeat}-{number}")
                for number, (group, text) in enumerate(
                    islice(zip(cycle(range(GROUPS)), cycle(CHATTER), strict=False), MESSAGES)
                )
            ]
            feed = app.dispatcher.feed
            began = time.perf_counter()
            queued = [message for message in messages if feed(message) is not None]
            taken.append((time.perf_counter() - began) / len(messages) * 1e6)
            assert not queued, queued[0].text
    return taken
