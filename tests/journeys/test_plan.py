"""日程表: the owner looks at the day and the week, leaves things out, moves them and has them back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import Group, World, library

EVENING = (
    'id: a, at: "20:00", post: 一',
    'id: b, at: "21:00", post: 二',
    'id: c, at: "21:00", post: 三, priority: 5',
)


def world_of(tmp_path: Path, *slots: str, head: str = "") -> World:
    files: dict[str, str | bytes] = {}
    if head:
        lines = "".join(f"  - {{{slot}}}\n" for slot in slots)
        files["calendars/week.yaml"] = f"title: 一周\naudience: {{tags: [试]}}\n{head}slots:\n{lines}"
        slots = ()
    return World(tmp_path / "data", None, library(tmp_path / "lib", files, slots))


async def seven(world: World) -> Group:
    """A group on a Monday evening at seven."""
    group = await world.group()
    await group.clock(to="2030-01-07T19:00")
    return group


async def test_an_evening_is_left_out_and_comes_back(tmp_path: Path) -> None:
    """跳过 is for today alone, 恢复 takes it back, and both survive a restart."""
    async with world_of(tmp_path, *EVENING) as world:
        group = await seven(world)
        said = await group.ask("掌柜", "跳过 20:00")
        assert said == "@掌柜 今天 20:00 的「一」跳过。要办，说「恢复 20:00」。"
        assert await group.ask("掌柜", "跳过20：00") == "@掌柜 今天 20:00 的「一」本来就跳过了。"
        assert "20:00 一，跳过（群主说了跳过）" in await group.ask("掌柜", "今日安排")
        assert await group.ask("掌柜", "恢复 晚上8点") == "@掌柜 今天 20:00 的「一」照常。"
        await group.ask("掌柜", "跳过 20点")
        await world.restart()
        assert await group.clock(to="2030-01-07T20:30") == []
        assert "20:00 一，跳过了（群主说了跳过）" in await group.ask("掌柜", "今日安排")
        assert await group.ask("掌柜", "恢复 20:00") == "@掌柜 今天 20:00 的「一」已经过了点，动不了了。"
        assert (await group.clock(to="2030-01-08T20:00"))[-1] == "一"


async def test_of_two_at_one_time_the_owner_says_which(tmp_path: Path) -> None:
    """By the number in the list or a word of the title; the other goes out."""
    async with world_of(tmp_path, *EVENING) as world:
        group = await seven(world)
        which = "@掌柜 今天 21:00 有 2 件，要哪一件？\n1. 三\n2. 二\n在后面加上号码，比如「跳过 21:00 1」。"
        assert await group.ask("掌柜", "跳过 21:00") == which
        assert await group.ask("掌柜", "跳过 21:00 四") == which
        assert "「二」跳过" in await group.ask("掌柜", "跳过 21:00 2")
        assert "「三」从 21:00 改到 21:30" in await group.ask("掌柜", "改期 21:00 21:30 三")
        assert await group.clock(to="2030-01-07T23:00") == ["一", "三"]


@pytest.mark.parametrize(
    "typed", ["改期 20:00 20:30", "改期 20：00 20：30。", "改期8点 八点半", "改期 20:00到20点30分"]
)
async def test_a_move_is_understood_as_it_is_typed(tmp_path: Path, typed: str) -> None:
    """Full width, Chinese numbers, with words between."""
    slot = 'id: a, at: "08:00", post: 一' if "点 " in typed else EVENING[0]
    async with world_of(tmp_path, slot) as world:
        group = await world.group()
        await group.clock(to="2030-01-08T07:00")
        at = "08:" if "点 " in typed else "20:"
        assert await group.ask("掌柜", typed) == f"@掌柜 「一」从 {at}00 改到 {at}30，只改今天。"


async def test_what_is_moved_comes_once_at_its_new_time(tmp_path: Path) -> None:
    """It keeps its identity over restarts and another move; 恢复 knows it by either time."""
    async with world_of(tmp_path, *EVENING) as world:
        group = await seven(world)
        await group.ask("掌柜", "改期 20:00 20:30")
        assert "20:30 一，原定 20:00" in await group.ask("掌柜", "今日安排")
        assert await group.ask("掌柜", "恢复 20:30") == "@掌柜 今天 20:00 的「一」照常。"
        await group.ask("掌柜", "改期 20:00 20:30")
        assert "从 20:30 改到 20:45" in await group.ask("掌柜", "改期 20:30 20:45")
        await world.restart()
        assert await group.clock(to="2030-01-07T20:44") == []
        said = await group.ask("掌柜", "恢复 20:45")
        assert said == "@掌柜 20:00 已经过了，改到晚一点的时间吧。"
        assert await group.clock(to="2030-01-07T20:45") == ["一"]
        await world.restart()
        assert "20:45 一，原定 20:00，已发" in await group.ask("掌柜", "今日安排")
        assert await group.clock(to="2030-01-07T20:59") == []
        assert world.sql("SELECT local, state FROM occurrences") == [("2030-01-07T20:00", "sent")]


async def test_what_cannot_be_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """A time that is past, quiet hours, nothing there, no time at all; and nothing changes."""
    async with world_of(tmp_path, *EVENING, head="quiet: '22:00-07:00'\n") as world:
        group = await seven(world)
        for typed, answer in (
            ("改期 20:00 18:00", "18:00 已经过了，改到晚一点的时间吧。"),
            ("改期 20:00 22:00", "22:00 是安静时间（22:00-07:00），不能改到这时候。"),
            ("改期 20:00", "要写原来几点、改到几点，比如「改期 20:00 20:30」。"),
            ("跳过", "要跳过今天几点的？比如「跳过 20:00」。"),
            ("恢复 25:00", "要恢复今天几点的？比如「恢复 20:00」。"),
            ("恢复 20:00", "今天 20:00 的「一」没有跳过，也没有改期。"),
            ("跳过 8:00", "今天 08:00 没有安排。还没到点的：\n20:00 一\n21:00 三\n21:00 二"),
        ):
            assert await group.ask("掌柜", f"@小二 {typed}") == f"@掌柜 {answer}"
        assert world.sql("SELECT COUNT(*) FROM moves") == [(0,)]
        await group.clock(to="2030-01-07T20:00")
        assert await group.ask("掌柜", "跳过 20:00") == "@掌柜 今天 20:00 的「一」已经过了点，动不了了。"
        await group.clock(to="2030-01-07T23:00")
        assert await group.ask("掌柜", "跳过 8:00") == "@掌柜 今天 08:00 没有安排。"
        assert await group.say("掌柜", "跳过 这个话题吧") == []
        assert await group.say("阿强", "跳过 21:00") == []
        assert await group.ask("阿强", "@小二 跳过 21:00") == "@阿强 这件事要群主来说。"


@pytest.mark.parametrize(
    "typed",
    [
        "跳过 明天 20:00",
        "跳过 明天的20点",
        "改期 明晚8点 8点半",
        "改期 20:00 次日8:30",
        "恢复 周三20:00",
        "跳过 8号 20:00",
    ],
)
async def test_another_day_is_not_taken_for_today(tmp_path: Path, typed: str) -> None:
    """It is said that only today can be changed, and nothing is."""
    async with world_of(tmp_path, *EVENING) as world:
        group = await seven(world)
        assert "这里只动今天的" in await group.ask("掌柜", typed)
        assert world.sql("SELECT COUNT(*) FROM moves") == [(0,)]
        assert await group.say("掌柜", "恢复 明天上午8点正常营业") == []


async def test_who_says_half_of_it_is_asked_for_the_rest(tmp_path: Path) -> None:
    """A time behind the word is no talk; a title with a weekday in it is no other day."""
    files: dict[str, str | bytes] = {"texts/t.yaml": "wed: 周三半日题\n"}
    slots = (EVENING[0], 'id: d, at: "20:00", post: wed')
    async with World(tmp_path / "data", None, library(tmp_path / "lib", files, slots)) as world:
        group = await seven(world)
        assert "改到几点" in await group.ask("掌柜", "改期 20:00 24:00")
        assert "要跳过今天几点的" in await group.ask("掌柜", "跳过 20:00 21:00")
        assert "「周三半日题」跳过" in await group.ask("掌柜", "跳过 20:00 周三半日题")
        assert "「一」从 20:00 改到 20:30" in await group.ask("掌柜", "改期 20:00 20:30 一吧")


async def test_an_announcement_can_be_moved_and_put_back(tmp_path: Path) -> None:
    """By itself, and it says where it was, as all that is moved."""
    async with world_of(tmp_path, 'id: a, at: "21:00", post: 一, warm_up: [-30m]') as world:
        group = await seven(world)
        assert "从 20:30 改到 20:45" in await group.ask("掌柜", "改期 20:30 20:45")
        assert "20:45 预告：一，原定 20:30" in await group.ask("掌柜", "今日安排")
        assert await group.ask("掌柜", "恢复 20:30") == "@掌柜 今天 20:30 的「预告：一」照常。"
        await group.ask("掌柜", "改期 20:30 20:45")
        assert await group.clock(to="2030-01-07T20:44") == []
        assert await group.clock(to="2030-01-07T21:00") == ["今天 21:00 有「一」，到时候见。", "一"]


@pytest.mark.parametrize("warm_up", ["-30m", "{at: -30m, post: 快了}"])
async def test_an_announcement_is_not_moved_behind_what_it_announces(tmp_path: Path, warm_up: str) -> None:
    """Nor to the same moment: that is refused in one sentence, and nothing changes."""
    async with world_of(tmp_path, f'id: a, at: "21:00", post: 一, warm_up: [{warm_up}]') as world:
        group = await seven(world)
        for to in ("21:00", "21:30"):
            said = await group.ask("掌柜", f"改期 20:30 {to}")
            assert said == "@掌柜 预告要赶在「一」前面，改早一点吧。"
        assert len(await group.clock(to="2030-01-07T20:30")) == 1
        assert await group.clock(to="2030-01-07T22:00") == ["一"]


async def test_who_moves_while_all_is_paused_is_told(tmp_path: Path) -> None:
    """It is moved all the same, and comes when the group goes on in time."""
    async with world_of(tmp_path, *EVENING) as world:
        group = await seven(world)
        await group.ask("掌柜", "@小二 暂停")
        said = await group.ask("掌柜", "改期 20:00 20:30")
        assert said == "@掌柜 「一」从 20:00 改到 20:30，只改今天。不过它现在到点也不发：暂停中。"
        await group.ask("掌柜", "继续")
        assert await group.clock(to="2030-01-07T20:30") == ["一"]


async def test_what_waits_for_a_game_is_skipped_by_a_pause(tmp_path: Path) -> None:
    """The game goes on to its end; what was due meanwhile does not come after it."""
    slots = ('id: game, at: "08:00", do: quick', 'id: post, at: "08:01", post: 等等我')
    async with world_of(tmp_path, *slots) as world:
        group = await world.group()
        await group.clock(to="2030-01-07T08:01:05")
        await group.ask("掌柜", "@小二 暂停")
        lines = await group.clock(to="2030-01-07T08:10")
        assert lines[-1] == "0 人答完 2 题"
        await group.ask("掌柜", "@小二 继续")
        assert await group.clock(to="2030-01-07T09:00") == []
        assert world.outcomes(group.id) == {"game": ("sent", ""), "post": ("skipped", "暂停中")}


async def test_the_week_is_shown_day_by_day(tmp_path: Path) -> None:
    """What was sent, what is moved, what a holiday leaves out and what is to come."""
    slots = ('id: a, at: "09:00", on: [mon, tue, wed], do: call', 'id: b, at: "20:00", on: tue, post: 晚')
    async with world_of(tmp_path, *slots, head="days: workdays\n") as world:
        (tmp_path / "lib/holidays.yaml").write_text("holidays: {2030-01-09: 休整}\n")
        await world.restart()
        group = await world.group()
        await group.clock(to="2030-01-08T10:00")
        await group.ask("掌柜", "改期 20:00 19:30")
        assert await group.ask("掌柜", "本周安排") == (
            "@掌柜 本周安排，第 2 周（1 月 7 日到 13 日）\n"
            "周一 1 月 7 日\n09:00 早安，已发\n"
            "周二 1 月 8 日（今天）\n09:00 早安，已发\n19:30 晚，原定 20:00\n"
            "周三 1 月 9 日（明天）\n09:00 早安，跳过（休整放假）"
        )
        empty = await world.group("空", tags=[])
        assert await empty.ask("掌柜", "这周安排") == "@掌柜 这一周没有安排。"


async def test_tags_are_changed_after_the_opening(tmp_path: Path) -> None:
    """The calendars follow from that moment on; alone the word shows them, and from members it is talk."""
    async with world_of(tmp_path, *EVENING) as world:
        group = await world.group(tags=[])
        none = "@掌柜 还没有标签。说「标签 理财」打上，日历照着标签走。"
        assert await group.ask("掌柜", "标签") == none
        assert await group.ask("掌柜", "标签：試") == "@掌柜 标签换好了。标签：试，日历：一周。"
        assert await group.ask("掌柜", "標籤") == "@掌柜 标签：试，日历：一周。"
        assert await group.say("阿强", "标签") == []
        assert await group.clock(to="2030-01-07T20:00") == ["一"]
        assert "还没有哪本日历是给它的" in await group.ask("掌柜", "标签 别的")
        assert await group.clock(to="2030-01-07T22:00") == []
        assert await group.ask("掌柜", "标签 清空") == "@掌柜 标签清空了。"
        assert await group.ask("掌柜", "标签") == none
        await group.ask("掌柜", "标签 别的")
        assert "最多 5 个" in await group.ask("掌柜", "标签 一 二 三 四 五 六")
        assert "标签：别的" in await group.ask("掌柜", "标签")
