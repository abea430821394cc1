"""What an owner moves or skips: once, at its new time or not at all, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import TypeVar

from bot.dispatch.turn import Turn
from bot.model import HOUR, Occurrence
from storage.store import Store
from tests.harness import World, library

T = TypeVar("T")
SLOTS = ['id: a, at: "20:00", post: 一, late: 10m', 'id: b, at: "21:00", post: 二, warm_up: [-30m]']


def world_of(tmp_path: Path) -> World:
    return World(tmp_path / "data", None, library(tmp_path / "lib", slots=SLOTS))


async def say(world: World, do: Callable[[Turn, dict[str, Occurrence]], T]) -> T:
    """What a command of the owner's does, with the plan of the next five hours by its slots."""
    turns = world.app.dispatcher._turns
    lane = next(one for one in turns._lanes.values() if one.group.title == "试验群")

    def unit(store: Store) -> tuple[T, bool]:
        turn = Turn(turns._frame, store, lane, world.app.clock.now())
        ahead = turn.plan(turn.now, turn.now + 5 * HOUR)
        return do(turn, {one.slot.partition("/")[2]: one for one in ahead}), turn.replan

    answer, replan = await world.app.database.writer.run(unit)
    if replan:
        world.app.alarm.replan(lane.group.id)
    await world.settle()
    return answer


async def test_a_moved_slot_comes_once_at_its_new_time(tmp_path: Path) -> None:
    """Over a restart too, and however often it is moved."""
    async with world_of(tmp_path) as world:
        group = await world.group()
        await group.clock(to="2030-01-07T19:00")
        assert await say(world, lambda turn, due: turn.move_slot(due["a"], time(20, 30)))
        assert await say(world, lambda turn, due: turn.move_slot(due["a"], time(20, 20)))
        assert await group.clock(to="2030-01-07T20:10") == []
        await world.restart()
        assert await group.clock(to="2030-01-07T20:19") == []
        assert await group.clock(to="2030-01-07T20:20") == ["一"]
        await world.restart("5m")
        lines = await group.clock(to="2030-01-07T20:40")
        assert lines == ["今天 21:00 有「二」，到时候见。"]
        assert world.outcomes(group.id)["a"] == ("sent", "")
        assert world.sql("SELECT COUNT(*) FROM occurrences WHERE slot = 'week/a'") == [(1,)]
        assert await group.clock(to="2030-01-08T20:00") == ["二", "一"]


async def test_a_slot_may_come_earlier_and_its_announcement_with_it(tmp_path: Path) -> None:
    """The slot's own time puts it back."""
    async with world_of(tmp_path) as world:
        group = await world.group()
        await group.clock(to="2030-01-07T19:00")
        assert await say(world, lambda turn, due: turn.move_slot(due["b"], time(19, 40)))
        assert await group.clock(to="2030-01-07T19:40") == ["今天 19:40 有「二」，到时候见。", "二"]
        assert await say(world, lambda turn, due: turn.move_slot(due["a"], time(20, 30)))
        assert await say(world, lambda turn, due: turn.move_slot(due["a"], time(20, 0)))
        assert await group.clock(to="2030-01-07T23:00") == ["一"]


async def test_a_skipped_slot_says_that_its_owner_wanted_it(tmp_path: Path) -> None:
    """What comes before it is skipped too; the next day it is there again."""
    async with world_of(tmp_path) as world:
        group = await world.group()
        await group.clock(to="2030-01-07T19:00")
        assert await say(world, lambda turn, due: turn.skip_slot(due["b"]))
        assert await group.clock(to="2030-01-07T21:30") == ["一"]
        skipped = ("skipped", "群主说了跳过")
        assert world.outcomes(group.id) == {"a": ("sent", ""), "b~-30m": skipped, "b": skipped}
        assert len(await group.clock(to="2030-01-08T21:30")) == 3


async def test_what_is_past_cannot_be_moved_or_skipped(tmp_path: Path) -> None:
    """Nor can anything be moved to a time that is past."""
    async with world_of(tmp_path) as world:
        group = await world.group()
        await group.clock(to="2030-01-07T19:00")
        before = await say(world, lambda _, due: due["a"])
        assert not await say(world, lambda turn, due: turn.move_slot(due["a"], time(18, 0)))
        await group.clock(to="2030-01-07T20:00")
        assert not await say(world, lambda turn, _: turn.skip_slot(before))
        assert not await say(world, lambda turn, _: turn.move_slot(before, time(22, 0)))
        assert world.sql("SELECT COUNT(*) FROM moves") == [(0,)]


async def test_one_group_is_planned_as_it_is_among_all(tmp_path: Path) -> None:
    """What the chat shows, read for one group alone, is what the alarm goes by."""
    root = library(tmp_path / "lib", slots=[*SLOTS, 'id: c, at: "19:30", day: 2, post: 好'])
    async with World(tmp_path / "data", None, root) as world:
        groups = [await world.group(), await world.group("乙"), await world.group("丙", tags=[])]
        await groups[0].join("新来的")
        await groups[0].clock(to="2030-01-07T19:00")
        await say(world, lambda turn, due: (turn.move_slot(due["a"], time(20, 30)), turn.skip_slot(due["b"])))
        start, planning = world.app.clock.now(), world.app.planning

        def look(store: Store) -> bool:
            every = planning.plans(planning.groups(store, start), start).between(start, start + 72 * HOUR)
            assert {one.group for one in every} == {2, 3}
            assert {one.skip or one.note for one in every} == {"", "原定 20:00", "群主说了跳过"}
            return all(
                planning.of(store, key, start, start + 72 * HOUR)
                == [one for one in every if one.group == key]
                for key in (1, 2, 3, 4)
            )

        assert await world.app.database.read(look)
