"""提醒: those who run it are told of all that did not go as planned, once, merged, in the group they chose."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.config import Settings
from bot.errors import NotSent, Unsupported, Unsure
from bot.model import Say
from handlers import quiz
from tests.fakes import Trouble
from tests.harness import Group, World, library

A = 'id: a, at: "08:00", post: 早上好, late: 10m'
B = 'id: b, at: "08:02", post: 再来一次, late: 10m'
HEAD = "有事没照计划办：\n"


def world_of(tmp_path: Path, *slots: str, to: str = "值班群", texts: str = "") -> World:
    files = {"texts/ours.yaml": texts} if texts else {}
    root = library(tmp_path / "lib", files, slots=slots)
    return World(tmp_path / "data", Settings(notices_to=to), root)


async def ops(world: World) -> Group:
    return await world.group("值班群", "经理", tags=None)


def to_members(chat: str, error: Exception) -> Trouble:
    """Trouble with all that goes to one chat."""
    return lambda out: error if isinstance(out, Say) and out.chat == chat else None


async def test_what_was_missed_is_told_in_one_message(tmp_path: Path) -> None:
    """With the groups, the slot and the reason, a minute after it is seen; and only once."""
    async with world_of(tmp_path, A, B) as world:
        desk = await ops(world)
        for title in ("甲", "乙"):
            await world.group(title)
        with capture_logs() as lines:
            await world.restart("2h")
        assert await desk.lines() == []
        assert await desk.clock(advance="20s") == []
        missed = "2 个群错过：01-07 {}（乙、甲）。过了时间才轮到。"
        said = HEAD + missed.format("08:00 早上好") + "\n" + missed.format("08:02 再来一次")
        assert not [one for one in lines if "missed" in str(one)]
        with capture_logs() as lines:
            assert await desk.clock(advance="1m") == [said]
        (line,) = [one for one in lines if one["log_level"] == "warning"]
        assert (line["event"], line["missed"], line["text"]) == ("notice", 4, said)
        await world.restart("1h")
        assert await desk.clock(advance="1h") == []
        assert world.sql("SELECT text FROM notices") == [(said,)]


async def test_a_restart_between_the_event_and_its_notice_neither_loses_nor_repeats_it(
    tmp_path: Path,
) -> None:
    """What the process knew is gone with it; what the database holds is told."""
    async with world_of(tmp_path, A) as world:
        desk = await ops(world)
        await world.group("甲")
        await world.restart("2h")
        await world.restart("30s")
        assert await desk.lines() == []
        (said,) = await desk.clock(advance="2m")
        assert said.startswith(HEAD + "1 个群错过：")
        for _ in range(2):
            await world.restart("20m")
        assert await desk.lines() == []


async def test_two_hundred_groups_that_missed_it_are_one_line(tmp_path: Path) -> None:
    """How many, and the first few by name."""
    async with world_of(tmp_path, A) as world:
        desk = await ops(world)
        await world.down()
        since = world.sql("SELECT MAX(opened_at) FROM groups")[0][0]
        for number in range(200):
            world.sql(
                "INSERT INTO groups (account, chat, title, opened_at) VALUES ('sandbox', ?, ?, ?)",
                f"x{number}",
                f"群{number:03}",
                since,
            )
        world.sql("INSERT INTO tags SELECT id, '试', opened_at FROM groups WHERE chat LIKE 'x%'")
        await world.up()
        await world.restart("2h")
        assert await desk.clock(advance="2m") == [
            HEAD + "200 个群错过：01-07 08:00 早上好（群000、群001、群002……）。过了时间才轮到。"
        ]


async def test_late_failed_and_unknown_are_told_each_in_its_words(tmp_path: Path) -> None:
    """And a message that belongs to no slot, with the chat that it did not reach."""
    async with world_of(tmp_path, A, 'id: c, at: "08:01", do: huge') as world:
        desk, group, other = await ops(world), await world.group("甲"), await world.group("乙")
        world.between(to_members(group.id, Unsure("连接断了")))
        await world.advance("62m")
        assert await group.say("阿强", "我的积分") == []
        (said,) = await desk.clock(advance="5m")
        assert said.splitlines()[1:] == [
            "1 个群不知道发出去没有：01-07 08:00 早上好（甲）。连接断了。",
            "2 个群没办成：01-07 08:01 大红包（乙、甲）。国库只有 10000 分，不够发这个红包。",
        ]
        (said,) = await desk.clock(advance="15m")
        assert said.splitlines()[1:] == ["1 条消息不知道发出去没有（甲）。连接断了。"]
        assert await other.lines() == ["早上好"]


async def test_what_is_sent_late_is_told(tmp_path: Path) -> None:
    """When more than half of its `late` was over; it went out all the same, and the report tells of both."""
    async with world_of(
        tmp_path, 'id: a, at: "08:00", post: 早上好, late: 20m', A.replace("a,", "b,")
    ) as world:
        desk = await ops(world)
        group = await world.group("甲")
        await world.restart("67m")
        assert await group.lines() == ["早上好", "早上好"]
        assert await desk.clock(advance="2m") == [HEAD + "1 个群晚发：01-07 08:00 早上好（甲）"]
        assert world.sql("SELECT slot, state FROM occurrences ORDER BY slot") == [
            ("week/a", "late"),
            ("week/b", "late"),
        ]


async def test_notices_are_ten_minutes_apart(tmp_path: Path) -> None:
    """What goes wrong meanwhile is gathered."""
    slots = [f'id: s{minute}, at: "08:{minute:02}", do: huge' for minute in range(0, 12, 2)]
    async with world_of(tmp_path, *slots) as world:
        desk = await ops(world)
        await world.group("甲")
        (first,) = await desk.clock(to="2030-01-07T08:10")
        (second,) = await desk.clock(to="2030-01-07T08:30")
        assert [len(said.splitlines()) for said in (first, second)] == [2, 6]


@pytest.mark.parametrize("error", [Unsure("断了"), Unsupported("发不了"), NotSent("没连上")])
async def test_a_notice_that_does_not_go_out_makes_no_notice(tmp_path: Path, error: Exception) -> None:
    """Or there would be no end."""
    async with world_of(tmp_path, A) as world:
        desk = await ops(world)
        await world.group("甲")
        await world.restart("2h")
        wire = world.between(to_members(desk.id, error))
        await world.advance("1d")
        sent = {one.text for one in wire.tried if isinstance(one, Say) and one.text.startswith(HEAD)}
        assert len(sent) == 1
        assert world.sql("SELECT COUNT(*) FROM notices") == [(1,)]


async def test_a_timer_that_was_parked_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its kind; why stands in the log."""
    world = world_of(tmp_path)
    async with world:
        desk, group = await ops(world), await world.group("甲")
        await group.say("掌柜", "@小二 开始 快问")

        def fails(*_: object) -> None:
            raise RuntimeError("nobody thought of this")

        monkeypatch.setattr(quiz, "_close", fails)
        (said,) = await desk.clock(advance="20m")
        assert said == HEAD + "1 件定时的事搁置了：quiz.close（甲）。原因在日志里。"
        monkeypatch.undo()
        await group.say("掌柜", "@小二 结束")


