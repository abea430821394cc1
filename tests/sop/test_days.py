"""On which dates slots fall: weekdays, months, the moon, festivals, workdays, and what nobody has arranged yet."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sop.calendar import Slot
from bot.sop.days import Rule, between, count, in_year, left_out
from bot.sop.festivals import FESTIVALS, festival
from bot.sop.holidays import NO_MORE, Holidays
from bot.sop.rotation import pick


def dates(year: int, holidays: Holidays = NO_MORE, **rule: Any) -> list[str]:
    slot = Slot(at="08:00", do="a", **rule)
    return [f"{day:%m-%d}" for day in in_year(slot.rule.kind, slot.rule.given, year, holidays)]


@pytest.mark.parametrize(
    ("rule", "year", "found"),
    [
        ({"date": "12-24"}, 2026, ["12-24"]),
        ({"date": ["12-25", "1-1", "12-25"]}, 2026, ["01-01", "12-25"]),
        ({"date": "2-29"}, 2026, []),
        ({"date": "2-29"}, 2028, ["02-29"]),
        ({"once": ["2026-12-24", "2027-01-01"]}, 2026, ["12-24"]),
        ({"monthly": "31"}, 2026, ["01-31", "03-31", "05-31", "07-31", "08-31", "10-31", "12-31"]),
        ({"monthly": ["last"]}, 2028, ["01-31", "02-29", *dates(2026, monthly="last")[2:]]),
        # As the Hong Kong Observatory has them.
        ({"lunar": "8-15"}, 2026, ["09-25"]),
        ({"lunar": "6-15"}, 2025, ["07-09"]),  # the sixth month came twice
        ({"lunar": "12-30"}, 2026, []),  # its last month has 29 days
        ({"festival": "春节"}, 2026, ["02-17"]),
        ({"festival": "除夕"}, 2026, ["02-16"]),
        ({"festival": "除夕"}, 2025, ["01-28"]),
        ({"festival": "小年"}, 2026, ["02-10"]),
        ({"festival": "元宵"}, 2027, ["02-20"]),
        ({"festival": "清明"}, 2024, ["04-04"]),
        ({"festival": "冬至"}, 2026, ["12-22"]),
        ({"festival": "七夕节"}, 2026, ["08-19"]),
        ({"festival": ["母亲节", "父亲节"]}, 2026, ["05-10", "06-21"]),
        ({"festival": "腊八"}, 2020, ["01-02"]),
        ({"festival": "腊八"}, 2022, ["01-10", "12-30"]),
        ({"festival": "腊八"}, 2023, []),
    ],
)
def test_a_rule_falls_on_its_dates(rule: dict[str, Any], year: int, found: list[str]) -> None:
    """Dates that a month, a year or the moon's month lacks are left out."""
    assert dates(year, **rule) == found


def test_every_festival_comes_about_once_a_year() -> None:
    """By the moon there may be two in a year of the sun, or none."""
    for name in FESTIVALS:
        counted = [len(in_year("festival", (name,), year, NO_MORE)) for year in range(2010, 2050)]
        assert set(counted) <= {0, 1, 2}
        assert sum(counted) in (39, 40, 41)
        assert festival(name) == name
    assert festival("元霄") == ""


def test_workdays_are_those_that_the_government_arranged() -> None:
    """A Saturday that is worked for a holiday is one, and the holiday is not; the rest are days off."""
    working, off = dates(2026, on="workdays"), dates(2026, on="holidays")
    assert {"10-10", "09-20", "11-23"} <= set(working)
    assert {"10-01", "10-05", "11-22", "02-16"} <= set(off)
    assert sorted(working + off) == dates(2026)
    assert NO_MORE.why(date(2026, 10, 1)) == "国庆节放假"
    assert NO_MORE.why(date(2026, 9, 25)) == "中秋节放假"
    assert NO_MORE.why(date(2026, 10, 10)) == "国庆节调休上班"
    assert (NO_MORE.why(date(2026, 11, 22)), NO_MORE.why(date(2026, 11, 23))) == ("周末", "工作日")


def test_a_year_that_nobody_arranged_is_monday_to_friday() -> None:
    """Until holidays.yaml says more."""
    assert NO_MORE.knows(2026)
    assert not NO_MORE.knows(2093)
    assert dates(2093, on="workdays") == dates(2093, on="mon-fri")
    ours = Holidays({date(2093, 1, 26): "春节"}, frozenset([date(2093, 1, 25), date(2026, 10, 1)]))
    assert ours.knows(2093)
    assert date(2093, 1, 26).weekday() == 0
    assert "01-26" not in dates(2093, ours, on="workdays")
    assert "01-25" in dates(2093, ours, on="workdays")
    assert ours.why(date(2093, 1, 26)) == "春节放假"
    assert "10-01" in dates(2026, ours, on="workdays")


rules = st.one_of(
    st.builds(Rule, st.just("on"), st.frozensets(st.integers(0, 6), min_size=1) | st.just("workdays")),
    st.builds(Rule, st.just("monthly"), st.sets(st.integers(-1, 31).filter(bool), min_size=1).map(tuple)),
    st.builds(
        Rule,
        st.just("date"),
        st.sets(st.dates().map(lambda day: (day.month, day.day)), min_size=1).map(tuple),
    ),
    st.builds(Rule, st.just("festival"), st.sets(st.sampled_from(FESTIVALS), min_size=1).map(tuple)),
    st.builds(Rule, st.just("lunar"), st.sets(st.tuples(st.integers(1, 12), st.integers(1, 30))).map(tuple)),
    st.just(Rule("day", 3)),
)
some_rules = st.builds(
    lambda rule, only: rule._replace(only=only), rules, st.sampled_from(["", "workdays", "holidays"])
)
days = st.dates(date(2021, 1, 1), date(2029, 12, 31))


@given(some_rules, days, st.integers(0, 900), st.integers(2, 6))
@settings(deadline=None)
def test_what_takes_turns_is_fair_and_never_twice_in_a_row(
    rule: Rule, first: date, span: int, many: int
) -> None:
    """Over the dates that are kept, wherever one begins: each once in a cycle, over the ends of cycles and years."""
    found = between(rule, first, first + timedelta(span), NO_MORE)
    turns = [pick(range(many), rule, day, NO_MORE) for day in found if not left_out(rule, day, NO_MORE)]
    assert all((one + 1) % many == after for one, after in pairwise(turns))
    assert all(len(set(turns[at : at + many])) == many for at in range(len(turns) - many + 1))


@given(some_rules, days, days)
@settings(deadline=None)
def test_dates_are_counted_without_gaps(rule: Rule, one: date, other: date) -> None:
    """The count grows by one with each date that is kept, also over years that came before the first."""
    first, last = sorted((one, other))
    kept = [day for day in between(rule, first, last, NO_MORE) if not left_out(rule, day, NO_MORE)]
    assert [count(rule, day, NO_MORE) - count(rule, first, NO_MORE) for day in kept] == list(range(len(kept)))
