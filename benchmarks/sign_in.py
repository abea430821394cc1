"""签到, durable and answered: 64 callers, each waiting for its commit before the next.

Mark, sign-in, both postings and the reply's row in one transaction, then its send marks; SQLite with
synchronous=FULL on a real disk. The time ends when the last reply is marked as sent, and the books are
checked after every run. Beside it the same work, on the same tables and as durable, as it is usually
written (by_orm.py) and as fast as it goes (by_hand.py).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path

from benchmarks import by_hand, by_orm
from benchmarks.result import Result, middle, p99
from benchmarks.stage import FILE, Stage, folder, line, open_groups, stage
from bot.app import settle
from bot.model import Message
from storage.audit import audit

SIGN_INS = 20_480
BY_ORM = 640  # over as many as the others it would take a minute
ORM = "async ORM, a session a message"
CALLERS = 64
REPEATS = 3


def measure() -> Sequence[Result]:
    fsyncs: list[float] = []
    runs: dict[int, list[tuple[float, float]]] = {64: [], 1: []}
    theirs: list[float] = []
    raw: list[float] = []
    skipped: dict[str, str] = {}
    for _ in range(REPEATS):
        for groups, measured in runs.items():
            with folder() as data:
                fsyncs.append(fsync_ms(data))
                measured.append(asyncio.run(run(data, groups)))
        raw.append(peer(hand, SIGN_INS))
        try:
            theirs.append(peer(orm, BY_ORM))
        except ModuleNotFoundError as error:
            skipped[ORM] = str(error)
    many, one = runs[64], runs[1]
    ours = middle([rate for rate, _ in many], 0)
    peers = {"raw sqlite3 by hand": middle(raw, 0)}
    wanted = 5000.0
    if theirs:
        peers[ORM] = middle(theirs, 0)
        wanted = max(wanted, 10 * peers[ORM])
    return [
        Result("sign_in_per_s", "1/s", ours, f"≥ {wanted:g}", peers, skipped),
        Result("sign_in_p99_ms", "ms", middle([late for _, late in many]), "≤ 40"),
        Result("sign_in_one_group_per_s", "1/s", middle([rate for rate, _ in one], 0), "≥ 5000"),
        Result("sign_in_one_group_p99_ms", "ms", middle([late for _, late in one]), "≤ 40"),
        Result("fsync_ms", "ms", middle(fsyncs, 3)),
    ]


async def run(data: Path, groups: int) -> tuple[float, float]:
    """Sign-ins a second until all are answered, and the p99 from feed to commit in milliseconds."""
    each = SIGN_INS // groups
    async with stage(data) as app:
        work = await prepare(app, groups, each)
        began = time.perf_counter()
        late = await call(app, work)
        await settle(app)
        rate = len(work) / (time.perf_counter() - began)
    check(data, len(work), groups)
    return rate, p99(late) * 1000


async def prepare(app: Stage, groups: int, each: int) -> list[Message]:
    """Open the groups; the answer is everybody's sign-in.

    Round by round over the groups, so that at any moment the callers are in different ones.
    """
    people = await open_groups(app, groups, each)
    return [
        line(app, group, people[group][one], "签到", "sign") for one in range(each) for group in range(groups)
    ]


Way = Callable[[Path, Sequence[Message]], Awaitable[None]]


def peer(way: Way, sign_ins: int) -> float:
    """Sign-ins a second in another way, on the same tables in the same 64 groups."""

    async def race(data: Path) -> float:
        async with stage(data) as app:
            work = await prepare(app, 64, sign_ins // 64)
        began = time.perf_counter()
        await way(data, work)
        return len(work) / (time.perf_counter() - began)

    with folder() as data:
        rate = asyncio.run(race(data))
        check(data, sign_ins, 64)
    return rate


async def hand(data: Path, work: Sequence[Message]) -> None:
    await by_hand.sign_ins(data / FILE, work, CALLERS)


async def orm(data: Path, work: Sequence[Message]) -> None:
    await by_orm.sign_ins(by_orm.on_sqlite(data / FILE), work, CALLERS)


async def call(app: Stage, work: Sequence[Message]) -> list[float]:
    """Feed all from so many callers; how long each waited for its commit is the answer."""
    waiting, late = iter(work), []

    async def caller() -> None:
        for message in waiting:
            began = time.perf_counter()
            fed = app.dispatcher.feed(message)
            assert fed is not None
            assert await fed
            late.append(time.perf_counter() - began)
            await app.dispatcher.breathe(message)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return late


def check(data: Path, sign_ins: int, groups: int) -> None:
    """Everybody once, every reply sent, the books even."""
    report = audit(data)
    assert report.clean, report.faults
    assert not report.unknown
    assert report.counts["sign_ins"] == sign_ins
    assert report.counts["postings"] == 2 * (sign_ins + groups)
    with closing(sqlite3.connect(data / FILE)) as connection:
        states = connection.execute("SELECT state, COUNT(*) FROM outbox GROUP BY state").fetchall()
        marks = connection.execute("SELECT COUNT(*) FROM marks").fetchone()
    assert states == [("sent", sign_ins + groups)], states
    assert marks == (sign_ins + groups,), marks


def fsync_ms(where: Path) -> float:
    """What the disk itself takes for 4 KB to be safe; the median of 200."""
    taken = []
    with (where / "fsync").open("wb", buffering=0) as file:
        for _ in range(200):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    return middle(taken, 4)
