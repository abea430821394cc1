"""When slots fall due: the arithmetic, clock changes, and what was before its time."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import DAY, HOUR, MINUTE, Occurrence
from bot.sop.planner import GroupPlan, next_due, plan
from bot.sop.schema import Audience, Calendar, Slot

ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]


def moment(text: str, zone: str = "Asia/Shanghai", fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()) * 1_000_000


def calendar(*slots: Slot, tags: tuple[str, ...] = ("理财",)) -> Calendar:
    return Calendar(title="甲", audience=Audience(tags=tags), slots=slots)


def group(id_: int = 1, zone: str = "Asia/Shanghai", **rest: Any) -> GroupPlan:
    return GroupPlan(id_, **{"tags": {"理财": 0}, "timezone": zone, "opened_at": 0, **rest})


MORNING = {"bank": calendar(Slot(id="m", at="08:00", on="mon-fri", do="sign", late="15m"))}


def dues(
    calendars: Mapping[str, Calendar],
    groups: list[GroupPlan],
    start: int,
    end: int,
    since: dict[str, int] | None = None,
) -> list[int]:
    return [one.due for one in plan(calendars, groups, start, end, since or {})]


def test_an_occurrence_says_all_that_the_alarm_needs() -> None:
    """One slot in one group on one local date, the end of the window included and its start not."""
    due = moment("2026-11-24T08:00")
    assert plan(MORNING, [group()], due - DAY, due, {}) == [
        Occurrence("bank/m", 1, "2026-11-24T08:00", due, 15 * MINUTE, do="sign")
    ]
    assert plan(MORNING, [group(paused=True)], due - 1, due, {})[0].skip == "暂停中"
    assert plan(MORNING, [group()], due, due + HOUR, {}) == []


def test_weekends_are_left_out() -> None:
    """A slot on mon-fri runs on five days of the week."""
    start = moment("2026-11-23T00:00")
    assert len(dues(MORNING, [group()], start, start + 7 * DAY)) == 5


def test_groups_are_chosen_by_tag_and_keep_their_own_time() -> None:
    """Any common tag will do, and each group runs by its own clock."""
    start = moment("2026-11-24T00:00")
    groups = [
        group(2, "Europe/Berlin"),
        group(1),
        group(3, tags={"别的": 0}),
        group(4, tags={"a": 0, "理财": 0}),
    ]
    found = plan(MORNING, groups, start, start + DAY, {})
    assert [(one.group, one.due) for one in found] == [
        (1, moment("2026-11-24T08:00")),
        (4, moment("2026-11-24T08:00")),
        (2, moment("2026-11-24T08:00", "Europe/Berlin")),
    ]


def test_nothing_is_planned_from_before_its_time() -> None:
    """What was due before the slot, the tag or the opening does not come into being; at that moment it does."""
    due = moment("2026-11-24T08:00")
    window = (due - 1, due + 1)
    for early, late in [
        (group(opened_at=due), group(opened_at=due + 1)),
        (group(tags={"理财": due}), group(tags={"理财": due + 1})),
    ]:
        assert dues(MORNING, [early], *window) == [due]
        assert dues(MORNING, [late], *window) == []
    assert dues(MORNING, [group()], *window, {"bank/m": due}) == [due]
    assert dues(MORNING, [group()], *window, {"bank/m": due + 1}) == []
    both = {"bank": calendar(*MORNING["bank"].slots, tags=("新", "理财"))}
    assert dues(both, [group(tags={"理财": 0, "新": due + 1})], *window) == [due]


@pytest.mark.parametrize(
    ("zone", "date", "at", "due"),
    [
        # Spring: the time does not exist, and the slot runs when the clock jumps over it.
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T03:00"),
        ("Europe/Berlin", "2026-03-29", "02:00", "2026-03-29T03:00"),
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08T03:00"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-04T02:30"),
        # Autumn: the time comes twice, and the slot runs at the first.
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T02:30"),
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01T01:30"),
        ("Asia/Shanghai", "2026-10-25", "02:30", "2026-10-25T02:30"),
    ],
)
def test_a_clock_change_neither_doubles_nor_drops_a_slot(zone: str, date: str, at: str, due: str) -> None:
    """On the night of a change the slot runs once, wherever the planning begins and ends."""
    calendars = {"c": calendar(Slot(id="s", at=at, do="a"))}
    expected = moment(due, zone)
    midnight = moment(f"{date}T00:00", zone)
    found = plan(calendars, [group(zone=zone)], midnight - 1, midnight + 12 * HOUR, {})
    assert [(one.local, one.due) for one in found] == [(f"{date}T{at}", expected)]
    for start in range(expected - 3 * HOUR, expected + 3 * HOUR, 10 * MINUTE):
        assert (dues(calendars, [group(zone=zone)], start, start + 10 * MINUTE) != []) is (
            start < expected <= start + 10 * MINUTE
        )


def test_a_day_that_never_was_still_has_its_slot() -> None:
    """Samoa left out 30 December 2011; its slot runs as the next day begins, once."""
    calendars = {"c": calendar(Slot(id="s", at="08:00", do="a"))}
    start = moment("2011-12-29T12:00", "Pacific/Apia")
    found = plan(calendars, [group(zone="Pacific/Apia")], start, start + DAY, {})
    assert [(one.local, one.due) for one in found] == [
        ("2011-12-30T08:00", moment("2011-12-31T00:00", "Pacific/Apia")),
        ("2011-12-31T08:00", moment("2011-12-31T08:00", "Pacific/Apia")),
    ]


def test_without_a_group_nothing_is_ever_due() -> None:
    """No group, or none with the tag, has no next moment."""
    assert next_due(MORNING, [], 0, {}) is None
    assert next_due(MORNING, [group(tags={})], 0, {}) is None


def test_ten_thousand_groups_are_cheap() -> None:
    """The arithmetic is done once for each slot and zone, so many groups cost little."""
    slots = [Slot(id=f"s{n}", at=f"{n:02}:00", do="a") for n in range(24)]
    calendars = {f"c{n}": calendar(*slots, tags=(f"t{n}",)) for n in range(10)}
    groups = [group(n, ZONES[n % 3], tags={f"t{n % 10}": 0}) for n in range(10_000)]
    start = moment("2026-11-24T08:30")
    begun = perf_counter()
    assert next_due(calendars, groups, start, {}) == start + HOUR // 2
    assert plan(calendars, groups, start, start + MINUTE, {}) == []
    assert len(plan(calendars, groups, start, start + HOUR, {})) == 10_000
    assert perf_counter() - begun < 5


def told(
    calendars: Mapping[str, Calendar], ours: GroupPlan, start: str, days: int = 1
) -> list[tuple[str, str, str]]:
    """What a group's plan holds in some days: key and time, what, and why not."""
    begin = moment(start)
    found = plan(calendars, [ours], begin - 1, begin + days * DAY - 1, {})
    return [(f"{one.slot} {one.local}", one.what, one.skip or one.note) for one in found]


