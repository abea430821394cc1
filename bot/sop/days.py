"""On which dates a slot falls: each rule is a pure function of a year.

APScheduler's triggers know weekdays, months and their last days; festivals and the moon are in
bot/sop/festivals.py, workdays in bot/sop/holidays.py. All is kept by year, so to ask again costs nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from apscheduler.triggers.cron import CronTrigger

from bot.sop import festivals
from bot.sop.holidays import Holidays

WORKDAYS, DAYS_OFF = "workdays", "holidays"
LAST = -1  # of a month

# Since when the dates of a rule are counted; any year would do.
_FIRST = 2024


class Rule(NamedTuple):
    """One line's days. `kind` is the key in the YAML, `given` what is written there, as the schema reads it.

    `only` is WORKDAYS or DAYS_OFF when the whole calendar is for such days, or "".
    """

    kind: str
    given: Any
    only: str = ""


def between(rule: Rule, first: date, last: date, holidays: Holidays) -> Iterator[date]:
    """Yield the dates of a rule in order, whatever the whole calendar is for; both ends are included."""
    for year in range(first.year, last.year + 1):
        days = in_year(rule.kind, rule.given, year, holidays)
        yield from days[bisect_left(days, first) : bisect_right(days, last)]


def left_out(rule: Rule, day: date, holidays: Holidays) -> bool:
    """Whether the whole calendar is not for such a day."""
    return rule.only != "" and holidays.off(day) != (rule.only == DAYS_OFF)


@lru_cache(1024)
def count(rule: Rule, day: date, holidays: Holidays) -> int:
    """Return how many dates a rule had before a day, since a day that is the same for all."""
    number = bisect_left(_kept(rule, day.year, holidays), day)
    number += sum(len(_kept(rule, year, holidays)) for year in range(_FIRST, day.year))
    return number - sum(len(_kept(rule, year, holidays)) for year in range(day.year, _FIRST))


def asks_for_holidays(rule: Rule) -> bool:
    """Whether the dates depend on what the government arranges."""
    return bool(rule.only) or rule.given in (WORKDAYS, DAYS_OFF)


@lru_cache(8192)
def in_year(kind: str, given: Any, year: int, holidays: Holidays) -> tuple[date, ...]:  # noqa: ANN401
    """Return the dates of a rule in a year, in order."""
    return tuple(sorted(set(_KINDS[kind](given, year, holidays))))


@lru_cache(8192)
def _kept(rule: Rule, year: int, holidays: Holidays) -> tuple[date, ...]:
    days = in_year(rule.kind, rule.given, year, holidays)
    return tuple(day for day in days if not left_out(rule, day, holidays))


@lru_cache(4096)
def _cron(
    year: int, month: int | str = "*", day: int | str = "*", day_of_week: int | str = "*"
) -> tuple[date, ...]:
    trigger = CronTrigger(year=year, month=month, day=day, day_of_week=day_of_week, timezone=UTC)
    days: list[date] = []
    fired, now = None, datetime(year, 1, 1, tzinfo=UTC)
    while (fired := trigger.get_next_fire_time(fired, now)) is not None:
        now = fired
        days.append(fired.date())
    return tuple(days)


def _on(given: frozenset[int] | str, year: int, holidays: Holidays) -> Iterator[date]:
    if isinstance(given, frozenset):
        return chain.from_iterable(_cron(year, day_of_week=day) for day in given)
    return (day for day in _cron(year) if holidays.off(day) == (given == DAYS_OFF))


def _date(given: tuple[festivals.MonthDay, ...], year: int, _: Holidays) -> Iterator[date]:
    return chain.from_iterable(_cron(year, month=month, day=day) for month, day in given)


def _monthly(given: tuple[int, ...], year: int, _: Holidays) -> Iterator[date]:
    return chain.from_iterable(_cron(year, day="last" if day == LAST else day) for day in given)


_KINDS: dict[str, Callable[[Any, int, Holidays], Iterator[date]]] = {
    "on": _on,
    "date": _date,
    "once": lambda given, year, _: (day for day in given if day.year == year),
    "monthly": _monthly,
    "lunar": lambda given, year, _: festivals.lunar(given, year),
    "festival": lambda given, year, _: festivals.of_year(given, year),
    "day": lambda _given, year, _: iter(_cron(year)),  # every day somebody may have joined so long ago
}
