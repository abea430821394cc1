"""钩子: the product's post in the course of an activity, once, when people look, or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.console.report.reading import reader
from bot.errors import NotSent
from tests.harness import Group, World, library

TALKED = """\
title: 聊一聊
kind: sign_in
length: 1h
posts: {opening: 来聊聊}
hook: {post: note, earliest: 5m, latest: 30m}
"""
QUIZ = """\
title: 快答
kind: quiz
game: choice
questions: {from: sums, pick: 2}
round: {open: 60s, gap: 10s}
winners: {first: 2}
reward: {winners: [10, 6], everyone: 1}
posts: {opening: 快答开始, closing: 快答完了}
hook: {at: closing, post: note}
"""
PACKET = """\
title: 挂钩红包
kind: red_packet
points: 30
shares: 3
posts: {opening: "红包 {points} 分 {shares} 份"}
hook: {at: closing, post: "{group}今天有新茶"}
"""
NOTE = "产品说明：新茶到店"
FILES = {
    "activities/talk.yaml": TALKED,
    "activities/quiz.yaml": QUIZ,
    "activities/packet.yaml": PACKET,
    "texts/notes.yaml": f"note: {NOTE}\n",
}
MORNING = "2030-01-07T10:00"


def hooked(tmp_path: Path, *slots: str, **files: str) -> World:
    return World(tmp_path / "data", library=library(tmp_path / "lib", {**FILES, **files}, slots))


def calendar(*lines: str) -> dict[str, str]:
    """A calendar with keys of its own, for the groups of the tests."""
    return {"calendars/own.yaml": "\n".join(("title: 自己的", "audience: {tags: [试]}", *lines, ""))}


async def begin(world: World, activity: str, at: str = MORNING) -> Group:
    group = await world.group()
    await group.clock(to=at)
    await group.say("掌柜", f"@小二 开始 {activity}")
    return group


async def talk(group: Group, *counts: int) -> list[str]:
    """So many messages in each half minute, by everybody in turn; what 小二 said meanwhile."""
    heard: list[str] = []
    for many in counts:
        for number in range(many):
            heard += await group.say(("阿强", "小美", "王姐")[number % 3], "真热闹")
        heard += await group.clock(advance="30s")
    return heard


def kept(world: World) -> list[tuple[str, str]]:
    return [tuple(row) for row in world.sql("SELECT state, reason FROM hooks ORDER BY id")]


async def test_it_goes_once_as_the_talk_begins_to_fall(tmp_path: Path) -> None:
    """Not while it rises, soon after the height of it, and never again, however loud it gets."""
    async with hooked(tmp_path) as world:
        group = await begin(world, "聊一聊")
        assert await talk(group, *range(1, 12)) == []
        assert await talk(group, 6, 3, 1, 1) == [NOTE]
        assert await talk(group, *[9] * 5, 2, 0, 0, 0, 0, 0) == []
        assert await group.clock(advance="2h") == []
        assert kept(world) == [("posted", "")]


async def test_a_plateau_is_no_height(tmp_path: Path) -> None:
    """Even talk goes on until the latest moment."""
    async with hooked(tmp_path) as world:
        group = await begin(world, "聊一聊")
        assert await talk(group, *[2, 1] * 14) == []
        assert await group.clock(advance="16m") == [NOTE]


async def test_when_nobody_talks_it_goes_at_the_latest_moment(tmp_path: Path) -> None:
    """To the minute, since a clock was asked and no talk."""
    async with hooked(tmp_path) as world:
        group = await begin(world, "聊一聊")
        assert await group.clock(to="2030-01-07T10:29:59") == []
        assert await group.clock(to="2030-01-07T10:31") == [NOTE]


async def test_it_is_never_too_early(tmp_path: Path) -> None:
    """What falls before the earliest moment is shown at it."""
    async with hooked(tmp_path) as world:
        group = await begin(world, "聊一聊")
        assert await talk(group, 9, 9, 9, 9, 0, 0, 0) == []
        assert await group.clock(to="2030-01-07T10:04:59") == []
        assert await group.clock(advance="31s") == [NOTE]


async def test_at_the_end_of_a_quiz(tmp_path: Path) -> None:
    """After its closing words; also when the owner ends it."""
    async with hooked(tmp_path) as world:
        group = await begin(world, "快答")
        assert (await group.clock(advance="3m"))[-2:] == ["快答完了", NOTE]
        await group.clock(advance="1d")
        await group.say("掌柜", "@小二 开始 快答")
        said = await group.say("掌柜", "@小二 结束")
        assert [*said, *await group.clock(advance="1s")][-1] == NOTE


async def test_at_the_end_of_a_packet(tmp_path: Path) -> None:
    """Once its last share is taken; a text of its own knows the group's name."""
    async with hooked(tmp_path) as world:
        group = await begin(world, "挂钩红包")
        for who in ("阿强", "小美"):
            await group.say(who, "抢")
        assert len(await group.say("王姐", "抢") + await group.clock(advance="1s")) == 2
        assert (await group.read())[-1]["text"] == "试验群今天有新茶"


async def test_in_quiet_hours_it_never_goes(tmp_path: Path) -> None:
    """Nor afterwards; the report of a calendar's activity says why."""
    files = calendar('quiet: "20:10-07:00"', 'slots: [{id: t, at: "20:00", do: talk}]')
    async with hooked(tmp_path, **files) as world:
        group = await world.group()
        assert await group.clock(to="2030-01-07T20:05") == ["来聊聊"]
        assert await group.clock(to="2030-01-08T09:00") == []
        assert kept(world) == [("dropped", "安静时间 20:10-07:00")]


