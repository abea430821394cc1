"""One slot of the calendar falls due in 10,000 groups: planned, claimed, and in the outbox, durably.

The clock is moved to the moment, and the time ends when the last group's message is committed; sending
them is the outbox's business, at its pace. Beside it 10,000 APScheduler jobs that are due at the same
second, each of which claims its occurrence and writes its message in a transaction of its own.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import create_engine, insert

from benchmarks.by_orm import durable
from benchmarks.filling import fill
from benchmarks.result import Result, middle
from benchmarks.stage import FILE, folder, stage
from bot.adapters.sandbox.adapter import ACCOUNT
from bot.clock import MovableClock
from bot.config import Pace, Settings
from bot.sop.shelf import FOLDERS
from storage.audit import audit
from storage.tables import occurrences, outbox

GROUPS = 10_000
REPEATS = 3
# No group has it but those that the slot is for.
TAG = "晚上"
POST = "八点了，今天的题目来了，大家准备好。"
CALENDAR = """title: 一天一条
audience: {{tags: [{tag}]}}
slots:
  - {{id: evening, at: "20:00", post: "{post}", late: {late}m}}
"""

Way = Callable[[Path], Coroutine[Any, Any, float]]


def measure() -> Sequence[Result]:
    ours: list[float] = []
    peer: list[float] = []
    for _ in range(REPEATS):
        ours.append(lap(run))
        peer.append(lap(by_scheduler))
    wanted = f"≤ {middle(peer) / 5:.2f}"
    return [Result("slot_10k_s", "s", middle(ours), wanted, {"APScheduler": middle(peer)})]


def lap(way: Way) -> float:
    """Seconds in one way, on a database of its own, which afterwards holds what it should."""
    with folder() as data:
        fill(data, GROUPS, 1, days=0, now=time.time_ns() // 1000, tag=TAG)
        took = asyncio.run(way(data))
        check(data, GROUPS)
    return took


def check(data: Path, groups: int) -> None:
    """So many groups were addressed, once each."""
    with closing(sqlite3.connect(data / FILE)) as connection:
        done = connection.execute(
            "SELECT COUNT(DISTINCT c.group_id), COUNT(*)"
            " FROM occurrences c JOIN outbox o ON o.occurrence = c.id"
        ).fetchone()
    assert done == (groups, groups), done
    assert audit(data).clean


async def run(data: Path) -> float:
    library = evening(data)
    # Paced, as an account is: else the sending would be measured too.
    async with stage(data, Settings(sandbox=True, pace=Pace()), library) as app:
        assert isinstance(app.clock, MovableClock)
        due = await app.alarm.next_due()
        began = time.perf_counter()
        app.clock.set(due)
        await app.alarm.ring()
        return time.perf_counter() - began


def evening(data: Path, late: int = 10) -> Path:
    """A library that holds one calendar with one slot, which may be so many minutes late."""
    library = data / "library"
    for name in FOLDERS:
        (library / name).mkdir(parents=True)
    (library / "calendars" / "evening.yaml").write_text(
        CALENDAR.format(tag=TAG, post=POST, late=late), "utf-8"
    )
    return library


async def by_scheduler(data: Path) -> float:
    """A date job for each group, a plain function, all due when the scheduler goes on."""
    made = durable(create_engine(f"sqlite:///{data / FILE}"))
    now = time.time_ns() // 1000
    body = json.dumps({"text": POST, "values": {}}, ensure_ascii=False)

    def job(group: int) -> None:
        with made.begin() as connection:
            claimed = connection.execute(
                insert(occurrences).values(
                    slot="evening",
                    group_id=group,
                    local="2026-01-05T20:00",
                    due=now,
                    late=0,
                    what="post",
                    state="claimed",
                )
            ).inserted_primary_key
            assert claimed is not None
            connection.execute(
                insert(outbox).values(
                    account=ACCOUNT,
                    chat=f"g{group}",
                    kind="say",
                    body=body,
                    state="planned",
                    at=now,
                    occurrence=claimed[0],
                )
            )

    left, done = GROUPS, asyncio.Event()

    def heard(event: object) -> None:
        nonlocal left
        assert not getattr(event, "exception", None), event
        left -= 1
        if not left:
            done.set()

    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.add_listener(heard, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    scheduler.start(paused=True)
    for group in range(1, GROUPS + 1):
        scheduler.add_job(job, "date", run_date=datetime.now(UTC), args=[group], misfire_grace_time=None)
    began = time.perf_counter()
    scheduler.resume()
    await asyncio.wait_for(done.wait(), 120)
    took = time.perf_counter() - began
    scheduler.shutdown(wait=False)
    made.dispose()
    return took
