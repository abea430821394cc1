"""日程: slots fire where and when they should, once, late or not at all, and say why."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.config import Settings
from bot.errors import Unsure
from tests.harness import SHIPPED, World, library

BANK = {"早": "08:00", "午": "12:10"}


def world_of(tmp_path: Path, *slots: str, settings: Settings | None = None) -> World:
    return World(tmp_path / "data", settings, library(tmp_path / "lib", slots=slots))


async def test_one_real_week_for_the_bank_and_for_the_shop(tmp_path: Path) -> None:
    """Each group gets what its own calendar holds, all of it once, and nothing of the other's."""
    async with World(tmp_path) as world:
        bank = await world.first()
        shop = await world.group("福利群", "老板", tags=["福利"])
        both = await world.group("两样", "老板", tags=["福利", "理财"])
        none = await world.group("没有", "老板", tags=[])
        await world.to("2030-01-14T07:00")
        ours, theirs = world.outcomes("g1"), world.outcomes(shop.id)
        assert (len(ours), len(theirs)) == (12, 18)
        assert {state for state, _ in (*ours.values(), *theirs.values())} == {"sent"}
        assert world.outcomes(both.id) == {**ours, **theirs}
        assert world.outcomes(none.id) == {}
        packets = [line for line in await shop.lines() if "积分红包" in line and "分成" in line]
        assert ["共 100 积分，分成 15 份" in packets[0], "共 300 积分，分成 30 份" in packets[1]] == [
            True,
            True,
        ]
        assert len([line for line in await bank.lines() if line.startswith("早上好")]) == 5
        assert await none.lines() == []
        counts = world.sql("SELECT slot, COUNT(*) FROM occurrences WHERE group_id = 1 GROUP BY slot")
        assert dict(counts)["bank-week/bank-morning"] == 5


async def test_the_shops_packets_come_on_wednesday_and_saturday_at_eight(tmp_path: Path) -> None:
    """And one is there to be grabbed."""
    async with World(tmp_path) as world:
        shop = await world.group("福利群", "老板", tags=["福利"])
        for day in ("2030-01-09", "2030-01-12"):
            await shop.clock(to=f"{day}T19:59")
            assert "现在没有红包" in await shop.ask("小美", "抢") or day == "2030-01-12"
            (said,) = await shop.clock(to=f"{day}T20:00")
            assert "积分红包" in said
            assert "抢到" in await shop.ask("阿强", "抢")
            await shop.clock(advance="25h")


async def test_nothing_fires_that_was_due_before_the_opening_or_the_tag(tmp_path: Path) -> None:
    """A group that opens at 08:01, or gets its tag then, does not get the slot of 08:00."""
    async with world_of(tmp_path, 'id: a, at: "08:00", post: 早', 'id: b, at: "09:00", post: 晚') as world:
        early = await world.group("早", tags=["别的"])
        await world.to("2030-01-07T08:01")
        late = await world.group("晚")
        await early.say("掌柜", "开张 试")
        await world.to("2030-01-07T09:30")
        assert (await early.lines(), await late.lines()) == (["晚"], ["晚"])
        assert world.outcomes(early.id) == world.outcomes(late.id) == {"b": ("sent", "")}


async def test_a_slot_goes_by_the_time_zone_of_the_settings(tmp_path: Path) -> None:
    """08:00 in Tokyo is 07:00 in Shanghai."""
    zone = Settings(timezone="Asia/Tokyo")
    async with world_of(tmp_path, 'id: a, at: "08:30", post: 早', settings=zone) as world:
        group = await world.group()
        assert await group.clock(to="2030-01-07T08:29") == []
        assert await group.clock(to="2030-01-07T07:30+08:00") == ["早"]
        assert world.sql("SELECT local FROM occurrences") == [("2030-01-07T08:30",)]


async def test_a_slot_goes_by_the_time_zone_of_the_group(tmp_path: Path) -> None:
    """What a group has set comes before the settings."""
    async with world_of(tmp_path, 'id: a, at: "08:30", post: 早') as world:
        group, other = await world.group(), await world.group(title="乙")
        await world.down()
        world.sql("UPDATE groups SET timezone = 'Asia/Tokyo' WHERE chat = ?", group.id)
        await world.up()
        assert await group.clock(to="2030-01-07T07:30") == ["早"]
        assert await other.lines() == []
        assert await other.clock(to="2030-01-07T08:30") == ["早"]
        assert await group.lines() == []


