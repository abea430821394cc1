"""The dates in the operators' files, of every kind; moments before a slot; hours of the day to be quiet in.

What reads them takes the text that was typed, or what was read already, and raises ValueError with a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BeforeValidator

from bot.durations import duration
from bot.model import DAY, SECOND
from bot.sop.days import LAST
from bot.sop.festivals import FESTIVALS, MonthDay, festival
from bot.sop.hints import did_you_mean
from bot.sop.values import clock_time, typed

T = TypeVar("T")

# A warning-up comes at most so many days before.
EARLIEST = 7

_MONTH_DAY = re.compile(r"(\d{1,2})-(\d{1,2})", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_BEFORE = re.compile(r"-(\d{1,2})d +(\d\d:\d\d)", re.ASCII)
_LEAP = 2024


class Before(NamedTuple):
    """A moment before a slot: so long before, or at a time of the day so many days before.

    `written` is how it stands in the slot's identity.
    """

    written: str
    span: int = 0
    days: int = 0
    at: time | None = None

    def of(self, wall: datetime) -> datetime:
        """Return the time on the wall for a slot that is due at another."""
        if self.at is not None:
            return datetime.combine(wall.date() - timedelta(self.days), self.at)
        return wall - timedelta(microseconds=self.span)

    @property
    def earliest(self) -> int:
        """How many dates before the slot's it may fall, at most."""
        return self.days or -(-self.span // DAY)


def calendar_date(text: str) -> date:
    """Read `2026-12-24`."""
    match = _DATE.fullmatch(text)
    if match is None or match[1] < "1970":
        raise ValueError(f'"{text}" 不是日期，要写成 年-月-日，比如 2026-12-24')
    year, month, day = map(int, match.groups())
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError(f"没有 {year} 年 {month} 月 {day} 日这一天") from None


def month_day(text: str) -> MonthDay:
    """Read `12-24`; 2-29 is one, which comes in leap years."""
    match = _MONTH_DAY.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" 不是每年的日期，要写成 月-日，比如 12-24；只办一年的写 once')
    month, day = map(int, match.groups())
    try:
        date(_LEAP, month, day)
    except ValueError:
        raise ValueError(f"没有 {month} 月 {day} 日这一天") from None
    return month, day


def lunar_day(text: str) -> MonthDay:
    """Read `8-15` of the lunar calendar."""
    match = _MONTH_DAY.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" 不是农历日期，要写成 月-日，比如 8-15')
    month, day = map(int, match.groups())
    if not (1 <= month <= 12 and 1 <= day <= 30):
        raise ValueError(f'农历没有 "{text}"，月写 1 到 12，日写 1 到 30')
    return month, day


def day_of_month(text: str) -> int:
    """Read `15`, or `last` as LAST."""
    if text in ("last", "最后一天"):
        return LAST
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 31):
        raise ValueError(f'"{text}" 不是几号，要写 1 到 31，或者 last（最后一天）')
    return int(text)


def festival_name(text: str) -> str:
    """Read the name of a festival."""
    if name := festival(text):
        return name
    hint = did_you_mean(text, FESTIVALS) or f"，可以写 {'、'.join(FESTIVALS)}"
    raise ValueError(f'不认识的节日 "{text}"{hint}')


def before(text: str) -> Before:
    """Read `-30m` or `-1d 18:00`."""
    if match := _BEFORE.fullmatch(text):
        days, at = int(match[1]), clock_time(match[2])
        if not 1 <= days <= EARLIEST:
            raise ValueError(f'"{text}" 太早或太晚，提前 1 到 {EARLIEST} 天')
        return Before(f"-{days}d {at:%H:%M}", days=days, at=at)
    if not text.startswith("-"):
        raise ValueError(f'"{text}" 不是提前的时刻，要写成 -30m、-2h 或 -1d 18:00')
    span = duration(text[1:])
    if not SECOND <= span <= EARLIEST * DAY:
        raise ValueError(f'"{text}" 太早或太晚，提前 1s 到 {EARLIEST}d')
    return Before(text, span)


def hours(value: object) -> tuple[time, time]:
    """Read `22:00-07:00`: from the first, up to the second."""
    if isinstance(value, tuple):
        return value
    text = typed(value, '一段时间，比如 "22:00-07:00"')
    first, dash, last = text.partition("-")
    if not dash:
        raise ValueError(f'"{text}" 不是一段时间，要写成 "22:00-07:00"')
    span = clock_time(first.strip()), clock_time(last.strip())
    if span[0] == span[1]:
        raise ValueError(f'"{text}" 从头到尾是同一时刻，要写成 "22:00-07:00"')
    return span


def within(at: time, span: tuple[time, time]) -> bool:
    """Whether a time of the day is in a span, which may pass midnight."""
    first, last = span
    return first <= at < last if first < last else at >= first or at < last


def _many(read: Callable[[str], T], what: str) -> BeforeValidator:
    """Read one, or a list of them, as a tuple without repetitions."""

    def take(value: object) -> tuple[T, ...]:
        if isinstance(value, tuple):
            return value
        parts: list[Any] = value if isinstance(value, list) else [value]
        if not parts:
            raise ValueError(f"不能空着，要写{what}")
        return tuple(sorted({read(typed(part, what)): None for part in parts}))  # type: ignore[type-var]

    return BeforeValidator(take)


def _one(read: Callable[[str], T], kind: type[T], what: str) -> BeforeValidator:
    return BeforeValidator(lambda value: value if isinstance(value, kind) else read(typed(value, what)))


Dates = Annotated[tuple[date, ...], _many(calendar_date, "日期，比如 2026-12-24")]
MonthDays = Annotated[tuple[MonthDay, ...], _many(month_day, "每年的日期，比如 12-24")]
LunarDays = Annotated[tuple[MonthDay, ...], _many(lunar_day, "农历日期，比如 8-15")]
DaysOfMonth = Annotated[tuple[int, ...], _many(day_of_month, "几号，比如 15，或者 last")]
Festivals = Annotated[tuple[str, ...], _many(festival_name, "节日，比如 元宵节")]
Date = Annotated[date, _one(calendar_date, date, "日期，比如 2026-12-24")]
Hours = Annotated[tuple[time, time], BeforeValidator(hours)]
EarlyMoment = Annotated[Before, _one(before, Before, "提前的时刻，比如 -30m 或 -1d 18:00")]