def test_a_calendar_for_workdays_rests_and_says_why() -> None:
    """The holiday by its name; a Saturday that is worked for it is no day of rest."""
    book = {
        "c": Calendar(
            title="甲",
            audience=Audience(tags=("理财",)),
            days="workdays",
            slots=(Slot(id="s", at="08:00", do="a"),),
        )
    }
    assert [why for _, _, why in told(book, group(), "2026-09-30T00:00", 11)] == [
        "",
        *["国庆节放假"] * 7,
        "",
        "",
        "",
    ]
    assert told(book, group(), "2026-11-21T00:00")[0][2] == "周末"
    assert told(book, group(), "2093-01-05T00:00")[0][2] == "还不知道 2093 年的放假安排，按周一到周五算工作日"


def test_what_an_owner_moved_or_skipped_stays_the_same_occurrence() -> None:
    """By its slot and the time that the calendar says; what is announced before it goes with it."""
    book = {
        "c": calendar(Slot(id="s", at="20:00", do="a", warm_up=["-30m"]), Slot(id="t", at="21:00", post="晚"))
    }
    ours = group(
        moves={("c/s", "2026-11-24T20:00"): "2026-11-24T20:45"},
        skips=frozenset({("c/t", "2026-11-24T21:00")}),
    )
    assert told(book, ours, "2026-11-24T00:00") == [
        ("c/s~-30m 2026-11-24T20:15", "warm:2026-11-24T20:45 do:a", ""),
        ("c/s 2026-11-24T20:00", "do:a", "原定 20:00"),
        ("c/t 2026-11-24T21:00", "post:晚", "群主说了跳过"),
    ]
    (moved,) = plan(book, [ours], moment("2026-11-24T20:15"), moment("2026-11-24T20:45"), {})
    assert moved.due == moment("2026-11-24T20:45")