@pytest.mark.parametrize(
    ("away", "outcome"),
    [
        ("65m", ("late", "")),
        ("69m", ("late", "")),
        ("70m", ("missed", "过了时间才轮到")),
        ("60m", ("sent", "")),
    ],
)
async def test_a_slot_that_was_slept_through_is_late_or_missed(
    tmp_path: Path, away: str, outcome: tuple[str, str]
) -> None:
    """Within its `late` it is sent and marked; beyond it is missed, with the reason."""
    async with world_of(tmp_path, 'id: a, at: "08:00", post: 早, late: 10m') as world:
        group = await world.group()
        await group.clock(to="2030-01-07T07:00:20")
        await world.restart(away)
        assert await group.lines() == (["早"] if outcome[0] != "missed" else [])
        assert world.outcomes(group.id) == {"a": outcome}
        await world.restart()
        assert await group.lines() == []
        note = {"sent": "已发", "late": "晚了，已发", "missed": "错过了（过了时间才轮到）"}[outcome[0]]
        assert await group.ask("掌柜", "今日安排") == f"@掌柜 今日安排\n08:00 早，{note}"


async def test_a_night_offline_does_not_end_in_a_burst(tmp_path: Path) -> None:
    """Of all that was due, only what may still be late is said."""
    slots = [f'id: s{hour}, at: "{hour:02}:00", post: {hour} 点, late: 10m' for hour in range(8, 20)]
    async with world_of(tmp_path, *slots) as world:
        group = await world.group()
        await world.restart("12h5m")
        assert await group.lines() == ["19 点"]
        assert [state for state, _ in world.outcomes(group.id).values()] == ["missed"] * 11 + ["late"]


async def test_a_pause_skips_what_falls_due_and_nothing_else(tmp_path: Path) -> None:
    """Skipped with its reason; sign-ins go on; 继续 makes up for nothing."""
    slots = ['id: a, at: "08:00", post: 一', 'id: b, at: "09:00", post: 二']
    async with world_of(tmp_path, *slots) as world:
        group = await world.group()
        assert "暂停了" in await group.ask("掌柜", "@小二 暂停")
        assert "本来就暂停" in await group.ask("掌柜", "@小二 暂停")
        assert await group.clock(to="2030-01-07T08:30") == []
        assert "签到成功" in await group.ask("阿强", "签到")
        assert (
            await group.ask("掌柜", "今日安排")
            == "@掌柜 今日安排\n08:00 一，跳过了（暂停中）\n09:00 二，跳过（暂停中）"
        )
        await world.restart("1m")
        assert "继续" in await group.ask("掌柜", "继续")
        assert await group.clock(to="2030-01-07T09:30") == ["二"]
        assert world.outcomes(group.id) == {"a": ("skipped", "暂停中"), "b": ("sent", "")}


async def test_a_slot_waits_for_a_game_that_runs(tmp_path: Path) -> None:
    """Due in the middle of a quiz, it comes after it; where that is too late it is missed."""
    slots = [
        'id: game, at: "08:00", do: quick',
        'id: post, at: "08:01", post: 等等我, late: 10m',
        'id: hasty, at: "08:01", post: 等不及, late: 1m',
    ]
    async with world_of(tmp_path, *slots) as world:
        group = await world.group()
        assert len(await group.clock(to="2030-01-07T08:00")) == 2
        assert not any("等" in line for line in await group.clock(to="2030-01-07T08:02:09"))
        lines = await group.clock(to="2030-01-07T08:03")
        assert lines[-1] == "等等我"
        assert world.outcomes(group.id) == {
            "game": ("sent", ""),
            "post": ("late", ""),
            "hasty": ("missed", "等不到游戏结束"),
        }


async def test_todays_plan_says_what_comes_and_what_became_of_the_rest(tmp_path: Path) -> None:
    """By time, with the titles of activities and the first line of posts."""
    async with World(tmp_path) as world:
        group = await world.first()
        await group.clock(to="2030-01-08T13:00")
        said = await group.ask("陈经理", "今日安排")
        lines = said.splitlines()
        assert (lines[0], lines[3:]) == ("@陈经理 今日安排", ["20:00 理财小问答"])
        assert re.fullmatch("08:00 早安签到.*，已发", lines[1])
        assert re.fullmatch("12:10 【午间一刻】.*，已发", lines[2])
        empty = await world.group(tags=[])
        assert await empty.ask("掌柜", "今日安排") == "@掌柜 今天没有安排。"


