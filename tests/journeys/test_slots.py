"""时段: the days and people that a calendar can be for, as a group sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import World, library

TEXTS: dict[str, str | bytes] = {
    "texts/t.yaml": "hello: 你好，{names}，来了三天了。\nmissed: 好久不见，来聊聊。\nsoon: 快开始了\n"
}


def world_of(tmp_path: Path, *slots: str) -> World:
    return World(tmp_path / "data", None, library(tmp_path / "lib", TEXTS, slots))


async def test_a_newcomer_is_written_to_on_their_third_day_once(tmp_path: Path) -> None:
    """By name in the group; on a day that is nobody's third there is no such slot, nor who was there before."""
    async with world_of(tmp_path, 'id: third, at: "09:00", day: 3, post: hello') as world:
        group = await world.group()
        await group.clock(to="2030-01-08T10:00")
        await group.join("新来的")
        await group.join("另一个")
        await group.clock(to="2030-01-08T12:00")
        await group.join("后来的")
        assert await group.clock(to="2030-01-11T08:59") == []
        assert await group.clock(to="2030-01-11T09:00") == ["你好，@新来的、@另一个、@后来的，来了三天了。"]
        assert await group.clock(to="2030-01-20T09:00") == []
        assert world.outcomes(group.id) == {"third": ("sent", "")}


async def test_who_left_before_their_day_is_not_called(tmp_path: Path) -> None:
    """When nobody is left to write to, the slot is skipped, and says why."""
    async with world_of(tmp_path, 'id: second, at: "09:00", day: 2, post: 早') as world:
        group = await world.group()
        await group.clock(to="2030-01-08T10:00")
        await group.join("新来的")
        await group.clock(to="2030-01-10T08:59")
        await group.leave("新来的")
        assert await group.clock(to="2030-01-10T09:30") == []
        assert world.outcomes(group.id) == {}


async def test_a_private_slot_writes_to_each_alone(tmp_path: Path) -> None:
    """Nothing is said in the group, and each reads their own name."""
    async with world_of(
        tmp_path, 'id: first, at: "09:00", day: 1, post: "{names}，欢迎", to: private'
    ) as world:
        group = await world.group()
        ids = [await group.join(name) for name in ("新来的", "另一个")]
        assert ids
        assert await group.clock(to="2030-01-08T10:00") == []
        said = world.sql("SELECT body FROM outbox WHERE state = 'sent' AND body LIKE '%private%' ORDER BY id")
        assert len(said) == 2
        assert world.outcomes(group.id) == {"first": ("sent", "")}


async def test_a_newcomers_slot_that_went_while_it_waited_calls_nobody(tmp_path: Path) -> None:
    """It waits for a game, and is taken out of the calendar: its words are not said to all."""
    slots = ('id: q, at: "08:59", do: quick', 'id: new, at: "09:00", day: 1, post: "{names} 好", to: private')
    root = library(tmp_path / "lib", slots=slots)
    async with World(tmp_path / "data", None, root) as world:
        group = await world.group()
        await group.join("小新")
        await group.clock(to="2030-01-07T09:00:10")
        library(root, slots=slots[:1])
        assert await world.app.librarian.check()
        assert (await group.clock(to="2030-01-07T09:30"))[-1] == "0 人答完 2 题"
        assert world.outcomes(group.id)["new"] == ("skipped", "日历里已经没有这一条")


async def test_those_who_are_silent_are_written_to_once_a_week_and_not_all_at_once(tmp_path: Path) -> None:
    """Several slots for the same people come to different people, or to nobody, and say so."""
    slots = [
        f'id: s{hour}, at: "{hour}:00", on: sun, post: missed, segment: silent-7d, most: 2'
        for hour in (19, 20, 21)
    ]
    async with world_of(tmp_path, *slots) as world:
        group = await world.group()
        await group.clock(to="2030-01-12T08:00")
        await group.say("阿强", "我还在")
        nobody = ("skipped", "没有要写给的人")
        assert await group.clock(to="2030-01-13T22:00") == []
        assert world.outcomes(group.id) == {"s19": nobody, "s20": nobody, "s21": nobody}
        assert await group.clock(to="2030-01-20T22:00") == [
            "@阿强、@小美 好久不见，来聊聊。",
            "@王姐 好久不见，来聊聊。",
        ]
        assert world.outcomes(group.id)["s21"] == nobody
        await group.clock(to="2030-01-21T09:00")
        await group.say("小美", "我来了")
        assert await group.clock(to="2030-01-27T19:00") == ["@阿强、@王姐 好久不见，来聊聊。"]