def test_what_will_not_come_is_not_announced() -> None:
    """Whatever the reason is."""
    book = {"c": calendar(Slot(id="s", at="20:00", on="tue", do="a", warm_up=["-1d 18:00", "-30m"]))}
    ours = group(skips=frozenset({("c/s", "2026-11-24T20:00")}))
    found = told(book, ours, "2026-11-23T00:00", 7)
    assert [(key[:7], why) for key, _, why in found] == [
        ("c/s~-1d", "群主说了跳过"),
        ("c/s~-30", "群主说了跳过"),
        ("c/s 202", "群主说了跳过"),
    ]


def test_what_a_clock_change_brings_to_the_same_moment_is_not_announced() -> None:
    """In Cairo the first hour of that day is left out: the announcement would come with what it announces."""
    book = {"c": calendar(Slot(id="s", at="00:59", do="a", warm_up=["-30m", "-2h"]))}
    ours = group(zone="Africa/Cairo")
    start, end = moment("2030-04-25T20:00", ours.timezone), moment("2030-04-26T12:00", ours.timezone)
    assert [one.slot for one in plan(book, [ours], start, end, {})] == ["c/s~-2h", "c/s"]


def test_a_group_has_so_many_posts_a_day_and_no_more() -> None:
    """Over all its calendars, by the smallest of their numbers; what matters least and comes latest is left out."""
    one = Calendar(
        title="甲",
        audience=Audience(tags=("理财",)),
        posts_a_day=2,
        quiet="22:00-07:00",
        slots=(
            Slot(id="a", at="08:00", post="早"),
            Slot(id="b", at="12:00", post="午", priority=-1),
            Slot(id="c", at="23:00", post="夜"),
        ),
    )
    two = Calendar(
        title="乙",
        audience=Audience(groups=("街坊",)),
        posts_a_day=5,
        slots=(Slot(id="d", at="20:00", do="x"),),
    )
    book = {"one": one, "two": two}
    assert [(key[:5], why) for key, _, why in told(book, group(names=("街坊",)), "2026-11-24T00:00")] == [
        ("one/a", ""),
        ("one/b", "一天最多 2 条"),
        ("two/d", ""),
        ("one/c", "安静时间 22:00-07:00"),
    ]
    assert [why for _, _, why in told(book, group(), "2026-11-24T00:00")] == ["", "", "安静时间 22:00-07:00"]


def test_of_several_at_one_moment_the_highest_goes_first() -> None:
    """Then by the slots' keys, in every group alike."""
    book = {
        "c": calendar(
            *(
                Slot(id=name, at="08:00", post=name, priority=number)
                for name, number in [("a", 0), ("b", 5), ("c", 0)]
            )
        )
    }
    assert [what for _, what, _ in told(book, group(), "2026-11-24T00:00")] == ["post:b", "post:a", "post:c"]


def test_some_groups_have_it_otherwise() -> None:
    """Named groups at another time, those with a tag something else, and some not at all."""
    book = {
        "c": Calendar(
            title="甲",
            audience=Audience(tags=("理财",), **{"except": {"groups": ("停办群",)}}),
            slots=(Slot(id="s", at="20:00", do="a"),),
            overrides=(
                {"slot": "s", "groups": ["街坊", "sandbox/g9"], "at": "19:30"},
                {"slot": "s", "tags": ["新区"], "post": "other"},
                {"slot": "s", "tags": ["歇"], "skip": True},
            ),
        )
    }
    day = "2026-11-24T00:00"
    assert told(book, group(), day) == [("c/s 2026-11-24T20:00", "do:a", "")]
    assert told(book, group(names=("街坊", "sandbox/g1")), day) == [("c/s 2026-11-24T19:30", "do:a", "")]
    both = group(names=("新街坊", "sandbox/g9"), tags={"理财": 0, "新区": 0})
    assert told(book, both, day) == [("c/s 2026-11-24T19:30", "post:other", "")]
    assert told(book, group(tags={"理财": 0, "歇": 0}), day) == [
        ("c/s 2026-11-24T20:00", "do:a", "日历里写了这个群不办")
    ]
    assert told(book, group(names=("停办群", "sandbox/g2")), day) == []