async def test_while_the_group_is_paused_it_does_not_go(tmp_path: Path) -> None:
    """And not when it goes on again."""
    async with hooked(tmp_path) as world:
        group = await begin(world, "聊一聊")
        await group.say("掌柜", "@小二 暂停")
        assert await group.clock(advance="40m") == []
        await group.say("掌柜", "@小二 继续")
        assert await group.clock(advance="2h") == []
        assert kept(world) == [("dropped", "暂停中")]


async def test_two_activities_on_a_day_have_one_hook(tmp_path: Path) -> None:
    """The second is left out with the reason, and the next day has one again."""
    async with hooked(tmp_path) as world:
        group = await begin(world, "快答")
        assert NOTE in await group.clock(advance="5m")
        await group.say("掌柜", "@小二 开始 快答")
        assert NOTE not in await group.clock(advance="5m")
        await group.clock(advance="1d")
        await group.say("掌柜", "@小二 开始 快答")
        assert NOTE in await group.clock(advance="5m")
        assert kept(world) == [("posted", ""), ("dropped", "一天最多 1 条钩子"), ("posted", "")]


async def test_it_counts_among_the_posts_of_a_day(tmp_path: Path) -> None:
    """Where two a day are said and two are planned, there is no room for a third."""
    slots = 'slots: [{id: t, at: "20:00", do: talk}, {id: p, at: "21:00", post: 晚安}]'
    async with hooked(tmp_path, **calendar("posts_a_day: 2", slots)) as world:
        group = await world.group()
        assert await group.clock(to="2030-01-07T22:00") == ["来聊聊", "晚安"]
        assert kept(world) == [("dropped", "一天最多 2 条")]
    async with hooked(tmp_path / "more", **calendar("posts_a_day: 3", slots)) as world:
        group = await world.group()
        assert await group.clock(to="2030-01-07T22:00") == ["来聊聊", NOTE, "晚安"]


async def test_a_restart_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    """It goes once; of the talk before, nothing is known, so what comes after decides."""
    async with hooked(tmp_path) as world:
        group = await begin(world, "聊一聊")
        assert await talk(group, *range(1, 10)) == []
        await world.restart("5s")
        assert await group.clock(advance="1m") == []
        assert await talk(group, 8, 8, 8, 8, 4, 1, 0) == [NOTE]
        await world.restart("5s")
        assert await group.clock(advance="2h") == []
        assert kept(world) == [("posted", "")]


async def test_who_was_away_does_not_post_it_hours_later(tmp_path: Path) -> None:
    """A night without 小二 ends without a product in the morning."""
    async with hooked(tmp_path) as world:
        group = await begin(world, "聊一聊")
        await world.restart("3h")
        assert await group.clock(advance="1h") == []
        assert kept(world) == [("dropped", "过了时间才轮到")]


async def test_it_stays_as_it_was_when_the_activity_began(tmp_path: Path) -> None:
    """Whatever becomes of the files meanwhile."""
    async with hooked(tmp_path) as world:
        group = await begin(world, "聊一聊")
        (definition,) = world.sql("SELECT definition FROM hooks")[0]
        assert json.loads(definition)["post"] == {"text": NOTE}
        (world.library / "texts/notes.yaml").write_text("note: 换了\n", "utf-8")
        await world.restart("1s")
        assert await group.clock(advance="40m") == [NOTE]


async def test_a_hook_of_several_messages(tmp_path: Path) -> None:
    """With their pauses, as any post."""
    texts = "note: {several: [{text: 第一条}, {text: 第二条, pause: 5s}]}\n"
    async with hooked(tmp_path, **{"texts/notes.yaml": texts}) as world:
        group = await begin(world, "快答")
        assert (await group.clock(advance="3m"))[-2:] == ["第一条", "第二条"]


async def test_after_a_quiz_that_nobody_saw_there_is_none(tmp_path: Path) -> None:
    """Its question was never sent, so nobody looks."""
    async with hooked(tmp_path) as world:
        group = await world.group()
        wire = world.between(lambda _: NotSent("断线"))
        await group.say("掌柜", "@小二 开始 快答")
        await group.clock(advance="61s")
        wire.trouble = lambda _: None
        assert NOTE not in await group.clock(advance="30m")
        assert kept(world) == [("dropped", "活动没发出去")]


async def test_after_a_quiz_of_which_the_end_was_lost_it_comes(tmp_path: Path) -> None:
    """Members played in it, though they never saw its last question."""
    async with hooked(tmp_path) as world:
        group = await begin(world, "快答")
        await group.say("阿强", "B")
        await group.clock(advance="60s")
        wire = world.between(lambda _: NotSent("断线"))
        await group.clock(advance="71s")
        wire.trouble = lambda _: None
        assert world.sql("SELECT state FROM quizzes") == [("void",)]
        assert NOTE in await group.clock(advance="1m")
        assert kept(world) == [("posted", "")]


async def test_the_report_tells_when_it_went_out_or_why_not(tmp_path: Path) -> None:
    """With how many messages came in those five minutes of the clock."""
    slots = 'slots: [{id: a, at: "19:00", do: talk}, {id: b, at: "21:00", do: talk}]'
    async with hooked(tmp_path, **calendar(slots)) as world:
        group = await world.group()
        await group.clock(to="2030-01-07T19:00")
        await talk(group, *range(1, 12), 6, 3, 1, 1)
        await group.clock(to="2030-01-07T22:00")
        await world.app._write_counts()
        read = reader(world.settings, world.app.library, group="sandbox/g2")
        report: Any = (await world.app.database.read(read)).as_json()
        told = [
            (one["hook"], one["messages_around_hook"], one["no_hook_because"])
            for one in report["groups"][0]["occurrences"]
        ]
        assert told == [("2030-01-07T19:06:30+08:00", 22, ""), (None, None, "一天最多 1 条钩子")]
