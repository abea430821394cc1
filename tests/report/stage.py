"""A week that was played by hand, with figures that can be counted."""

from __future__ import annotations

from pathlib import Path

from bot.config import Settings
from tests.harness import Group, World, library

SLOTS = (
    'id: call, at: "08:00", do: call',
    'id: note, at: "12:00", on: mon, post: "=1+1 看今天的行情"',
    'id: quiz, at: "20:00", on: tue, do: quick',
    'id: gift, at: "20:00", on: wed, do: gift, late: 30m',
)
PEOPLE = tuple(f"邻居{number}" for number in range(1, 8))


def world(tmp_path: Path, reports_to: str = "") -> World:
    settings = Settings(reports_to=reports_to)
    return World(tmp_path / "data", settings, library(tmp_path / "lib", slots=SLOTS))


async def play(world: World, title: str = "=SUM(街坊)") -> Group:
    """Monday to Wednesday in a group of an owner and seven: 3 sign in, 4 answer, 2 grab."""
    group = await world.group(title, members=PEOPLE)
    await group.say(PEOPLE[6], "签到")  # before the call
    await world.to("2030-01-07T08:10")
    for who in PEOPLE[:3]:
        await group.say(who, "签到")
    await world.to("2030-01-07T12:30")
    for who in PEOPLE[:2]:
        await group.say(who, "涨了涨了")
    await world.to("2030-01-07T13:30")
    await group.say(PEOPLE[0], "又跌了")
    await world.to("2030-01-08T20:00:10")
    for who, answer in zip(PEOPLE, ("B", "B", "A", "C"), strict=False):
        await group.say(who, answer)
    await world.to("2030-01-08T20:01:20")
    await group.say(PEOPLE[0], "D")
    await world.restart("24h")  # away until Wednesday, 20:01 and more
    for who in PEOPLE[:2]:
        await group.say(who, "抢")
    await world.to("2030-01-09T20:05")
    return group


async def busy(world: World, title: str) -> Group:
    """A group in which somebody signs in."""
    group = await world.group(title)
    await group.say("阿强", "签到")
    return group
