"""抢红包: 200 members race for 50 shares, 100 packets; winners a second.

One after the other in one group, and all at once in a hundred. Who won is decided when it is committed,
and a little later they are told: both are measured, to the last of the winners. The 150 of each packet
who come too late are answered as well. Afterwards every packet has exactly 50 winners, and the books
are even.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
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
    in_one: list[tuple[float, float]] = []
    in_many: list[tuple[float, float]] = []
    for _ in range(REPEATS):
        for groups, rates in ((1, in_one), (PACKETS, in_many)):
            with folder() as data:
                rates.append(asyncio.run(run(data, groups, PACKETS // groups)))
    return [
        Result("grab_per_s", "1/s", middle([decided for decided, _ in in_many], 0), "≥ 5000"),
        Result("grab_told_per_s", "1/s", middle([told for _, told in in_many], 0)),
        Result("grab_one_group_per_s", "1/s", middle([decided for decided, _ in in_one], 0)),
        Result("grab_one_group_told_per_s", "1/s", middle([told for _, told in in_one], 0)),
    ]


class Winners(Nowhere):
    """Knows who was told that they got something, and when the last of them was."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str]] = []
        self.last = 0.0

    async def send(self, outgoing: Outgoing) -> None:
        await super().send(outgoing)
        if isinstance(outgoing, Say) and outgoing.text.startswith("抢到"):
            self.told.append((outgoing.chat, outgoing.mentions[0].id))
            self.last = time.perf_counter()


async def race(app: Stage, work: Sequence[Message], shares: int) -> tuple[float, float]:
    """Seconds until all winners were decided, and until all were told."""
    app.far_side = app._adapters[ACCOUNT] = winners = Winners()
    decided: dict[tuple[str, str], float] = {}

    def note(one: tuple[str, str], _: object) -> None:
        decided[one] = time.perf_counter()

    began = time.perf_counter()
    for start in range(0, len(work), BURST):
        for message in work[start : start + BURST]:
            fed = app.dispatcher.feed(message)
            assert fed is not None
            fed.add_done_callback(partial(note, (message.chat, message.sender.id)))
        await asyncio.sleep(0)
    await settle(app)
    assert winners.sent == len(decided) == len(work)
    assert len(set(winners.told)) == len(winners.told) == shares
    return max(decided[one] for one in winners.told) - began, winners.last - began


async def run(data: Path, groups: int, packets: int) -> tuple[float, float]:
    """Winners decided and winners told a second, with so many packets one after the other in each group."""
    decided = told = 0.0
    async with stage(data, Settings(sandbox=False, treasury=1_000_000)) as app:
        people = await open_groups(app, groups, MEMBERS)
        chance = Random(3)
        for number in range(packets):
            # The same order again within 5 seconds would be refused.
            order = f"发红包 {SHARES * 4 + number} {SHARES}"
            for group in range(groups):
                await say(app, group, people[group][0], order, f"give-{number}")
            await settle(app)
            taken = await race(app, grabs(app, people, f"grab-{number}", chance), SHARES * groups)
            decided, told = decided + taken[0], told + taken[1]
    check(data, groups * packets)
    shares = groups * packets * SHARES
    return shares / decided, shares / told


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
