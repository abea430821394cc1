"""红包: given, grabbed, taken back, expired; and every way to ask for it wrongly."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from bot.config import RedPacket, Settings
from bot.errors import NotSent
from bot.model import MINUTE
from tests.harness import Group, World, library

PEOPLE = ("阿强", "小美", "王姐", "老周")


def got(line: str) -> int:
    found = re.search(r"抢到 (\d+) 分", line)
    assert found, line
    return int(found[1])


def books(world: World) -> tuple[object, object, object]:
    """Everything that a refused command must leave alone."""
    return (
        world.sql("SELECT * FROM accounts ORDER BY id"),
        world.sql("SELECT * FROM postings"),
        world.sql("SELECT * FROM packets"),
    )


async def test_a_packet_from_the_treasury_is_shared_out_to_the_point(tmp_path: Path) -> None:
    """All shares are kept before the announcement; they add up, and the best hand is named at the end."""
    async with World(tmp_path) as world:
        group = await world.group(members=PEOPLE)
        said = await group.ask("掌柜", "发红包 100 4")
        assert said == "掌柜 发了一个 100 分的红包，共 4 份。回复「抢」来拿。"
        assert world.sql("SELECT SUM(points), COUNT(*), MIN(points) >= 1 FROM shares") == [(100, 4, 1)]
        assert (group.balance("treasury"), group.balance("escrow")) == (9900, 100)
        lines = {who: await group.ask(who, "抢") for who in PEOPLE}
        won = {who: got(line) for who, line in lines.items()}
        assert sum(won.values()) == 100
        best = max(won.values())
        first = next(who for who in PEOPLE if won[who] == best)
        assert lines["老周"].endswith(f"红包抢完了。手气最佳：{first}，{best} 分。")
        assert [await group.points(who) for who in PEOPLE] == list(won.values())
        assert group.balance("escrow") == 0
        assert "现在没有红包" in await group.ask("掌柜", "抢")
        assert await group.clock(advance="25h") == []


async def test_nobody_gets_two_shares(tmp_path: Path) -> None:
    """Who grabs again reads what they have."""
    async with World(tmp_path) as world:
        group = await world.group()
        await group.say("掌柜", "发红包 10 3")
        first = got(await group.ask("阿强", "抢"))
        for typed in ("抢", "抢红包", "搶", "搶紅包。"):
            assert await group.ask("阿强", typed) == f"@阿强 这个红包你抢过了，得了 {first} 分。"
        assert await group.points("阿强") == first


async def test_of_two_packets_a_member_gets_a_share_of_each(tmp_path: Path) -> None:
    """The latest first, which is the one that everybody has just read of."""
    async with World(tmp_path) as world:
        group = await world.group()
        await group.say("掌柜", "发红包 10 1")
        await group.say("掌柜", "发红包 20 1")
        assert got(await group.ask("阿强", "抢")) == 20
        assert got(await group.ask("阿强", "抢")) == 10


async def test_the_same_order_in_other_words_is_done_once_unless_it_was_taken_back(tmp_path: Path) -> None:
    """What counts is what is asked for; after 撤回红包 the same again is no repetition."""
    async with World(tmp_path) as world:
        group = await world.group()
        assert "发了一个 20 分的红包" in await group.ask("掌柜", "发红包 20 2")
        for typed in ("发红包20 2", "發紅包 +20 02", "发红包：２０ ２。"):
            assert await group.ask("掌柜", typed) == "@掌柜 刚才那条已办。"
        await group.say("掌柜", "撤回红包")
        assert "发了一个 20 分的红包" in await group.ask("掌柜", "发红包 20 2")


async def test_taking_back_twice_in_a_moment_takes_one_packet_back(tmp_path: Path) -> None:
    """The same words come a second time through a bad line; 手气最佳 is named for what was taken."""
    async with World(tmp_path) as world:
        group = await world.group()
        await group.say("掌柜", "发红包 10 1")
        await group.say("掌柜", "发红包 20 2")
        first = got(await group.ask("阿强", "抢"))
        said = await group.ask("掌柜", "撤回红包")
        assert said.endswith(f"撤回了 1 份，共 {20 - first} 分退回国库。手气最佳：阿强，{first} 分。")
        assert await group.ask("掌柜", "撤回红包") == "@掌柜 刚才那条已办。"
        assert got(await group.ask("阿强", "抢")) == 10


async def test_all_who_grab_at_once_stand_in_one_queue(tmp_path: Path) -> None:
    """Twenty who grab at the same moment get ten shares, and the points add up."""
    people = [f"群友{n}" for n in range(20)]
    async with World(tmp_path) as world:
        group = await world.group(members=people)
        await group.say("掌柜", "发红包 100 10")
        address = f"/api/sandbox/groups/{group.id}/messages"
        await asyncio.gather(
            *(world.http.post(address, json={"from": who, "text": "抢"}) for who in [*people, *people])
        )
        await world.settle()
        lines = await group.lines()
        assert sum(got(line) for line in lines if "抢到" in line) == 100
        assert sum("抢到" in line for line in lines) == 10
        assert sum("没有红包" in line or "抢过了" in line for line in lines) == 30


async def test_a_member_gives_from_their_own_purse(tmp_path: Path) -> None:
    """The treasury is not touched, and what nobody took comes back to the giver."""
    async with World(tmp_path) as world:
        group = await world.group()
        await group.say("阿强", "签到")
        assert (await group.ask("阿强", "发红包 5 2")).startswith("阿强 发了一个 5 分的红包，共 2 份")
        assert await group.points("阿强") == 0
        won = got(await group.ask("小美", "抢"))
        said = f"撤回了 1 份，共 {5 - won} 分退回你的钱包。手气最佳：小美，{won} 分。"
        assert await group.ask("阿强", "撤回红包") == f"@阿强 {said}"
        assert await group.points("阿强") == 5 - won
        assert group.balance("treasury") == 10_000
        assert "现在没有红包" in await group.ask("王姐", "抢")


async def test_a_packet_is_for_its_group_alone(tmp_path: Path) -> None:
    """In another group there is nothing to grab, to take back or to pay with."""
    async with World(tmp_path) as world:
        one, other = await world.group(title="甲"), await world.group(title="乙")
        await one.say("掌柜", "发红包 10 2")
        assert "现在没有红包" in await other.ask("阿强", "抢")
        assert "没有可以撤回" in await other.ask("掌柜", "撤回红包")
        assert (one.balance("treasury"), other.balance("treasury")) == (9990, 10_000)


@pytest.mark.parametrize("down", [False, True])
async def test_what_is_left_goes_back_at_expiry(tmp_path: Path, down: bool) -> None:
    """Also when the bot was down at that moment; the best hand is told, and later grabs find nothing."""
    async with World(tmp_path) as world:
        group = await world.group()
        await group.say("掌柜", "发红包 100 3")
        won = got(await group.ask("阿强", "抢"))
        if down:
            await world.restart("25h")
            lines = await group.lines()
        else:
            assert await group.clock(advance="23h") == []
            lines = await group.clock(advance="1h")
        assert lines == [f"红包到时间了，剩下的 2 份共 {100 - won} 分退回国库。手气最佳：阿强，{won} 分。"]
        assert (group.balance("treasury"), group.balance("escrow")) == (10_000 - won, 0)
        assert "现在没有红包" in await group.ask("小美", "抢")


async def test_a_grab_after_the_expiry_is_too_late_even_before_the_timer_rang(tmp_path: Path) -> None:
    """Before an event stamped t, the timers due by t run."""
    async with World(tmp_path, Settings(red_packet=RedPacket(expires=10 * MINUTE))) as world:
        group = await world.group()
        await group.say("掌柜", "发红包 100 3")
        assert world.app.mover is not None
        world.app.mover._clock.set(world.app.clock.now() + 10 * MINUTE)  # nobody rings
        lines = await group.say("阿强", "抢")
        assert "退回国库" in lines[0]
        assert "现在没有红包" in lines[1]


async def test_an_owner_takes_back_what_is_unopened(tmp_path: Path) -> None:
    """The latest packet of the giver's; a member cannot take back the treasury's."""
    async with World(tmp_path) as world:
        group = await world.group()
        await group.say("掌柜", "发红包 100 3")
        assert "没有可以撤回" in await group.ask("阿强", "撤回红包")
        won = got(await group.ask("阿强", "抢"))
        assert f"撤回了 2 份，共 {100 - won} 分退回国库" in await group.ask("掌柜", "撤回紅包")
        assert "没有可以撤回" in await group.ask("掌柜", "撤回红包")
        assert group.balance("treasury") == 10_000 - won
        assert await group.clock(advance="25h") == []


BAD = {
    "发红包": "都是整数",
    "发红包 abc": "都是整数",
    "发红包 100": "都是整数",
    "发红包 1.5 1": "都是整数",
    "发红包 100 10 1": "都是整数",
    "发红包 一百 十": "都是整数",
    "发红包 0x10 1": "都是整数",
    "发红包 10 0": "份数至少 1 份",
    "发红包 10 -3": "份数至少 1 份",
    "发红包 -5 2": "总分至少 1 分",
    "发红包 0 0": "总分至少 1 分",
    "发红包 9999999999999999999 1": "国库只有 10000 分",
    "发红包 10001 1": "国库只有 10000 分",
    f"发红包 {'9' * 5000} 1": "国库只有 10000 分",
    f"发红包 10 {'9' * 99_000}": "份数不能比总分多",
    "发红包 10 11": "份数不能比总分多",
    "發紅包 １０ ０": "份数至少 1 份",
    "发红包 ①②③ 1": "都是整数",
}


async def test_a_packet_asked_for_wrongly_gets_one_clear_sentence(tmp_path: Path) -> None:
    """It says what is wrong, and nothing is changed."""
    async with World(tmp_path) as world:
        group = await world.group()
        before = books(world)
        for typed, sentence in BAD.items():
            said = await group.ask("掌柜", typed)
            assert sentence in said, typed
            assert said.count("\n") == 0
        assert books(world)[0] == before[0]
        assert "你只有 0 分" in await group.ask("阿强", "发红包 1 1")
        assert books(world) == before


async def give(group: Group, typed: str) -> bool:
    return "发了一个" in await group.ask("掌柜", typed)


async def test_a_packet_is_understood_however_it_is_typed(tmp_path: Path) -> None:
    """Without the space, in full width, in traditional characters, at its smallest and its largest."""
    async with World(tmp_path) as world:
        group = await world.group()
        for typed in ("发红包100 10", "發紅包　２０　２", "发红包 1 1", "@小二 发红包 5 5。", "发红包 +6  3"):
            assert await give(group, typed), typed
        assert await give(group, f"发红包 {10_000 - 132} 9868")
        assert group.balance("treasury") == 0


async def test_the_same_message_id_is_done_once(tmp_path: Path) -> None:
    """Whatever comes again under an id, at once, later or after a restart, changes nothing."""
    async with World(tmp_path) as world:
        group = await world.group()
        assert len(await group.say("掌柜", "发红包 100 3", id="x1")) == 1
        assert await group.say("掌柜", "发红包 100 3", id="x1") == []
        assert len(await group.say("阿强", "抢", id="x2")) == 1
        await group.clock(advance="10s")
        assert await group.say("阿强", "抢", id="x2") == []
        await world.restart("1m")
        assert await group.say("掌柜", "发红包 100 3", id="x1") == []
        assert len(await group.say("小美", "签到", id="x3")) == 1
        assert await group.say("小美", "签到", id="x3") == []
        assert len(world.sql("SELECT * FROM packets")) == 1
        lines = [line for line in await group.read() if line["from"] != "bot" and line["text"] == "抢"]
        assert len(lines) == 1


async def test_an_id_counts_in_its_chat_alone(tmp_path: Path) -> None:
    """Two groups may use the same message id."""
    async with World(tmp_path) as world:
        one, other = await world.group(title="甲"), await world.group(title="乙")
        assert len(await one.say("阿强", "签到", id="1")) == 1
        assert len(await other.say("阿强", "签到", id="1")) == 1


async def test_a_money_command_again_within_five_seconds_is_done_once(tmp_path: Path) -> None:
    """Under another id it gets 刚才那条已办; other words, other people and later times are done."""
    async with World(tmp_path) as world:
        group = await world.group()
        await group.say("阿强", "签到")
        assert await give(group, "发红包 10 2")
        before = books(world)
        for typed in ("发红包 10 2", "發紅包 10 2。", "发红包　１０ ２"):
            assert await group.ask("掌柜", typed) == "@掌柜 刚才那条已办。"
        assert books(world) == before
        assert await give(group, "发红包 11 2")
        assert "发了一个" in await group.ask("阿强", "发红包 2 1")
        assert "刚才那条已办" in await group.ask("阿强", "发红包 2 1")
        await group.clock(advance="5s")
        assert await give(group, "发红包 10 2")
        assert len(world.sql("SELECT * FROM packets")) == 4


async def test_a_refused_money_command_may_be_said_again_at_once(tmp_path: Path) -> None:
    """Only what was done is not done twice."""
    async with World(tmp_path) as world:
        group = await world.group()
        assert "你只有 0 分" in await group.ask("阿强", "发红包 5 1")
        await group.say("阿强", "签到")
        assert "发了一个" in await group.ask("阿强", "发红包 5 1")


async def test_a_packet_that_was_never_announced_is_void(tmp_path: Path) -> None:
    """When no line about it went out before its expiry, all of it goes back, without a word."""
    calendar = library(tmp_path / "lib", slots=['id: gift, at: "20:00", do: gift, late: 5m'])
    settings = Settings(red_packet=RedPacket(expires=20 * MINUTE))
    async with World(tmp_path / "data", settings, calendar) as world:
        group = await world.group()
        wire = world.between(lambda _: NotSent("断线"))
        await group.clock(to="2030-01-07T20:00")
        assert group.balance("escrow") == 30
        assert await group.clock(to="2030-01-07T20:30") == []
        assert len(wire.tried) > 3
        wire.trouble = lambda _: None
        assert (group.balance("treasury"), group.balance("escrow")) == (10_000, 0)
        assert world.sql("SELECT state FROM packets") == [("void",)]
        assert world.outcomes(group.id) == {"gift": ("missed", "断线")}
        assert "现在没有红包" in await group.ask("阿强", "抢")


async def test_an_announcement_never_comes_after_its_packet_has_ended(tmp_path: Path) -> None:
    """Where packets live for less than replies do, the announcement is stale with the packet."""
    async with World(tmp_path, Settings(red_packet=RedPacket(expires=2 * MINUTE))) as world:
        group = await world.group()
        wire = world.between(lambda _: NotSent("断线"))
        await group.say("掌柜", "发红包 10 2")
        await group.clock(advance="3m")
        wire.trouble = lambda _: None
        assert await group.clock(advance="5m") == []
        assert world.sql("SELECT state FROM packets") == [("void",)]
        assert group.balance("treasury") == 10_000
