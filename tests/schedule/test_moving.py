"""The clocks, and moving one: every due moment on the way is stepped on."""

from __future__ import annotations

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from bot.clock import MovableClock, SystemClock, as_datetime, as_moment
from bot.model import DAY, HOUR, MINUTE, SECOND
from bot.schedule.moving import Mover
from tests.fakes import MONDAY


class Rings:
    """An alarm with some moments, and a note of when it rang."""

    def __init__(self, clock: MovableClock, *dues: int) -> None:
        self.clock = clock
        self.dues = sorted(dues)
        self.rang: list[int] = []

    async def next_due(self) -> int:
        return self.dues[0] if self.dues else 0

    async def ring(self) -> None:
        now = self.clock.now()
        while self.dues and self.dues[0] <= now:
            self.rang.append(self.dues.pop(0))

    async def look(self) -> None:
        """Nothing went wrong."""


def mover(clock: MovableClock, rings: Rings, saved: list[int]) -> Mover:
    async def save(ahead: int) -> None:
        saved.append(ahead)

    return Mover(clock, rings, lambda: False, save)


async def test_every_moment_on_the_way_is_stepped_on_in_order() -> None:
    """Each is rung at its own time; what lies beyond stays."""
    clock = MovableClock()
    start = clock.now()
    rings = Rings(clock, *(start + n * MINUTE for n in (3, 1, 2, 9)))
    saved: list[int] = []
    await mover(clock, rings, saved).move(start + 5 * MINUTE)
    assert rings.rang == [start + n * MINUTE for n in (1, 2, 3)]
    assert rings.dues == [start + 9 * MINUTE]
    assert 0 <= clock.now() - start - 5 * MINUTE < 10 * SECOND
    assert saved == sorted(saved)
    assert saved[-1] <= clock.ahead + SECOND


async def test_a_clock_is_kept_before_it_moves() -> None:
    """So that after a crash it is never behind what was already seen."""
    clock = MovableClock()
    order: list[str] = []

    class Watched(Rings):
        async def ring(self) -> None:
            order.append("rang")

    async def save(ahead: int) -> None:
        assert ahead > clock.ahead
        order.append("saved")

    await Mover(clock, Watched(clock), lambda: False, save).move(clock.now() + MINUTE)
    assert order == ["saved", "rang"]


async def test_a_clock_does_not_go_back() -> None:
    """Neither when it is asked to nor when the machine's does."""
    clock = MovableClock(5 * MINUTE)
    now = clock.now()
    clock.set(now - MINUTE)
    assert clock.now() >= now
    with pytest.raises(ValueError, match=str(now - MINUTE)):
        await mover(clock, Rings(clock), []).move(now - MINUTE)


async def test_who_sleeps_is_woken_when_the_clock_moves() -> None:
    """At their moment, and not before."""
    clock = MovableClock()
    until = clock.now() + MINUTE
    sleeper = asyncio.ensure_future(clock.sleep_until(until))
    await asyncio.sleep(0)
    assert clock.next_wake() == until
    clock.set(until - SECOND)
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.set(until)
    await asyncio.wait_for(sleeper, 30)
    assert clock.next_wake() == 0


async def test_who_sleeps_beyond_a_move_has_less_left() -> None:
    """Not the whole span once more."""
    clock = MovableClock()
    until = clock.now() + HOUR
    sleeper = asyncio.ensure_future(clock.sleep_until(until))
    await asyncio.sleep(0)
    clock.set(until - SECOND // 100)
    await asyncio.wait_for(sleeper, 30)
    assert clock.now() >= until


def test_the_machines_clock_set_back_slows_ours_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on at half the pace until the machine's has caught up; each step is told of once."""
    ticks = wall = MONDAY * 1000
    monkeypatch.setattr(time, "monotonic_ns", lambda: ticks)
    monkeypatch.setattr(time, "time_ns", lambda: wall)
    clock = SystemClock()
    assert clock.now() == MONDAY
    with capture_logs() as lines:
        wall -= HOUR * 1000
        assert clock.now() == MONDAY
        for minutes in range(1, 121):
            ticks += MINUTE * 1000
            wall += MINUTE * 1000
            half_pace, machine = minutes * MINUTE // 2, (minutes - 60) * MINUTE
            assert clock.now() == MONDAY + max(half_pace, machine)
        ticks, wall = ticks + MINUTE * 1000, wall + MINUTE * 1000
        assert clock.now() == MONDAY + HOUR + MINUTE
        wall += DAY * 1000
        assert clock.now() == MONDAY + HOUR + MINUTE + DAY
    assert [line["seconds"] for line in lines] == [-3600, 86400]


def test_moments_are_microseconds() -> None:
    """There and back, to the microsecond."""
    for moment in (0, 1, 1_893_970_800_123_456):
        assert as_moment(as_datetime(moment)) == moment
