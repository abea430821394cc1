"""A week of three groups of 200 members, rehearsed as `xiaoer rehearse` does it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.result import Result, middle
from benchmarks.stage import ROOT, log_as_run
from bot.app import kinds, routes
from bot.config import Settings
from bot.rehearsal.rehearsing import Asked, rehearse
from bot.sop.library import load

REPEATS = 3


def measure() -> Sequence[Result]:
    log_as_run()
    library = load(ROOT / "sop_library", kinds(routes()))
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        seen = rehearse(Asked(days=7, groups=3, members=200), Settings(), library, ROOT / "sop_library")
        took.append(time.perf_counter() - began)
        assert seen.audit.clean, seen.audit.faults
    return [Result("rehearse_s", "s", middle(took), "≤ 20")]
