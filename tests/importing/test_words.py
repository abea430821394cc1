"""How times and days are read, however people write them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from bot.importing.words import When, Years, agree, clock, moment, weekdays, when
from bot.importing.workbook import Cell

TODAY = date(2026, 11, 20)
YEARS = Years(TODAY)


@pytest.mark.parametrize(
    ("typed", "hour", "minute"),
    [
        ("8:00", 8, 0),
        ("08：00", 8, 0),
        ("８：０５", 8, 5),
        ("早上8点", 8, 0),
        ("早上 8 点半", 8, 30),
        ("20点30", 20, 30),
        ("20点30分", 20, 30),
        ("晚8点", 20, 0),
        ("晚上八点", 20, 0),
        ("晚上 20:00", 20, 0),
        ("二十点十分", 20, 10),
        ("下午3点一刻", 15, 15),
        ("中午12点", 12, 0),
        ("中午1点", 13, 0),
        ("凌晨12点", 0, 0),
        ("8:00-8:30", 8, 0),
        ("晚8点到9点", 20, 0),
        ("8:00～8:30", 8, 0),
        ("8:00 PM", 20, 0),
        ("8pm", 20, 0),
        ("20:00左右", 20, 0),
        ("20:00:00", 20, 0),
        (time(8), 8, 0),
        (time(7, 59, 59, 999_000), 8, 0),
        (datetime(2026, 12, 24, 20, 30), 20, 30),
        (timedelta(hours=9), 9, 0),
        (20.5 / 24, 20, 30),
        (0.0, 0, 0),
    ],
)
def test_a_time_is_read_however_it_is_written(typed: Any, hour: int, minute: int) -> None:
    """Text, Excel's times, moments, fractions of a day: all the same time."""
    assert clock(Cell(typed)) == time(hour, minute)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("25:00", "不是一天里的时刻"),
        ("8:60", "不是一天里的时刻"),
        ("晚上12点", "看不出是几点"),
        ("8", "看不出是几点"),
        ("晚8", "看不出是几点"),
        (8, "看不出是几点"),
        (8.3, "看不出是几点"),
        ("8:00、20:00", "一格只写一个时间"),
        ("8:00/20:00", "一格只写一个时间"),
        ("待定", "不是时间"),
        ("8:00-待定", "不是时间"),
        ("十十点", "不是一天里的时刻"),
        (True, "不是时间"),
        ("9" * 5000, "看不出是几点"),
    ],
)
def test_what_is_no_time_is_said(typed: Any, said: str) -> None:
    """With what was written, and how it should be."""
    with pytest.raises(ValueError, match=said):
        clock(Cell(typed))


def on(*days: str) -> When:
    return When(on=days)


def once(*days: tuple[int, int, int]) -> When:
    return When(dates=tuple(date(*day) for day in days))