@pytest.mark.parametrize("typed", ["@小二 开始 小红包", "開始 小紅包。", "@小二 开始 gift", "开始　ＧＩＦＴ"])
async def test_an_owner_starts_an_activity_by_its_title_or_id(tmp_path: Path, typed: str) -> None:
    """At any time, with or without the call; again within five seconds it is the same one."""
    async with world_of(tmp_path) as world:
        group = await world.group()
        assert await group.ask("掌柜", typed) == "红包 30 分 3 份"
        assert "刚才那条已办" in await group.ask("掌柜", typed)
        assert group.balance("escrow") == 30


async def test_a_slot_that_the_treasury_cannot_pay_fails_with_its_reason(tmp_path: Path) -> None:
    """Nothing is said in the group; the owner reads why in 今日安排."""
    async with world_of(tmp_path, 'id: a, at: "08:00", do: huge') as world:
        group = await world.group()
        assert await group.clock(to="2030-01-07T08:30") == []
        why = "国库只有 10000 分，不够发这个红包。"
        assert world.outcomes(group.id) == {"a": ("failed", why)}
        assert f"08:00 大红包，没发成（{why}）" in await group.ask("掌柜", "今日安排")
        assert world.sql("SELECT COUNT(*) FROM timers") == [(0,)]
        assert f"@掌柜 {why}" == await group.ask("掌柜", "@小二 开始 大红包")


async def test_an_opening_that_may_have_arrived_is_unknown_and_not_sent_again(tmp_path: Path) -> None:
    """Its occurrence says so, over a restart too."""
    async with world_of(tmp_path, 'id: a, at: "08:00", post: 早') as world:
        group = await world.group()
        wire = world.between(lambda _: Unsure("连接断了"))
        await group.clock(to="2030-01-07T08:00")
        await world.restart("1m")
        await group.clock(advance="1h")
        assert len(wire.tried) == 1
        assert world.outcomes(group.id) == {"a": ("unknown", "连接断了")}


async def test_no_occurrence_is_doubled_by_a_restart_at_its_moment(tmp_path: Path) -> None:
    """However often the bot starts in the minute that something is due, it is sent once."""
    async with world_of(tmp_path, 'id: a, at: "08:00", do: gift') as world:
        group = await world.group()
        await world.restart("1h")
        for _ in range(3):
            await world.restart("10s")
        assert await group.lines() == ["红包 30 分 3 份"]
        assert group.balance("escrow") == 30


async def test_a_slot_keeps_its_place_when_the_calendar_is_edited(tmp_path: Path) -> None:
    """A slot added while the bot was down does not fire for what was due before it was there."""
    async with world_of(tmp_path, 'id: a, at: "08:00", post: 一') as world:
        group = await world.group()
        assert await group.clock(to="2030-01-07T08:05") == ["一"]
        await world.down()
        library(tmp_path / "lib", slots=['id: b, at: "08:04", post: 二', 'id: a, at: "08:00", post: 一'])
        await world.up()
        assert await group.clock(to="2030-01-07T09:00") == []
        assert len(await group.clock(to="2030-01-08T09:00")) == 2


async def test_a_faulty_file_is_put_aside_and_the_rest_runs(tmp_path: Path) -> None:
    """The calendar whose activity is broken loses that slot alone."""
    slots = ['id: a, at: "08:00", do: gift', 'id: b, at: "08:01", post: 好']
    root = library(tmp_path / "lib", slots=slots)
    (root / "activities/gift.yaml").write_text("title: 坏\nkind: red_packet\npionts: 3\n")
    async with World(tmp_path / "data", library=root) as world:
        assert len(world.app.library.faults) >= 1
        assert any("gift.yaml" in str(fault) for fault in world.app.library.faults)
        group = await world.group()
        assert await group.clock(to="2030-01-07T08:30") == ["好"]


async def test_no_library_at_all_still_takes_sign_ins(tmp_path: Path) -> None:
    """The texts that members read have defaults in the code."""
    async with World(tmp_path / "data", library=tmp_path / "nowhere") as world:
        group = await world.group()
        assert "签到成功" in await group.ask("阿强", "签到")
        assert await group.clock(advance="3d") == []
    assert SHIPPED.is_dir()
