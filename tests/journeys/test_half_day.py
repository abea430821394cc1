"""半日题: a quiz whose rounds stand at set times of the day, and what goes on between them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from bot.config import Settings
from bot.errors import NotSent
from tests.harness import Group, World, library
from tests.journeys.test_quiz import right_of

HALF = """\
title: 半日题
kind: quiz
length: 4h30m
game: choice
questions: {from: sums, pick: 2}
round: {at: ["10:00", "14:00"], open: 30m}
winners: all
reward: {winners: 5}
posts: {opening: "半日题共 {rounds} 题，{times} 出", closing: "半日题收了，{players} 人，{rounds} 题"}
"""
FIRST = "第 1 题，共 2 题，10:30 公布答案"
SECOND = "第 2 题，共 2 题，14:30 公布答案"
DAY = "2030-01-07T"


def world_of(tmp_path: Path, *slots: str, half: str = HALF) -> World:
    root = library(tmp_path / "lib", {"activities/half.yaml": half}, slots)
    return World(tmp_path / "data", library=root)


async def at(group: Group, time: str) -> list[str]:
    """The first line of each thing that 小二 said up to a time of that Monday."""
    return [line.partition("\n")[0] for line in await group.clock(to=DAY + time)]


def running(world: World) -> bool:
    return world.sql("SELECT COUNT(*) FROM quizzes WHERE state = 'running'") == [(1,)]


async def test_a_half_day_has_its_rounds_at_their_times(tmp_path: Path) -> None:
    """Opened by its slot, each question at its time, and a closing after the last; between them letters are talk."""
    async with world_of(tmp_path, 'id: half, at: "09:30", do: half') as world:
        group = await world.group()
        assert await at(group, "09:59") == ["半日题共 2 题，10:00、14:00 出"]
        (question,) = await group.clock(to=DAY + "10:00")
        assert question.startswith(FIRST)
        await group.say("阿强", right_of(question))
        (reveal,) = await group.clock(to=DAY + "10:30")
        assert "得分：阿强 +5" in reveal
        assert await group.say("小美", right_of(question)) == []
        assert world.sql("SELECT COUNT(*) FROM answers") == [(1,)]
        assert await at(group, "13:59") == []
        assert await at(group, "14:00") == [SECOND]
        await group.say("小美", "A")
        assert (await at(group, "14:30"))[1:] == ["半日题收了，2 人，2 题"]
        assert world.outcomes(group.id) == {"half": ("sent", "")}


async def test_what_fits_between_two_rounds_goes_on(tmp_path: Path) -> None:
    """A post, a sign-in and a packet do; another quiz waits, and is missed with its reason; a round is waited for."""
    slots = [
        'id: half, at: "10:00", do: half',
        'id: hurried, at: "10:10", post: 稍等, late: 30m',
        'id: quick, at: "11:00", do: quick, late: 5m',
        'id: note, at: "12:00", post: 午间一刻',
        'id: gift, at: "12:30", do: gift',
    ]
    async with world_of(tmp_path, *slots) as world:
        group = await world.group()
        assert await at(group, "10:29") == ["半日题共 2 题，10:00、14:00 出", FIRST]
        assert (await at(group, "10:31"))[1:] == ["稍等"]
        assert await at(group, "12:00") == ["午间一刻"]
        assert await at(group, "12:30") == ["红包 30 分 3 份"]
        assert "抢到" in await group.ask("阿强", "抢")
        assert "已经有一场问答" in await group.ask("掌柜", "@小二 开始 快问")
        assert "约 4 小时 30 分钟（等这一场问答结束）" in await group.ask("掌柜", "活动库")
        assert await at(group, "14:00") == [SECOND]
        assert world.outcomes(group.id) == {
            "half": ("sent", ""),
            "hurried": ("late", ""),
            "quick": ("missed", "等不到游戏结束"),
            "note": ("sent", ""),
            "gift": ("sent", ""),
        }


async def test_what_is_over_when_it_starts_is_left_out(tmp_path: Path) -> None:
    """Started by hand at noon, or while a question has half of its time left; after that, one sentence."""
    async with world_of(tmp_path) as world:
        noon, now, late = [await world.group(title) for title in ("甲", "乙", "丙")]
        assert await at(noon, "12:00") == []
        assert await noon.say("掌柜", "@小二 开始 半日题") == ["半日题共 1 题，14:00 出"]
        (question,) = await at(noon, "14:14")
        assert question == "第 1 题，共 1 题，14:30 公布答案"
        assert (await now.say("掌柜", "@小二 开始 半日题"))[1].startswith(question)
        await world.advance("1m")
        said = await late.ask("掌柜", "@小二 开始 半日题")
        assert said == "@掌柜 「半日题」今天出题的时刻都过了，最后一题是 14:00。"
        assert (await at(now, "14:30"))[1:] == ["半日题收了，0 人，1 题"]
        assert world.sql("SELECT COUNT(*) FROM quizzes") == [(2,)]
        assert world.sql("SELECT COUNT(*) FROM timers") == [(0,)]


@pytest.mark.parametrize(
    ("away", "then", "last"),
    [
        ("2h", [SECOND], "半日题收了，1 人，2 题"),
        ("3h10m", [SECOND], "半日题收了，1 人，2 题"),
        ("3h20m", [SECOND], "半日题收了，1 人，2 题"),
        ("3h30m", [], None),
        ("20h", [], None),
    ],
)
async def test_a_restart_between_two_rounds_loses_nothing(
    tmp_path: Path, away: str, then: list[str], last: str | None
) -> None:
    """What was slept through a little opens late, and closes when it would have; what was, is no more."""
    async with world_of(tmp_path, 'id: half, at: "10:00", do: half') as world:
        group = await world.group()
        await at(group, "10:00")
        await group.say("阿强", "A")
        await at(group, "10:50")
        await world.restart(away)
        lines = [line.partition("\n")[0] for line in await group.lines()]
        if away == "2h":
            lines = await at(group, "14:00")
        assert lines == then
        if last:
            assert (await at(group, "14:30"))[-1] == last
        assert not running(world)
        assert len(await group.say("掌柜", "@小二 开始 快问")) == 2


async def test_a_night_in_an_open_round_ends_it(tmp_path: Path) -> None:
    """It is revealed and paid in the morning, and the rounds of yesterday are no more."""
    async with world_of(tmp_path, 'id: half, at: "10:00", do: half') as world:
        group = await world.group()
        (_, question) = await group.clock(to=DAY + "10:00")
        await group.say("阿强", right_of(question))
        await world.restart("22h")
        reveal, closing = await group.lines()
        assert "阿强 +5" in reveal
        assert closing == "半日题收了，1 人，1 题"
        assert not running(world)


async def test_the_owner_closes_a_round_and_ends_the_day(tmp_path: Path) -> None:
    """收题 leaves the next question at its time, and says which it is where none is open; 结束 is the end."""
    async with world_of(tmp_path, 'id: half, at: "10:00", do: half') as world:
        group = await world.group()
        await at(group, "10:10")
        (reveal,) = await group.say("掌柜", "收题")
        assert reveal.startswith("第 1 题答案")
        assert await group.ask("掌柜", "@小二 收题") == "@掌柜 现在没有开着的题，下一题 14:00 出。"
        assert await group.say("掌柜", "收题") == []
        assert await at(group, "14:00") == [SECOND]
        assert (await group.say("掌柜", "收题"))[1] == "半日题收了，0 人，2 题"
        await group.clock(to="2030-01-08T12:00")
        assert running(world)
        assert await group.ask("掌柜", "结束") == "问答到此结束，共 0 人参加。"
        assert await group.clock(to="2030-01-08T20:00") == []


async def test_a_pause_leaves_out_what_falls_due_in_it(tmp_path: Path) -> None:
    """The round that is open ends as it would; the one that comes meanwhile does not come later."""
    three = (
        HALF.replace("pick: 2", "pick: 3").replace('"14:00"]', '"14:00", "15:00"]').replace("sums", "more")
    )
    bank = "".join(
        f'  - {{ask: 一加{n}, options: ["1", "2", "3", "4"], answer: B}}\n' for n in ("一", "二", "三")
    )
    files = {
        "activities/half.yaml": three,
        "questions/more.yaml": f"title: 加\ngame: choice\nquestions:\n{bank}",
    }
    root = library(tmp_path / "lib", files, ['id: half, at: "10:00", do: half'])
    async with World(tmp_path / "data", library=root) as world:
        group = await world.group()
        await at(group, "10:00")
        await group.say("阿强", "B")
        await group.say("掌柜", "@小二 暂停")
        (reveal,) = await at(group, "10:30")
        assert reveal.startswith("第 1 题答案")
        assert await at(group, "14:05") == []
        await group.say("掌柜", "@小二 继续")
        assert await at(group, "14:59") == []
        assert await at(group, "15:00") == ["第 3 题，共 3 题，15:30 公布答案"]
        assert (await at(group, "15:30"))[-1] == "半日题收了，1 人，2 题"


async def test_a_question_that_never_went_out_is_left_out(tmp_path: Path) -> None:
    """The others come at their times."""
    async with world_of(tmp_path, 'id: half, at: "09:30", do: half') as world:
        group = await world.group()
        await at(group, "09:59")
        wire = world.between(lambda _: NotSent("断线"))
        assert await at(group, "10:31") == []
        wire.trouble = lambda _: None
        assert await at(group, "14:00") == [SECOND]
        assert (await at(group, "14:30"))[1] == "半日题收了，0 人，2 题"


@pytest.mark.parametrize(
    ("day", "opened"),
    [
        ("2030-03-31", ["01:30+01:00", "03:00+02:00", "04:00+02:00"]),
        ("2030-10-27", ["01:30+02:00", "02:30+02:00", "04:00+01:00"]),
    ],
)
async def test_a_clock_change_neither_drops_nor_doubles_a_round(
    tmp_path: Path, day: str, opened: list[str]
) -> None:
    """In Berlin 02:30 is left out in spring, and comes twice in autumn."""
    files = {
        "activities/half.yaml": HALF.replace("pick: 2", "pick: 3")
        .replace('"10:00", "14:00"', '"01:30", "02:30", "04:00"')
        .replace("30m", "20m")
        .replace("sums", "[sums, more]"),
        "questions/more.yaml": "title: 加\ngame: choice\nquestions:\n"
        '  - {ask: 一加三, options: ["1", "2", "3", "4"], answer: D}\n',
    }
    root = library(tmp_path / "lib", files, ['id: half, at: "01:00", do: half'])
    start = int(datetime.fromisoformat(f"{day}T00:30{opened[0][5:]}").timestamp()) * 1_000_000
    settings = Settings(timezone="Europe/Berlin")
    async with World(tmp_path / "data", settings, root, start=start) as world:
        group = await world.group()
        lines = await group.clock(to=f"{day}T05:00+01:00")
        assert lines[-1] == "半日题收了，0 人，3 题"
        moments = [int(datetime.fromisoformat(f"{day}T{one}").timestamp()) for one in opened]
        rows = world.sql("SELECT opened_at FROM rounds ORDER BY number")
        assert [moment // 1_000_000 for (moment,) in rows] == moments
