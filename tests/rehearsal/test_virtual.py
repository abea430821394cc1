"""Virtual time passes at once, and exactly; and what a crash cuts is undone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from bot.model import DAY, HOUR, SECOND
from bot.rehearsal.crash import Crash, Fate
from bot.rehearsal.virtual import VirtualClock, VirtualLoop
from storage.database import look
from storage.inline import InlineDatabase
from storage.store import Store

START = 1_767_542_400_000_000


@pytest.fixture
def loop() -> VirtualLoop:
    return VirtualLoop(START)


def test_who_sleeps_wakes_at_the_very_microsecond(loop: VirtualLoop) -> None:
    """A year goes by at once, and no moment in it is missed by a rounding."""
    clock, woken = VirtualClock(loop), []

    async def sleep_until(moment: int) -> None:
        await clock.sleep_until(moment)
        woken.append(clock.now())

    async def all_sleep() -> None:
        await asyncio.gather(*map(sleep_until, moments))

    chance = Random(1)
    moments = [START + chance.randrange(366 * DAY) for _ in range(500)]
    loop.run_until_complete(all_sleep())
    assert woken == sorted(moments)
    loop.close()


def test_what_is_ready_goes_before_time_does(loop: VirtualLoop) -> None:
    """However much there is to do at one moment, the next comes when all of it is done."""
    done: list[int] = []

    async def work() -> None:
        for _ in range(100):
            await asyncio.sleep(0)
        done.append(loop.now)

    async def main() -> None:
        loop.at(START + SECOND, lambda: done.append(loop.now))
        tasks = [loop.create_task(work()) for _ in range(10)]
        await asyncio.gather(*tasks)
        await asyncio.sleep(1)

    loop.run_until_complete(main())
    assert done == [START] * 10 + [START + SECOND]
    loop.close()


def test_who_waits_for_nothing_is_told_so(loop: VirtualLoop) -> None:
    """In a rehearsal nothing comes from outside, so to wait without a timer is to wait for ever."""
    with pytest.raises(RuntimeError, match="nothing will ever happen"):
        loop.run_until_complete(_for_ever())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(("steps", "kept"), [(1, False), (2, True)])
def test_a_crash_falls_before_or_after_a_commit(
    tmp_path: Path, loop: VirtualLoop, steps: int, kept: bool
) -> None:
    """Before it nothing is there, after it all is; and nobody hears of it any more in either case."""
    fate, heard = Fate(_After(steps)), []

    def add(store: Store) -> None:
        store.groups.add("rehearsal", "g1")

    async def life() -> None:
        made.append(InlineDatabase(tmp_path, fate.step))
        made[0].writer.submit(add, lambda *answer: heard.append(answer))
        await asyncio.sleep(HOUR)

    made: list[InlineDatabase] = []
    with pytest.raises(Crash):
        loop.run_until_complete(life())
    made[0].cut()
    made[0].writer.submit(add, lambda *answer: heard.append(answer))
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert bool(look(tmp_path, lambda store: store.groups.all())) == kept
    assert (heard, fate.crashes) == ([], 1)


class _After(Random):
    """A chance that says after how many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._steps = steps

    def randint(self, a: int, b: int) -> int:
        return self._steps
