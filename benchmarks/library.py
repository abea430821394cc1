"""The library by itself: 1,000 activities and 100 calendars are checked, a week of 10,000 groups is planned.

`check_s` is what `xiaoer check` does with the files: all are read, and all that is wrong or doubtful is found.
`plan_s` plans 7 days of 10,000 groups with 6 slots a day, as the alarm and the preview do, from nothing:
in four time zones, a hundred groups to a calendar, and in one group of ten a slot that its owner moved.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.result import Result, middle
from benchmarks.stage import folder
from bot.app import kinds, routes
from bot.model import DAY, SECOND
from bot.sop.doubts import doubtful
from bot.sop.library import Library, load
from bot.sop.planner import GroupPlan, plan

ACTIVITIES, CALENDARS, SLOTS = 1_000, 100, 6
GROUPS, DAYS = 10_000, 7
MOVED = 10  # every so many-eth group has a slot that its owner moved
ZONES = ("Asia/Shanghai", "Asia/Urumqi", "Asia/Tokyo", "Asia/Singapore")
REPEATS = 3
MONDAY = datetime(2026, 11, 22, 16, tzinfo=UTC)

ACTIVITY = """title: 签到 {number}
goal: 早上打个照面
kind: sign_in
posts: {{opening: 早上好，回复「签到」。}}
"""
CALENDAR = """title: 日历 {number}
audience: {{tags: [标签 {number}]}}
quiet: "23:00-06:00"
slots:
{slots}"""
# None of these falls into the week that is planned.
RARE = ("festival: 春节", "monthly: [1, last]", "lunar: 8-15", "date: 2-29")


def measure() -> Sequence[Result]:
    checks: list[float] = []
    plans: list[float] = []
    with folder() as data:
        write(data)
        for _ in range(REPEATS):
            library, took = check(data)
            checks.append(took)
            plans.append(planning(library))
    return [
        Result("check_s", "s", middle(checks), "≤ 2"),
        Result("plan_s", "s", middle(plans), "≤ 5"),
    ]


def write(root: Path) -> None:
    """As many files as a bank with a hundred branches has."""
    for name in ("activities", "calendars"):
        (root / name).mkdir()
    for number in range(ACTIVITIES):
        path = root / "activities" / f"sign-in-{number}.yaml"
        path.write_text(ACTIVITY.format(number=number), "utf-8")
    for number in range(CALENDARS):
        rules = [f"id: s{slot}, at: '{8 + slot * 2:02}:00', on: daily" for slot in range(SLOTS)]
        rules += [f"id: r{slot}, at: '{9 + slot * 2:02}:00', {rule}" for slot, rule in enumerate(RARE)]
        slots = ""
        for slot, rule in enumerate(rules):
            several = ", ".join(
                f"sign-in-{(number * 10 + slot * 3 + turn) % ACTIVITIES}" for turn in range(3)
            )
            slots += f"  - {{{rule}, rotate: [{several}]}}\n"
        path = root / "calendars" / f"c{number}.yaml"
        path.write_text(CALENDAR.format(number=number, slots=slots), "utf-8")


def check(root: Path) -> tuple[Library, float]:
    table = kinds(routes())
    began = time.perf_counter()
    library = load(root, table)
    doubts = doubtful(library, MONDAY.date(), ())
    took = time.perf_counter() - began
    assert not library.faults
    assert not doubts, doubts[0]
    assert (len(library.activities), len(library.calendars)) == (ACTIVITIES, CALENDARS)
    return library, took


def planning(library: Library) -> float:
    start = int(MONDAY.timestamp()) * SECOND
    groups = [
        GroupPlan(
            number,
            {f"标签 {number % CALENDARS}": 0},
            ZONES[number % len(ZONES)],
            number,
            names=(f"群 {number}", f"sandbox/g{number}"),
            moves={("c0/s1", "2026-11-25T10:00"): "2026-11-25T10:30"} if number % MOVED == 0 else {},
        )
        for number in range(1, GROUPS + 1)
    ]
    began = time.perf_counter()
    found = plan(library.calendars, groups, start, start + DAYS * DAY, {}, library.holidays)
    took = time.perf_counter() - began
    assert len(found) == GROUPS * DAYS * SLOTS
    return took