@pytest.mark.parametrize(
    ("typed", "days"),
    [
        (datetime(2026, 12, 24), once((2026, 12, 24))),
        (date(2026, 12, 24), once((2026, 12, 24))),
        (46380, once((2026, 12, 24))),
        (20261224, once((2026, 12, 24))),
        (12.24, once((2026, 12, 24))),
        (12.5, once((2026, 12, 5))),
        ("12月24日", once((2026, 12, 24))),
        ("12 月 24 日", once((2026, 12, 24))),
        ("12月24号", once((2026, 12, 24))),
        ("12月24日（周四）", once((2026, 12, 24))),
        ("12月24日 周四", once((2026, 12, 24))),
        ("2026/12/24", once((2026, 12, 24))),
        ("2026-12-24 00:00:00", once((2026, 12, 24))),
        ("2026年12月24日", once((2026, 12, 24))),
        ("2026.12.24", once((2026, 12, 24))),
        ("20261224", once((2026, 12, 24))),
        ("12.24", once((2026, 12, 24))),
        ("12/24、12/26", once((2026, 12, 24), (2026, 12, 26))),
        ("12月24日-26日", once((2026, 12, 24), (2026, 12, 25), (2026, 12, 26))),
        ("12.31-1.1", once((2026, 12, 31), (2027, 1, 1))),
        ("1月3日", once((2027, 1, 3))),
        ("9月3日", once((2026, 9, 3))),
        ("周一", on("mon")),
        ("每周一", on("mon")),
        ("星期天", on("sun")),
        ("礼拜三", on("wed")),
        ("星期三、周五", on("wed", "fri")),
        ("周三/周五", on("wed", "fri")),
        ("周二、四", on("tue", "thu")),
        ("周一三五", on("mon", "wed", "fri")),
        ("周一至周五", on("mon", "tue", "wed", "thu", "fri")),
        ("周一到五", on("mon", "tue", "wed", "thu", "fri")),
        ("周六-周一", on("mon", "sat", "sun")),
        ("周一至周日", on("daily")),
        ("每天", on("daily")),
        ("工作日", on("workdays")),
        ("节假日", on("holidays")),
        ("周末", on("sat", "sun")),
        ("每月15号", When(monthly=("15",))),
        ("每月最后一天", When(monthly=("last",))),
    ],
)
def test_days_are_read_however_they_are_written(typed: Any, days: When) -> None:
    """Dates, weekdays, and the words that stand for some; a date without a year is the nearest one."""
    assert when(Cell(typed), YEARS) == days


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2月30日", "没有 2 月 30 日这一天"),
        ("2026/13/1", "没有 13 月 1 日这一天"),
        ("12月24日（周三）", "12 月 24 日是星期四"),
        (12.1, "分不清是 12 月 1 日还是 12 月 10 日"),
        (13.5, "看不出是哪一天"),
        (3, "看不出是哪一天"),
        ("24日", "看不出是哪一天"),
        ("周八", "看不出是哪一天"),
        ("待定", "看不出是哪一天"),
        ("周一、待定", "看不出是哪一天"),
        ("周一、12月24日", "看不出是哪一天"),
        ("12.26-12.24", "头和尾不对"),
        ("每月32日", "一个月里没有 32 日"),
        (-1.5, "看不出是哪一天"),
        (1e300, "看不出是哪一天"),
        (float("nan"), "看不出是哪一天"),
        (True, "看不出是哪一天"),
        ("9" * 5000, "看不出是哪一天"),
    ],
)
def test_what_is_no_day_is_said(typed: Any, said: str) -> None:
    """With what was written, and how it should be."""
    with pytest.raises(ValueError, match=said):
        when(Cell(typed), YEARS)


def test_the_year_that_a_table_names_is_taken() -> None:
    """However far away it is; and 12.10 that is shown so is the tenth."""
    assert when(Cell("1月3日"), Years(TODAY, 2025)) == once((2025, 1, 3))
    assert when(Cell(12.1, "0.00"), YEARS) == once((2026, 12, 10))
    assert when(Cell("2月29日"), Years(date(2027, 12, 1))) == once((2028, 2, 29))


@pytest.mark.parametrize(
    ("typed", "day"), [("三", "wed"), (3, "wed"), ("3", "wed"), (3.0, "wed"), ("周三", "wed")]
)
def test_a_column_of_weekdays_may_hold_bare_ones(typed: Any, day: str) -> None:
    """三 and 3 are Wednesday there."""
    assert weekdays(Cell(typed)) == on(day)


def test_a_date_stands_beside_its_weekday() -> None:
    """A weekday that is not the date's is a mistake in one of the two."""
    agree(once((2026, 12, 24)), on("thu"))
    with pytest.raises(ValueError, match="12 月 24 日是星期四"):
        agree(once((2026, 12, 24)), on("wed"))
    with pytest.raises(ValueError, match="不是星期几"):
        weekdays(Cell("12月24日"))


@pytest.mark.parametrize("typed", [datetime(2026, 12, 24, 20), "12月24日 20:00", "2026-12-24 20:00"])
def test_a_day_may_stand_beside_the_time(typed: Any) -> None:
    """In one cell, as text or as Excel's moment."""
    day, hour = moment(Cell(typed))
    assert day is not None
    assert (when(day, YEARS), clock(hour)) == (once((2026, 12, 24)), time(20))
