"""The machine's clock is set, and clocks change for summer: time never goes back, and all happens once."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from bot.clock import SystemClock
from bot.config import Settings
from bot.dispatch.turn import Turn
from bot.model import DAY, HOUR, MINUTE, SECOND, Message, Reply
from bot.schedule.alarm import Alarm
from bot.schedule.planning import Planning
from tests.faults.trouble import Machine, told, until
from tests.harness import Inside, World, library

SET = "the machine's clock was set"
SLOTS = [
    'id: eight, at: "08:00", post: 八点, late: 30m',
    'id: nine, at: "09:00", do: call, late: 30m',
    'id: ten, at: "10:00", do: quick, late: 2h',
]


@pytest.fixture(autouse=True)
def _on_both(database: str, tidy: None) -> None:
    """See tests/conftest.py."""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


async def test_a_turns_now_never_goes_back_and_never_stands_still(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the clock is set to between two messages of a group, also when a batch is done again."""
    inside = Inside(tmp_path)
    inside.clock = SystemClock()  # type: ignore[assignment]
    stamps: list[int] = []

    def stamp(message: Message, turn: Turn) -> Reply:
        stamps.append(turn.now)
        return Reply("好", verbatim=True)

    async with inside:
        await inside.say("owner", "开张")
        command = inside.frame.routes.commands["抢"]
        monkeypatch.setitem(inside.frame.routes.commands, "抢", type(command)("stamp", stamp))
        steps = Random(7)
        for number in range(60):
            machine.set(steps.choice((-DAY, -HOUR, -SECOND, 0, SECOND, HOUR, DAY)))
            machine.pass_by(steps.choice((SECOND, MINUTE)))
            await inside.say("a", "抢")
            if number % 10 == 0:
                with pytest.raises(ZeroDivisionError):
                    await inside.writer.run(lambda _: 1 // 0)
        await inside.agree()
    assert len(stamps) == 60
    # Each message came at least a second after the one before it; set back, ours goes at half the pace.
    assert min(later - sooner for sooner, later in pairwise(stamps)) >= SECOND // 2


async def test_who_sleeps_wakes_though_the_clock_was_set_back(machine: Machine) -> None:
    """Or a chat that has had one message would get no second one for an hour."""
    clock = SystemClock()
    sleeper = asyncio.ensure_future(clock.sleep_until(clock.now() + SECOND // 20))
    await asyncio.sleep(0)
    machine.set(-HOUR)
    await asyncio.wait_for(sleeper, 30)


async def test_a_timer_rings_though_the_clock_was_set_back(tmp_path: Path, machine: Machine) -> None:
    """The alarm waits by what has really passed, so that a round closes, and it rings once."""
    inside = Inside(tmp_path)
    inside.clock = SystemClock()  # type: ignore[assignment]
    rang: list[int] = []
    async with inside:
        await inside.say("owner", "开张")
        inside.frame.routes.timers["quiz.next"] = lambda timer, turn: rang.append(timer.subject)
        alarm = Alarm(inside.clock, inside.writer, inside.dispatcher, Planning({}, "Asia/Shanghai", {}))
        await alarm.start()
        due = inside.clock.now() + SECOND // 5
        await inside.writer.run(lambda store: store.timers.set(1, "quiz.next", 5, due))
        for lane in (inside.dispatcher._lanes, inside.dispatcher._turns._lanes):
            lane["sandbox", "g"].next_due = due
        alarm.due(due)
        machine.set(-HOUR)
        await until(lambda: rang)
        await until(lambda: not inside.read("SELECT * FROM timers"))
        alarm.stop()
        assert rang == [5]


async def test_a_day_forward_and_an_hour_back_double_and_lose_nothing(
    tmp_path: Path, machine: Machine
) -> None:
    """What is late goes out late, what is too late is missed with its reason, and nothing comes twice."""
    root = library(tmp_path / "lib", slots=SLOTS)
    async with World(tmp_path / "data", library=root) as world:
        group = await world.group()

        async def look() -> list[str]:
            """What the alarm does by itself once a minute."""
            armed = world.app.alarm._next
            assert armed is not None
            assert armed.when() - asyncio.get_running_loop().time() <= 60
            await world.app.alarm.ring()
            await world.settle()
            return await group.lines()

        with capture_logs() as lines:
            machine.set(HOUR + 10 * MINUTE)  # Monday, 08:10
            assert await look() == ["八点"]
            assert world.outcomes(group.id) == {"eight": ("late", "")}
            machine.set(-HOUR)
            for _ in range(3):
                machine.pass_by(SECOND)
                assert await look() == []
            assert "签到成功" in await group.ask("阿强", "签到")
            assert (await group.ask("阿强", "签到")).startswith("@阿强 今天已签到")
            machine.set(HOUR + DAY)  # Tuesday, 08:10
            assert await look() == ["八点"]
            assert "连续 2 天" in await group.ask("阿强", "签到")
            days = world.sql("SELECT slot, local, state, reason FROM occurrences ORDER BY due")
            assert [(slot.partition("/")[2], *rest) for slot, *rest in days] == [
                ("eight", "2030-01-07T08:00", "late", ""),
                ("nine", "2030-01-07T09:00", "missed", "过了时间才轮到"),
                ("ten", "2030-01-07T10:00", "missed", "过了时间才轮到"),
                ("eight", "2030-01-08T08:00", "late", ""),
            ]
            machine.set(2 * HOUR)  # Tuesday, 10:10: a game begins late and goes on through a set clock
            assert [line for line in await look() if "快问" in line] == ["快问，共 2 题"]
            machine.set(-HOUR)
            for _ in range(12):
                machine.pass_by(30 * SECOND)
                await look()
        assert world.sql("SELECT state, COUNT(*) FROM quizzes GROUP BY state") == [("done", 1)]
        assert world.sql("SELECT COUNT(*) FROM timers WHERE kind LIKE 'quiz%'") == [(0,)]
        assert [(one["event"], one["seconds"]) for one in lines if one["event"] == SET] == [
            (SET, seconds) for seconds in (4200, -3600, 3600 + 86400, 7200, -3600)
        ]
        assert set(told(lines)) == {SET, "notice"}
        assert sum(one.get("missed", 0) for one in lines) == 3


async def test_a_restart_with_the_clock_set_back_doubles_nothing(tmp_path: Path, machine: Machine) -> None:
    """What was said in the hour that comes again is not said again."""
    root = library(tmp_path / "lib", slots=SLOTS[:2])
    async with World(tmp_path / "data", library=root) as world:
        group = await world.group()
        assert await group.clock(to="2030-01-07T08:20") == ["八点"]
        assert "签到成功" in await group.ask("阿强", "签到")
        machine.set(-HOUR)
        await world.restart()
        assert (await world.now()).strftime("%H:%M") == "07:20"
        assert (await group.ask("阿强", "签到")).startswith("@阿强 今天已签到")
        assert await group.clock(to="2030-01-07T08:30") == []
        assert await group.clock(to="2030-01-07T09:30") == ["早上好"]
        assert {slot: state for slot, (state, _) in world.outcomes(group.id).items()} == {
            "eight": "sent",
            "nine": "sent",
        }


NIGHT = ("00:30", "01:00", "01:30", "02:00", "02:30", "03:00", "03:30", "12:00", "23:30")


@pytest.mark.parametrize(
    ("zone", "eve"),
    [
        ("Europe/Berlin", "2030-03-30"),
        ("Europe/Berlin", "2030-10-26"),
        ("America/New_York", "2030-03-09"),
        ("America/New_York", "2030-11-02"),
    ],
)
async def test_a_night_in_which_clocks_change_has_all_its_slots_once(
    tmp_path: Path, zone: str, eve: str
) -> None:
    """Through the whole bot, stepping on every due moment: each local date has each slot, in order."""
    slots = [f'id: s{at.replace(":", "")}, at: "{at}", post: "播报 {at}", late: 10m' for at in NIGHT]
    root = library(tmp_path / "lib", slots=slots)
    first = datetime.fromisoformat(eve).replace(tzinfo=ZoneInfo(zone))
    start = int(first.timestamp()) * SECOND
    days = [(first + timedelta(days=n)).strftime("%Y-%m-%d") for n in range(3)]
    async with World(tmp_path / "data", Settings(timezone=zone), root, start=start) as world:
        group = await world.group()
        with capture_logs() as lines:
            await world.advance("71h")
            # The day that clocks change is an hour longer or shorter: up to the third midnight, and not on.
            end = (first + timedelta(days=3)).timestamp() - 60
            rest = end - (await world.now()).timestamp()
            if rest > 0:
                await world.advance(f"{int(rest)}s")
        said = [line for line in await group.lines() if line.startswith("播报")]
        found: list[tuple[Any, ...]] = world.sql(
            "SELECT o.local, o.state FROM occurrences o JOIN groups g ON g.id = o.group_id "
            "WHERE g.chat = ? ORDER BY o.due",
            group.id,
        )
    wanted = [f"{day}T{at}" for day in days for at in NIGHT if f"{day}T{at}" <= found[-1][0]]
    assert len(wanted) >= 2 * len(NIGHT)
    assert Counter(local for local, _ in found) == Counter(wanted)
    assert {state for _, state in found} == {"sent"}
    assert Counter(said) == Counter(f"播报 {local[-5:]}" for local in wanted)
    assert told(lines) == []
