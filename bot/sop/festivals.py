"""On which dates the festivals fall: by the sun, by the moon, by a weekday of a month, by a solar term.

The lunar calendar and the solar terms come from lunar-python, which computes them from the sky.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache

from lunar_python import Lunar, LunarMonth, Solar

MonthDay = tuple[int, int]

_BY_SUN: dict[str, MonthDay] = {
    "元旦": (1, 1),
    "情人节": (2, 14),
    "妇女节": (3, 8),
    "植树节": (3, 12),
    "劳动节": (5, 1),
    "青年节": (5, 4),
    "儿童节": (6, 1),
    "建党节": (7, 1),
    "建军节": (8, 1),
    "教师节": (9, 10),
    "国庆节": (10, 1),
    "平安夜": (12, 24),
    "圣诞节": (12, 25),
}
_BY_MOON: dict[str, MonthDay] = {
    "春节": (1, 1),
    "元宵节": (1, 15),
    "龙抬头": (2, 2),
    "端午节": (5, 5),
    "七夕": (7, 7),
    "中元节": (7, 15),
    "中秋节": (8, 15),
    "重阳节": (9, 9),
    "腊八节": (12, 8),
    "小年": (12, 23),
}
# The month, the weekday (0 for Monday), and which of them it is.
_BY_WEEKDAY: dict[str, tuple[int, int, int]] = {
    "母亲节": (5, 6, 2),
    "父亲节": (6, 6, 3),
    "感恩节": (11, 3, 4),
}
_EVE = "除夕"
# fmt: off
_TERMS = (
    "小寒", "大寒", "立春", "雨水", "惊蛰", "春分",
    "清明", "谷雨", "立夏", "小满", "芒种", "夏至",
    "小暑", "大暑", "立秋", "处暑", "白露", "秋分",
    "寒露", "霜降", "立冬", "小雪", "大雪", "冬至",
)
# fmt: on
_WINTER = "DONG_ZHI"  # the one at the end of a year, as lunar-python calls it

FESTIVALS = (
    *_BY_SUN,
    *_BY_MOON,
    _EVE,
    *_BY_WEEKDAY,
    *(f"{one}节" if one == "清明" else one for one in _TERMS),
)


def festival(text: str) -> str:
    """Return the name that a festival has here, also for 中秋 or 七夕节; "" when it has none."""
    named = (text, f"{text}节", text.removesuffix("节"))
    return next((name for name in named if name in FESTIVALS), "")


def of_year(names: Iterable[str], year: int) -> Iterator[date]:
    """Yield the dates of festivals in a year of the sun; one by the moon may have two, or none."""
    for name in names:
        if name in _BY_SUN:
            yield date(year, *_BY_SUN[name])
        elif name in _BY_MOON:
            yield from lunar((_BY_MOON[name],), year)
        elif name == _EVE:
            yield from (day - timedelta(1) for day in lunar((_BY_MOON["春节"],), year))
        elif name in _BY_WEEKDAY:
            yield _weekday(year, *_BY_WEEKDAY[name])
        else:
            yield _terms(year)[name.removesuffix("节")]


def lunar(days: Iterable[MonthDay], year: int) -> Iterator[date]:
    """Yield on which dates of a year of the sun these days of the moon's months fall.

    A leap month has none, nor has a month of 29 days its 30th.
    """
    for moon in (year - 1, year):
        months = _months(moon)
        for month, day in days:
            first, length = months[month - 1]
            found = first + timedelta(day - 1)
            if day <= length and found.year == year:
                yield found


@lru_cache(256)
def _months(year: int) -> tuple[tuple[date, int], ...]:
    """Return when each month of a lunar year begins, and how many days it has."""
    months = [LunarMonth.fromYm(year, month) for month in range(1, 13)]
    return tuple((_date(Solar.fromJulianDay(one.getFirstJulianDay())), one.getDayCount()) for one in months)


@lru_cache(256)
def _terms(year: int) -> dict[str, date]:
    table = Lunar.fromYmd(year, 6, 1).getJieQiTable()
    return {name: _date(table[_WINTER if name == "冬至" else name]) for name in _TERMS}


def _weekday(year: int, month: int, weekday: int, which: int) -> date:
    first = date(year, month, 1)
    return first + timedelta((weekday - first.weekday()) % 7 + 7 * (which - 1))


def _date(solar: Solar) -> date:
    return date(solar.getYear(), solar.getMonth(), solar.getDay())
