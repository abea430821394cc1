"""Days of many groups in virtual time: what is kept in memory does not grow with them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.soak import soak
from bot.model import DAY, HOUR
from storage import marks
from storage.place import FILE
from tests.harness import World

DAYS, WARM_UP, GROUPS = 4, 2, 10


async def test_memory_does_not_grow_with_the_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short soak; `python -m benchmarks soak` is the long one. Not one block for each line said stays.

    What is remembered of the last thousands of messages is full before the days are counted.
    """
    monkeypatch.setattr(marks, "MANY", 100)
    said: list[int] = []
    soaked = await soak(tmp_path, DAYS, GROUPS, lambda so_far: said.append(so_far.said))
    _, blocks = soaked.growth(WARM_UP)
    lines = said[-1] - said[WARM_UP - 1]
    assert lines > 50 * GROUPS
    assert blocks < lines
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        states = dict(connection.execute("SELECT state, COUNT(*) FROM occurrences GROUP BY state"))
        happened = {
            table: connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
            for table in ("sign_ins", "answers", "packets", "quizzes", "admissions")
        }
    assert set(states) <= {"sent", "late"}
    assert all(happened.values()), happened


async def test_what_no_platform_replays_is_forgotten(tmp_path: Path) -> None:
    """Marks and orders older than 30 days go by themselves, wherever the clock comes from."""
    async with World(tmp_path) as world:
        group = await world.first()
        for number in range(32):
            assert (await group.post("阿强", "签到")).status_code == 202
            assert (await group.post("陈经理", f"发红包 {number + 2} 1")).status_code == 202
            await world.advance("24h")
        now = int((await world.now()).timestamp() * 1_000_000)
        for table in ("marks", "orders"):
            ((oldest, kept),) = world.sql(f"SELECT MIN(at), COUNT(*) FROM {table}")
            assert now - oldest <= 30 * DAY + 6 * HOUR, table
            assert kept
        assert world.sql("SELECT COUNT(*) FROM sign_ins") == [(32,)]
