"""How long a message waits at most while 1,000 activities and 100 calendars are read again.

One member of one group asks for the points, again and again; meanwhile a file changes, then all of them, then
one has a fault, so that all are read twice. The number is the longest of all answers, to the commit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.result import Result, middle
from benchmarks.stage import Stage, folder, open_groups, say, stage
from bot.model import Person

ACTIVITIES, CALENDARS, SLOTS = 1000, 100, 10
REPEATS = 3
ACTIVITY = """title: 问答 {number}
goal: 周二、周四晚暖场，一小时内收
kind: quiz
game: choice
questions: {{from: sums, pick: 5}}
round: {{open: 3m, gap: 10s}}
winners: {{first: 3}}
reward: {{winners: [10, 6, 3], everyone: 1}}
posts:
  opening: "今晚共 {{rounds}} 题，直接回复选项。"
  closing: "今晚 {{players}} 人参加，积分榜见「积分榜」。"
"""
QUESTION = '  - {{ask: "{number} 加一是几", options: ["1", "2", "3", "4"], answer: B}}\n'
SLOT = '  - {{id: s{slot}, at: "{hour:02}:{minute:02}", on: mon-fri, do: a{activity}, late: 15m}}\n'


def measure() -> Sequence[Result]:
    longest = [asyncio.run(lap()) for _ in range(REPEATS)]
    return [Result("reload_hold_ms", "ms", middle(longest), "≤ 100")]


async def lap() -> float:
    """The longest answer in milliseconds."""
    with folder() as data:
        root = library(data / "library")
        async with stage(data, library=root) as app:
            ((asker, *_),) = await open_groups(app, 1, 2)
            took: list[float] = []
            asking = asyncio.create_task(ask(app, asker, took))
            first = root / "activities/a0.yaml"
            for files, old, new in (
                ([first], "暖场", "热身"),
                (sorted((root / "calendars").iterdir()), "late: 15m", "late: 16m"),
                ([first], "goal", "gaol"),
            ):
                for file in files:
                    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
                assert await app.librarian.check() is not None
            assert len(app.library.faults) == 2  # the activity's, and that of the slot that it is for
            asking.cancel()
            return max(took) * 1000


async def ask(app: Stage, asker: Person, took: list[float]) -> None:
    """Ask, and ask again a little later, until this is cancelled."""
    while True:
        began = time.perf_counter()
        await say(app, 0, asker, "我的积分", f"q{len(took)}")
        took.append(time.perf_counter() - began)
        await asyncio.sleep(0.005)


def library(root: Path) -> Path:
    """A large library without faults."""
    for name in ("activities", "calendars", "questions", "texts"):
        (root / name).mkdir(parents=True)
    questions = "".join(QUESTION.format(number=number) for number in range(20))
    (root / "questions/sums.yaml").write_text(f"title: 加法\ngame: choice\nquestions:\n{questions}", "utf-8")
    for number in range(ACTIVITIES):
        (root / f"activities/a{number}.yaml").write_text(ACTIVITY.format(number=number), "utf-8")
    for number in range(CALENDARS):
        slots = "".join(
            SLOT.format(slot=slot, hour=8 + slot, minute=number % 60, activity=number * SLOTS + slot)
            for slot in range(SLOTS)
        )
        text = f"title: 日历 {number}\naudience: {{tags: [标签 {number}]}}\nslots:\n{slots}"
        (root / f"calendars/c{number}.yaml").write_text(text, "utf-8")
    return root