async def test_those_who_write_are_a_segment_too(tmp_path: Path) -> None:
    """Who said anything in the last seven days, sign-ins too."""
    slot = 'id: a, at: "19:00", on: sun, post: 谢谢大家, segment: active'
    async with world_of(tmp_path, slot) as world:
        group = await world.group()
        await group.say("王姐", "今天天气真好")
        await group.clock(to="2030-01-14T18:00")
        await group.say("小美", "签到")
        assert await group.clock(to="2030-01-20T19:00") == ["@小美 谢谢大家"]


async def test_something_bigger_is_announced(tmp_path: Path) -> None:
    """The evening before and shortly before, with its name and its time, or in words of its own."""
    slot = 'id: big, at: "10:00", on: wed, do: call, warm_up: [-1d 18:00, {at: -30m, post: soon}, -5m]'
    async with world_of(tmp_path, slot) as world:
        group = await world.group()
        assert await group.clock(to="2030-01-08T17:59") == []
        assert await group.clock(to="2030-01-08T18:00") == ["明天 10:00 有「早安」，到时候见。"]
        assert await group.clock(to="2030-01-09T09:30") == ["快开始了"]
        assert await group.clock(to="2030-01-09T10:00") == ["今天 10:00 有「早安」，到时候见。", "早上好"]
        assert set(world.outcomes(group.id)) == {"big", "big~-1d 18:00", "big~-30m", "big~-5m"}
        today = await group.ask("掌柜", "今日安排")
        assert "09:55 预告：早安，已发" in today


async def test_several_take_turns(tmp_path: Path) -> None:
    """Each comes once before any comes again, in the same order in every group."""
    slot = 'id: turns, at: "10:00", on: [mon, thu], rotate: [call, soon, missed]'
    async with world_of(tmp_path, slot) as world:
        groups = [await world.group(), await world.group("乙")]
        said = [await group.clock(to="2030-02-01T12:00") for group in groups]
        assert said[0] == said[1]
        assert len(said[0]) == 8
        words = {"早上好", "快开始了", "好久不见，来聊聊。"}
        assert all(set(said[0][n : n + 3]) == words for n in range(6))


async def test_a_calendar_rests_on_holidays(tmp_path: Path) -> None:
    """A calendar for workdays says so for each slot that is left out; what is due in quiet hours is left out too."""
    calendar = (
        "title: 工作日\naudience: {groups: [试验群], except: {tags: [停]}}\ndays: workdays\nquiet: '22:00-07:00'\n"
        "slots:\n  - {id: a, at: '08:00', post: 早}\n  - {id: b, at: '23:00', post: 晚}\n"
        "overrides:\n  - {slot: b, groups: [乙], at: '20:00'}\n"
    )
    root = library(
        tmp_path / "lib", {"calendars/c.yaml": calendar, "holidays.yaml": "holidays: {2030-01-08: 休整}\n"}
    )
    async with World(tmp_path / "data", None, root) as world:
        group = await world.group(tags=[])
        assert await (await world.group("丙", tags=[])).clock(to="2030-01-07T23:30") == []
        assert await group.lines() == ["早"]
        assert world.outcomes(group.id) == {"a": ("sent", ""), "b": ("skipped", "安静时间 22:00-07:00")}
        assert await group.clock(to="2030-01-08T08:00") == []
        assert world.outcomes(group.id)["a"] == ("skipped", "休整放假")


async def test_a_year_that_nobody_arranged_is_told_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The operator reads its number in the log; until then Monday to Friday are worked."""
    async with world_of(tmp_path, 'id: a, at: "08:00", on: workdays, post: 早') as world:
        told = capsys.readouterr().out
        assert "days off are not known" in told
        assert "还不知道 2030 年的放假安排" in told
        group = await world.group()
        assert await group.clock(to="2030-01-14T07:00") == ["早"] * 5
