"""From `xiaoer run` to `ready`: on a new data folder, and on one that is there."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.process import running
from benchmarks.result import Result, middle
from benchmarks.stage import folder

REPEATS = 7


def measure() -> Sequence[Result]:
    fresh: list[float] = []
    again: list[float] = []
    for _ in range(REPEATS):
        with folder() as data:
            for taken in (fresh, again):
                with running(data) as (_, _, seconds):
                    taken.append(seconds)
    return [
        Result("start_s", "s", middle(again), "≤ 3"),
        Result("start_fresh_s", "s", middle(fresh), "≤ 3"),
    ]
