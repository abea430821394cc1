"""签到, as members type it."""

from __future__ import annotations

from datetime import time
from pathlib import Path

from bot.config import Settings, SignIn
from tests.harness import World

TYPED = ["签到", "簽到 ", "打卡", " 签到。", "签到！", "簽到\u3000", "\u200b签到", "@小二 簽到", "打卡～"]


async def test_a_sign_in_is_understood_however_it_is_typed(tmp_path: Path) -> None:
    """Simplified or traditional, stray spaces of any width, a full stop, or a call at the head."""
    async with World(tmp_path) as world:
        group = await world.group(members=[f"群友{n}" for n in range(len(TYPED))])
        for place, typed in enumerate(TYPED, 1):
            said = await group.ask(f"群友{place - 1}", typed)
            assert said == f"@群友{place - 1} 签到成功，今天第 {place} 个，连续 1 天，得 5 分，共 5 分。"


async def test_a_second_sign_in_changes_nothing(tmp_path: Path) -> None:
    """Every further one that day says 今天已签到 and leaves points, places and streak as they were."""
    async with World(tmp_path) as world:
        group = await world.first()
        await group.say("小美", "签到")
        await group.say("阿强", "签到")
        before = world.sql("SELECT * FROM postings"), world.sql("SELECT * FROM sign_ins")
        for typed in ("签到", "打卡", "簽到。"):
            assert await group.ask("阿强", typed) == "@阿强 今天已签到，第 2 个，连续 1 天。"
        assert (world.sql("SELECT * FROM postings"), world.sql("SELECT * FROM sign_ins")) == before


async def test_words_that_only_contain_a_command_are_talk(tmp_path: Path) -> None:
    """小二 keeps out of talk about 签到."""
    async with World(tmp_path) as world:
        group = await world.first()
        for talk in ("我签到了", "签到了吗", "签 到", "签到 签到", "今天忘了打卡，明天再来"):
            assert await group.say("阿强", talk) == []


async def test_a_streak_grows_by_dates_and_pays_by_the_table(tmp_path: Path) -> None:
    """Three days in a row pay as the table says, and a missed day begins anew."""
    table = SignIn(points={1: 5, 2: 7, 3: 11})
    async with World(tmp_path, Settings(sign_in=table)) as world:
        group = await world.group(tags=[])
        assert "连续 1 天，得 5 分，共 5 分" in await group.ask("阿强", "签到")
        await group.clock(to="2030-01-08T23:59")
        assert "连续 2 天，得 7 分，共 12 分" in await group.ask("阿强", "签到")
        await group.clock(to="2030-01-09T00:01")
        assert "连续 3 天，得 11 分，共 23 分" in await group.ask("阿强", "签到")
        await group.clock(to="2030-01-11T08:00")
        assert "连续 1 天，得 5 分，共 28 分" in await group.ask("阿强", "签到")


async def test_a_streak_survives_a_restart_over_midnight(tmp_path: Path) -> None:
    """No reset at midnight has to run: a bot that was down counts the same streak."""
    async with World(tmp_path) as world:
        group = await world.first()
        await group.say("阿强", "签到")
        await world.restart("24h")
        assert "连续 2 天" in await group.ask("阿强", "签到")


async def test_a_new_day_begins_when_the_settings_say(tmp_path: Path) -> None:
    """With a day from 04:00 on, 03:59 still belongs to the day before."""
    async with World(tmp_path, Settings(sign_in=SignIn(day_starts=time(4)))) as world:
        group = await world.group(tags=[])
        await group.clock(to="2030-01-07T22:00")
        assert "连续 1 天" in await group.ask("阿强", "签到")
        await group.clock(to="2030-01-08T03:59")
        assert "今天已签到" in await group.ask("阿强", "签到")
        assert "今天第 2 个" in await group.ask("小美", "签到")
        await group.clock(to="2030-01-08T04:00")
        assert "今天第 1 个，连续 2 天" in await group.ask("阿强", "签到")


async def test_the_day_is_that_of_the_groups_time_zone(tmp_path: Path) -> None:
    """In Tokyo it is Tuesday an hour before it is in Shanghai; naive clock times are the default zone's."""
    async with World(tmp_path, Settings(timezone="Asia/Tokyo")) as world:
        group = await world.group(tags=[])
        await group.clock(to="2030-01-07T23:30")
        assert "连续 1 天" in await group.ask("阿强", "签到")
        assert (await world.now()).isoformat().endswith("+09:00")
        await group.clock(to="2030-01-07T23:30+08:00")
        assert "连续 2 天" in await group.ask("阿强", "签到")


async def test_places_are_counted_for_each_group_alone(tmp_path: Path) -> None:
    """Being first in one group says nothing in another."""
    async with World(tmp_path) as world:
        one, other = await world.group(title="甲"), await world.group(title="乙")
        assert "今天第 1 个" in await one.ask("阿强", "签到")
        assert "今天第 1 个" in await other.ask("小美", "签到")
        assert "今天第 2 个" in await one.ask("小美", "签到")
        assert await other.lines() == []
