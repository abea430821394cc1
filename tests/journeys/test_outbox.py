"""The outbox as groups see it: a calendar's post that may have arrived, and a pace that is asked for."""

from __future__ import annotations

from pathlib import Path

from bot.config import Pace, Settings
from bot.errors import Unsure
from bot.model import Say
from tests.harness import World, library


async def word(world: World, number: int, said: str) -> int:
    """What an operator says of a message; the answer's code."""
    answer = await world.http.post(
        f"/api/outbox/{number}/{said}", headers={"X-Xiaoer-Since": world.app.since}
    )
    await world.settle()
    return answer.status_code


async def test_a_post_that_may_have_arrived_is_settled_or_sent_again(tmp_path: Path) -> None:
    """Its slot follows: what arrived was sent; what goes again late is late; nothing goes by itself."""
    slots = ('id: a, at: "08:00", post: 早, late: 30m', 'id: b, at: "09:00", post: 晚, late: 30m')
    async with World(tmp_path / "data", None, library(tmp_path / "lib", slots=slots)) as world:
        group = await world.group()
        wire = world.between(lambda one: Unsure("断") if isinstance(one, Say) else None)
        await group.clock(to="2030-01-07T09:10")
        assert world.outcomes(group.id) == {"a": ("unknown", "断"), "b": ("unknown", "断")}
        wire.trouble = lambda _: None
        (first,), (second,) = world.sql("SELECT id FROM outbox WHERE state = 'unknown' ORDER BY id")
        assert await group.clock(advance="1h") == []
        assert await word(world, first, "settle") == 200
        assert await word(world, second, "resend") == 200
        assert await group.lines() == ["晚"]
        assert world.outcomes(group.id) == {"a": ("sent", ""), "b": ("late", "")}
        assert [await word(world, number, "settle") for number in (first, second, 999)] == [409, 409, 404]
        assert world.sql("SELECT COUNT(*) FROM outbox WHERE state <> 'sent'") == [(0,)]


async def test_a_sandbox_with_a_pace_merges_and_without_one_does_not(tmp_path: Path) -> None:
    """A hundred sign-ins at once: a line for everybody, in a few messages, and in the group's order."""
    names = [f"群友{number}" for number in range(100)]
    for pace, most in ((None, 100), (Pace(), 5)):
        data = tmp_path / str(most)
        async with World(data, Settings(pace=pace), library(tmp_path / f"lib{most}")) as world:
            group = await world.group(members=names)
            for name in names:
                answer = await world.http.post(
                    f"/api/sandbox/groups/{group.id}/messages", json={"from": name, "text": "签到"}
                )
                assert answer.status_code == 202
            await world.settle()
            said = await group.lines() + await group.clock(advance="1m")
            assert len(said) == 100 if pace is None else len(said) <= most
            places = [line.partition("第 ")[2].partition(" ")[0] for one in said for line in one.splitlines()]
            assert [place for place in places if place] == [str(number) for number in range(1, 101)]


async def test_who_says_nothing_to_wait_for_is_answered_at_once(tmp_path: Path) -> None:
    """Also with a pace: the first answer does not wait for company."""
    async with World(tmp_path / "data", Settings(pace=Pace()), library(tmp_path / "lib")) as world:
        group = await world.group()
        await group.clock(advance="1m")
        assert len(await group.say("阿强", "签到")) == 1