START = moment("2026-01-01T00:00")
moments = st.integers(START, START + 400 * DAY)
changes = st.sampled_from(
    [moment(f"2026-{day}T00:00", "UTC") for day in ("03-08", "03-29", "10-25", "11-01")]
)
near_changes = st.builds(lambda at, by: at + by, changes, st.integers(-DAY, DAY))
spans = st.integers(0, 20 * DAY)
some_moments = moments | near_changes
clocks = st.sampled_from(["00:00", "01:30", "02:00", "02:30", "03:00", "08:00", "23:59"])
slots = st.builds(
    Slot, id=st.just("x"), at=clocks, on=st.frozensets(st.integers(0, 6), min_size=1), do=st.just("a")
)
rules: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        *({"on": on} for on in ("workdays", "holidays", "mon-fri", "sun")),
        {"monthly": ["1", "15", "last"]},
        {"date": ["3-8", "3-29", "10-25", "2-29"]},
        {"once": ["2026-03-08", "2026-10-25"]},
        {"lunar": ["1-1", "2-10", "9-15"]},
        {"festival": ["春节", "劳动节", "国庆节"]},
        {"day": 1},
        {"day": 3},
    ]
)
early = st.sampled_from([(), ("-30m",), ("-26h", "-30m"), ("-1d 18:00",), ("-7d 02:30", "-1d 18:00")])


@st.composite
def any_slots(draw: st.DrawFn) -> Slot:
    """A slot of any rule, with whatever else it may have."""
    rule: dict[str, Any] = draw(rules)
    rest: dict[str, Any] = {"priority": draw(st.integers(-1, 1))}
    if "day" in rule:
        rest |= {"post": "好", "to": draw(st.sampled_from(["group", "private"]))}
    else:
        if before := draw(early):
            rest["warm_up"] = before
        rest |= draw(st.sampled_from([{"do": "a"}, {"post": "好"}, {"rotate": ["a", "b", "c"]}]))
    return Slot(id="x", at=draw(clocks), **rule, **rest)


@st.composite
def whole_calendars(draw: st.DrawFn) -> dict[str, Calendar]:
    """Some calendars with one slot each."""
    made: dict[str, Calendar] = {}
    for number in range(draw(st.integers(0, 3))):
        change = {"slot": "x", "groups": ["甲"], "at": draw(clocks)}
        made[f"c{number}"] = Calendar(
            title="甲",
            audience=Audience(tags=(draw(st.sampled_from(["a", "b"])),)),
            days=draw(st.sampled_from([None, None, "workdays", "holidays"])),
            quiet=draw(st.sampled_from([None, None, "23:00-02:00"])),
            posts_a_day=draw(st.sampled_from([None, None, 1, 2])),
            slots=(draw(any_slots()),),
            overrides=draw(st.sampled_from([(), (change,), ({"slot": "x", "tags": ["b"], "skip": True},)])),
        )
    return made


