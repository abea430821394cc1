"""Thirty days of fifty groups in virtual time: what is kept in memory must not grow with the days.

Both calendars run; members sign in, talk, answer quizzes, grab and give packets, come and go. After each
day the memory is measured, and at the end the books are audited. `python -m benchmarks soak` takes a few
minutes; the database grows meanwhile, which is what it is for.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

import structlog

from benchmarks.idle import resident_mb
from benchmarks.result import Result
from benchmarks.stage import ROOT, folder
from bot.adapters.sandbox.adapter import Sandbox
from bot.app import App, settle
from bot.clock import as_datetime, as_moment
from bot.config import Pace, Settings
from bot.model import DAY, MINUTE
from bot.schedule.moving import Mover
from storage.audit import audit

DAYS, GROUPS, MEMBERS = 30, 50, 12
WARM_UP = 12  # days, after which all there is has been there, and SQLite has filled its caches
TAGS = ("理财", "福利")
TALK = ("早啊", "今天的菜真新鲜", "哈哈哈", "A和B有什么区别", "几点开始？", "收到")


@dataclass
class Soaked:
    """What was measured at the end of each day: MB of the process, and blocks that Python holds."""

    resident: list[float] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)
    said: int = 0
    sent: int = 0
    seconds: float = 0.0

    def growth(self, warm_up: int) -> tuple[float, int]:
        """How much more it was on the last day than after the warm-up of so many days."""
        return self.resident[-1] - self.resident[warm_up - 1], self.blocks[-1] - self.blocks[warm_up - 1]


def measure() -> Sequence[Result]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))

    def tell(soaked: Soaked) -> None:
        day = len(soaked.resident)
        print(f"day {day}: {soaked.resident[-1]:.1f} MB, {soaked.blocks[-1]} blocks", flush=True)

    with folder() as data:
        soaked = asyncio.run(soak(data, DAYS, GROUPS, tell))
    grown, blocks = soaked.growth(WARM_UP)
    print(f"{soaked.said} lines said, {soaked.sent} sent, {soaked.seconds:.0f} s")
    return [
        Result("soak_grown_mb", "MB", round(grown, 1), "≤ 3"),
        Result("soak_grown_blocks", "blocks", blocks, "≤ 20000"),
    ]


async def soak(
    data: Path, days: int, groups: int, tell: Callable[[Soaked], object] = lambda _: None
) -> Soaked:
    """Let the days go by, from a Monday on. Raises AssertionError when the books are not right in the end."""
    soaked = Soaked()
    began = time.perf_counter()
    app = App(Settings(pace=Pace()), data, ROOT / "sop_library", chance=Random(1))
    await app.start()
    try:
        assert app.mover is not None
        assert app.sandbox is not None
        monday = six_on_monday(app.clock.now())
        await app.mover.move(monday)
        crowds = [await Crowd.gather(app.sandbox, number) for number in range(groups)]
        for day in range(days):
            await live(app, app.mover, crowds, monday + day * DAY)
            gc.collect()
            soaked.resident.append(resident_mb(os.getpid()))
            soaked.blocks.append(sys.getallocatedblocks())
            soaked.said = sum(crowd.said for crowd in crowds)
            tell(soaked)
        await settle(app)
    finally:
        await app.stop()
    soaked.seconds = time.perf_counter() - began
    report = audit(data)
    assert report.clean, report.faults
    assert report.parked == []
    soaked.sent = report.counts["messages"]
    return soaked


def six_on_monday(now: int) -> int:
    """Six in the morning of the next Monday in Shanghai, which is ten in the evening of a Sunday."""
    today = as_datetime(now).replace(hour=22, minute=0, second=0, microsecond=0)
    return as_moment(today + timedelta(days=(6 - today.weekday()) % 7 or 7))


async def live(app: App, mover: Mover, crowds: Sequence[Crowd], six: int) -> None:
    """One day, from six in the morning to the next."""
    hours = {
        8.6: Crowd.morning,
        12.3: Crowd.noon,
        15.0: Crowd.afternoon,
        20.1: Crowd.evening,
        20.15: Crowd.evening,
        20.55: Crowd.evening,
        22.5: Crowd.night,
    }
    for hour, act in hours.items():
        await mover.move(six + int((hour - 6) * 60) * MINUTE)
        await asyncio.gather(*(act(crowd) for crowd in crowds))
        await settle(app)
    await mover.move(six + DAY)


class Crowd:
    """The people of one group."""

    def __init__(self, sandbox: Sandbox, group: str, number: int) -> None:
        self._sandbox = sandbox
        self._group = group
        self._chance = Random(number)
        self._days = 0
        self.said = 0

    @classmethod
    async def gather(cls, sandbox: Sandbox, number: int) -> Crowd:
        names = [f"群友{one}" for one in range(MEMBERS)]
        group = await sandbox.add_group(f"群{number}", "掌柜", names)
        crowd = cls(sandbox, group.id, number)
        await crowd.say("掌柜", f"开张 {TAGS[number % 2]}")
        if number % 5 == 0:
            await crowd.say("掌柜", "暗号 芝麻开门")
        return crowd

    async def say(self, who: str, text: str) -> None:
        self.said += 1
        await self._sandbox.say(self._group, who, text)

    async def morning(self) -> None:
        """Most sign in, some twice, and somebody new comes while another goes."""
        for who in self._some(9):
            await self.say(who, self._chance.choice(("签到", "打卡", "签到")))
        self._days += 1
        new = f"新人{self._days}"
        await self._sandbox.join(self._group, new)
        await self.say(new, "芝麻开门")
        await self.say(new, "签到")
        if self._days > 1:
            await self._sandbox.leave(self._group, f"新人{self._days - 1}")

    async def noon(self) -> None:
        await self._talk()
        for who in self._some(2):
            await self.say(who, self._chance.choice(("我的积分", "积分榜", "帮助", "@小二 你好")))
        who = self._chance.choice(self._people())
        member = self._sandbox.member(self._group, who)
        await self._sandbox.say_privately(member.id, self._chance.choice(("我的积分", "你好")))
        await self.say("掌柜", f"发红包 {self._chance.randint(10, 30)} 5")
        for who in self._some(self._chance.randint(3, 7)):
            await self.say(who, "抢")

    async def afternoon(self) -> None:
        await self._talk()
        await self.say("掌柜", self._chance.choice(("今日安排", "群规", "群规 不吵架", "@小二 暂停")))
        await self.say("掌柜", "@小二 继续")

    async def evening(self) -> None:
        """Whatever goes on: grab, or answer."""
        for who in self._some(6):
            await self.say(who, self._chance.choice(("抢", "A", "B", "C", "D")))

    async def night(self) -> None:
        await self._talk()
        for who in self._some(2):
            await self.say(who, "签到")

    async def _talk(self) -> None:
        for who in self._some(5):
            await self.say(who, self._chance.choice(TALK))

    def _people(self) -> list[str]:
        return [member.name for member in self._sandbox.group(self._group).members if member.role != "owner"]

    def _some(self, many: int) -> list[str]:
        return self._chance.sample(self._people(), many)
