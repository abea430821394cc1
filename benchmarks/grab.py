"""抢红包: 200 members race for 50 shares, 100 packets; winners a second until the last of them is told.

One after the other in one group, and all at once in a hundred. The 150 of each packet who come too late
are answered as well; the clock does not wait for the last of those. Afterwards every packet has exactly
50 winners, and the books are even.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random

from benchmarks.result import Result, middle
from benchmarks.stage import FILE, Nowhere, Stage, folder, line, open_groups, say, stage
from benchmarks.stream import BURST
from bot.adapters.sandbox.adapter import ACCOUNT
from bot.app import settle
from bot.config import Settings
from bot.model import Message, Outgoing, Person, Say
from storage.audit import audit

PACKETS, MEMBERS, SHARES = 100, 200, 50
REPEATS = 3


def measure() -> Sequence[Result]:
    in_one: list[float] = []
    in_many: list[float] = []
    for _ in range(REPEATS):
        for groups, rates in ((1, in_one), (PACKETS, in_many)):
            with folder() as data:
                rates.append(asyncio.run(run(data, groups, PACKETS // groups)))
    return [
        Result("grab_per_s", "1/s", middle(in_many, 0), "≥ 5000"),
        Result("grab_one_group_per_s", "1/s", middle(in_one, 0)),
    ]


class Winners(Nowhere):
    """Counts who is told that they got something."""

    def __init__(self) -> None:
        super().__init__()
        self.told = 0
        self._wanted = 0
        self._all = asyncio.Event()

    async def send(self, outgoing: Outgoing) -> None:
        await super().send(outgoing)
        if isinstance(outgoing, Say) and outgoing.text.startswith("抢到"):
            self.told += 1
            if self.told == self._wanted:
                self._all.set()

    async def reached(self) -> None:
        """Wait until all that are expected have been told."""
        await asyncio.wait_for(self._all.wait(), 60)
        self._all.clear()

    def expect(self, many: int) -> None:
        self._wanted = self.told + many


async def race(app: Stage, winners: Winners, work: Sequence[Message], shares: int) -> float:
    """Seconds until so many have been told that they got a share."""
    winners.expect(shares)
    began = time.perf_counter()
    for start in range(0, len(work), BURST):
        for message in work[start : start + BURST]:
            assert app.dispatcher.feed(message) is not None
        await asyncio.sleep(0)
    await winners.reached()
    return time.perf_counter() - began


async def run(data: Path, groups: int, packets: int) -> float:
    """Winners a second, with so many packets one after the other in each group."""
    taken = 0.0
    async with stage(data, Settings(sandbox=False, treasury=1_000_000)) as app:
        app.far_side = app._adapters[ACCOUNT] = winners = Winners()
        people = await open_groups(app, groups, MEMBERS)
        chance = Random(3)
        for number in range(packets):
            for group in range(groups):
                # The same order again within 5 seconds would be refused.
                await say(
                    app, group, people[group][0], f"发红包 {SHARES * 4 + number} {SHARES}", f"give-{number}"
                )
            await settle(app)
            work = grabs(app, people, f"grab-{number}", chance)
            taken += await race(app, winners, work, SHARES * groups)
            await settle(app)
        # 开张 and each packet are announced, and everybody is answered.
        assert winners.told == groups * packets * SHARES
        assert winners.sent == groups * (1 + packets * (MEMBERS + 1))
    check(data, groups * packets)
    return groups * packets * SHARES / taken


def grabs(app: Stage, people: list[list[Person]], key: str, chance: Random) -> list[Message]:
    """Everybody in every group, in any order."""
    work = [line(app, group, one, "抢", key) for group, members in enumerate(people) for one in members]
    chance.shuffle(work)
    return work


def check(data: Path, packets: int) -> None:
    """Each packet is gone to exactly 50, and the audit finds every share paid once and every sum exact."""
    report = audit(data)
    assert report.clean, report.faults
    with closing(sqlite3.connect(data / FILE)) as connection:
        rows = connection.execute(
            "SELECT k.state, COUNT(DISTINCT s.member_id), SUM(s.points) - k.points, COUNT(*)"
            " FROM packets k JOIN shares s ON s.packet_id = k.id GROUP BY k.id"
        ).fetchall()
    assert rows == [("done", SHARES, 0, SHARES)] * packets, rows