some_calendars = (
    st.lists(st.tuples(slots, st.sampled_from(["a", "b"])), max_size=3).map(
        lambda rows: {f"c{n}": calendar(slot, tags=(tag,)) for n, (slot, tag) in enumerate(rows)}
    )
    | whole_calendars()
)
named = st.tuples(
    st.sampled_from(["c0/x", "c1/x", "c0/x~-30m"]),
    st.builds(lambda day, at: f"{day}T{at}", st.dates(date(2026, 3, 1), date(2026, 3, 31)).map(str), clocks),
)
moves = st.dictionaries(named, clocks, max_size=6).map(
    lambda said: {one: f"{one[1][:10]}T{at}" for one, at in said.items()}
)
some_groups = st.lists(
    st.builds(
        GroupPlan,
        id=st.integers(1, 5),
        tags=st.dictionaries(st.sampled_from(["a", "b"]), some_moments | st.just(0)),
        timezone=st.sampled_from(ZONES),
        opened_at=some_moments | st.just(0),
        paused=st.booleans(),
        names=st.sampled_from([("甲", "a/1"), ("乙", "a/2")]),
        moves=moves,
        skips=st.frozensets(named, max_size=6),
        joined=st.lists(some_moments, max_size=3).map(tuple),
    ),
    max_size=4,
    unique_by=lambda one: one.id,
)
some_since = st.dictionaries(st.sampled_from(["c0/x", "c1/x"]), some_moments)


@given(some_calendars, some_groups, some_since, some_moments, st.tuples(spans, spans))
@settings(deadline=None)
def test_planning_in_two_steps_is_planning_in_one(
    calendars: Mapping[str, Calendar],
    groups: list[GroupPlan],
    since: dict[str, int],
    start: int,
    steps: tuple[int, int],
) -> None:
    """However a span is cut, the same occurrences come of it, with the same reasons, and none twice."""
    middle, end = start + steps[0], start + sum(steps)
    whole = plan(calendars, groups, start, end, since)
    assert (
        plan(calendars, groups, start, middle, since) + plan(calendars, groups, middle, end, since) == whole
    )
    assert len({(one.slot, one.group, one.local) for one in whole}) == len(whole)


@given(some_calendars, some_groups, some_since, some_moments)
@settings(deadline=None)
def test_the_next_moment_is_the_first_of_the_plan(
    calendars: Mapping[str, Calendar], groups: list[GroupPlan], since: dict[str, int], after: int
) -> None:
    """What next_due names, plan finds there, and nothing before it."""
    soonest = next_due(calendars, groups, after, since)
    if soonest is None:
        assert dues(calendars, groups, after, after + 800 * DAY, since) == []
    else:
        assert set(dues(calendars, groups, after, soonest, since)) == {soonest}


@given(some_calendars, some_groups, some_since, some_moments, spans)
@settings(deadline=None)
def test_what_is_run_is_what_was_previewed(
    calendars: Mapping[str, Calendar], groups: list[GroupPlan], since: dict[str, int], start: int, span: int
) -> None:
    """Step by step from one due moment to the next, as the alarm goes, comes what one look ahead showed."""
    stepped: list[Occurrence] = []
    now = start
    while (due := next_due(calendars, groups, now, since)) is not None and due <= start + span:
        stepped += plan(calendars, groups, now, due, since)
        now = due
    assert stepped == plan(calendars, groups, start, start + span, since)


@given(slots, st.sampled_from(ZONES), some_moments)
@settings(deadline=None)
def test_every_local_date_has_its_slot_once(slot: Slot, zone: str, start: int) -> None:
    """Over some weeks the local times are just the dates on the slot's days."""
    calendars = {"c": calendar(slot)}
    found = plan(calendars, [group(zone=zone)], start, start + 30 * DAY, {})
    dates = [datetime.fromisoformat(one.local) for one in found]
    assert all(date.weekday() in slot.on and date.time() == slot.at for date in dates)
    wanted = [
        first + timedelta(days=n)
        for first in dates[:1]
        for n in range((dates[-1] - first).days + 1)
        if (first + timedelta(days=n)).weekday() in slot.on
    ]
    assert dates == wanted


@given(st.sampled_from(ZONES), near_changes, clocks, st.integers(1, 7))
@settings(deadline=None)
def test_a_newcomers_day_comes_once(zone: str, joined: int, at: str, number: int) -> None:
    """Whatever the clocks do, for one who joined there is one so-many-eth time, and it is that many times later."""
    book = {"c": calendar(Slot(id="s", at=at, day=number, post="好"), Slot(id="all", at=at, post="好"))}
    found = plan(book, [group(zone=zone, joined=(joined,))], joined, joined + 10 * DAY, {})
    after = [one.due for one in found if one.slot == "c/all"]
    assert [one.due for one in found if one.slot == "c/s"] == [after[number - 1]]
