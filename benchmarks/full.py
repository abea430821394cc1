"""`xiaoer run` on a grown database: 10,000 groups, 100,000 members, a million ledger entries."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.filling import fill
from benchmarks.idle import at_rest_mb
from benchmarks.process import running
from benchmarks.result import Result, middle
from benchmarks.stage import folder
from storage.audit import audit

GROUPS, EACH, DAYS = 10_000, 10, 5
REPEATS = 3


def measure() -> Sequence[Result]:
    seconds: list[float] = []
    megabytes: list[float] = []
    with full() as made:
        report = audit(made)
        assert report.clean, report.faults
        assert report.counts["postings"] == 2 * (GROUPS * EACH * DAYS + GROUPS)
        for _ in range(REPEATS):
            with copied(made) as data, running(data) as (process, _, took):
                seconds.append(took)
                megabytes.append(at_rest_mb(process.pid))
    return [
        Result("start_full_s", "s", middle(seconds), "≤ 5"),
        Result("idle_full_mb", "MB", middle(megabytes, 1), "≤ 400"),
    ]


@contextmanager
def full() -> Iterator[Path]:
    with folder() as data:
        fill(data, GROUPS, EACH, days=DAYS, now=time.time_ns() // 1000)
        yield data


@contextmanager
def copied(made: Path) -> Iterator[Path]:
    """The same database in a folder of its own."""
    with folder() as data:
        shutil.copytree(made, data, dirs_exist_ok=True)
        yield data
