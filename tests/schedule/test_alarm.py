"""The alarm: what is due becomes an event, once, and what was slept through is found at the start."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import kinds, routes
from bot.model import DAY, HOUR, MINUTE
from bot.schedule.alarm import LONGEST_STOP, Alarm
from bot.schedule.planning import Planning
from bot.sop.library import load
from tests.harness import Inside, library

pytestmark = pytest.mark.usefixtures("database", "tidy")

SLOTS = ['id: a, at: "08:00", post: 一', 'id: b, at: "09:00", post: 二']


@pytest.fixture
async def inside(tmp_path: Path) -> AsyncIterator[Inside]:
    found = load(library(tmp_path / "lib", slots=SLOTS), kinds(routes()))
    async with Inside(tmp_path / "data", found=found) as inside:
        await inside.say("owner", "开张 试")
        yield inside


def alarm(inside: Inside) -> Alarm:
    planning = Planning(inside.frame.library.calendars, "Asia/Shanghai", {})
    return Alarm(inside.clock, inside.writer, inside.dispatcher, planning)


async def test_the_next_moment_is_the_first_of_slots_and_timers(inside: Inside) -> None:
    """A slot at 08:00, or a timer before it."""
    one = alarm(inside)
    await one.start()
    start = inside.clock.now()
    assert await one.next_due() == start + HOUR
    await inside.say("owner", "发红包 10 2")
    inside.clock.set(start + 30 * MINUTE)
    await inside.say("owner", "暗号 芝麻开门")
    assert await one.next_due() == start + HOUR
    inside.clock.set(start + 2 * HOUR)
    await one.ring()
    assert await one.next_due() == start + DAY
    one.stop()


async def test_ringing_twice_does_nothing_twice(inside: Inside) -> None:
    """What is due is claimed in the database."""
    one, other = alarm(inside), alarm(inside)
    for each in (one, other):
        await each.start()
    before = len(inside.downstream.rows)
    inside.clock.advance(HOUR)
    for each in (one, other, one):
        await each.ring()
    assert len(inside.downstream.rows) == before + 1
    assert inside.read("SELECT planned_until FROM horizon") == [(inside.clock.now(),)]
    for each in (one, other):
        each.stop()


async def test_what_was_slept_through_is_found_at_the_start(inside: Inside) -> None:
    """The first start looks at nothing past; a later one begins where the last has been."""
    one = alarm(inside)
    await one.start()
    one.stop()
    assert inside.read("SELECT COUNT(*) FROM occurrences") == [(0,)]
    inside.clock.advance(2 * HOUR + 5 * MINUTE)
    other = alarm(inside)
    await other.start()
    other.stop()
    assert inside.read("SELECT slot, state FROM occurrences ORDER BY due") == [
        ("week/a", "missed"),
        ("week/b", "claimed"),
    ]


async def test_a_very_long_stop_is_not_told_slot_by_slot(inside: Inside) -> None:
    """Only its last week."""
    one = alarm(inside)
    await one.start()
    one.stop()
    inside.clock.advance(60 * DAY)
    other = alarm(inside)
    await other.start()
    other.stop()
    assert inside.read("SELECT COUNT(*) FROM occurrences") == [(2 * LONGEST_STOP // DAY,)]
    assert inside.read("SELECT COUNT(*) FROM outbox WHERE occurrence > 0") == [(0,)]


async def test_a_group_that_opens_is_planned_for_from_then_on(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alarm reads that group anew when it is told of it, and not the thousands that did not change."""
    one = alarm(inside)
    await one.start()
    monkeypatch.delattr(Planning, "groups")
    await inside.feed(inside.roster("other"))
    await inside.say("owner", "开张 试", chat="other")
    one.replan(2)
    inside.clock.advance(HOUR)
    await one.ring()
    assert inside.read("SELECT group_id FROM occurrences ORDER BY group_id") == [(1,), (2,)]
    await inside.say("owner", "暂停", chat="other")
    one.replan(2)
    inside.clock.advance(HOUR)
    await one.ring()
    skipped = inside.read("SELECT group_id FROM occurrences WHERE state = 'skipped'")
    assert skipped == [(2,)]
    one.stop()


async def test_a_group_that_could_not_be_read_is_read_at_the_next_ring(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it changed is not forgotten with the try that failed."""
    one = alarm(inside)
    await one.start()
    start = inside.clock.now()
    assert await one.next_due() == start + HOUR
    await inside.say("owner", "跳过 8:00")
    one.replan(1)
    with monkeypatch.context() as patched:
        patched.setattr(one, "_read", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await one.ring()
    inside.clock.set(start + HOUR)
    await one.ring()
    assert [state for (state,) in inside.read("SELECT state FROM occurrences")] == ["skipped"]
    one.stop()


async def test_another_planning_holds_though_the_groups_could_not_be_read(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is committed by then, and handlers see it: nothing of the old one goes out."""
    one = alarm(inside)
    await one.start()
    assert await one.next_due() == inside.clock.now() + HOUR
    with monkeypatch.context() as patched:
        patched.setattr(one, "_read_all", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await one.change(lambda _store, _now: Planning({}, "Asia/Shanghai", {}))
    inside.clock.advance(HOUR)
    await one.ring()
    assert inside.read("SELECT state FROM occurrences") == []
    one.stop()


async def test_nobody_is_written_to_in_two_groups_in_a_week(tmp_path: Path) -> None:
    """Who is silent in two groups of an account hears of it in one; in the other there is nobody to write to."""
    slot = 'id: a, at: "19:00", on: sun, post: 好久不见, segment: silent-7d'
    found = load(library(tmp_path / "lib", slots=[slot]), kinds(routes()))
    async with Inside(tmp_path / "data", people=("owner", "a"), found=found) as inside:
        await inside.feed(inside.roster("other"))
        for chat in ("g", "other"):
            await inside.say("owner", "开张 试", chat=chat)
        one = alarm(inside)
        await one.start()
        sunday = inside.clock.now() + 6 * DAY + 12 * HOUR
        for week, states in enumerate((["skipped"] * 2, ["claimed", "skipped"], ["claimed", "skipped"])):
            inside.clock.set(sunday + week * 7 * DAY)
            await one.ring()
            rows = inside.read("SELECT state FROM occurrences ORDER BY id DESC LIMIT 2")
            assert sorted(state for (state,) in rows) == states
        one.stop()