async def test_the_words_are_the_operators_own_where_they_wrote_some(tmp_path: Path) -> None:
    """As all that the bot says."""
    texts = 'notices.merged: "老板看这里：{lines}"\nnotices.missed: "漏了 {count} 个群"\n'
    async with world_of(tmp_path, A, texts=texts) as world:
        desk = await ops(world)
        await world.group("甲")
        await world.restart("2h")
        assert await desk.clock(advance="2m") == ["老板看这里：漏了 1 个群"]


@pytest.mark.parametrize("to", ["", "没有的群", "sandbox/g9"])
async def test_without_a_group_the_page_still_tells(tmp_path: Path, to: str) -> None:
    """What has no group to go to is kept."""
    async with world_of(tmp_path, A, to=to) as world:
        await world.group("甲")
        await world.restart("2h")
        await world.advance("2m")
        assert len(world.sql("SELECT text FROM notices")) == 1
        assert world.sql("SELECT COUNT(*) FROM outbox WHERE body LIKE '%有事没照计划办%'") == [(0,)]


async def test_many_kinds_of_trouble_end_with_how_many_more(tmp_path: Path) -> None:
    """A message stays short enough for a phone."""
    slots = [f'id: s{hour}, at: "{hour:02}:00", post: {hour} 点' for hour in range(8, 20)]
    async with world_of(tmp_path, *slots, to="sandbox/g2") as world:
        desk = await ops(world)
        await world.group("甲")
        await world.restart("13h")
        (said,) = await desk.clock(advance="2m")
        assert said.splitlines()[1].startswith("1 个群错过：01-07 08:00 8 点")
        assert said.splitlines()[-1] == "还有 4 行没列，看日志。"
