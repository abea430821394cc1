"""活动库: what an owner can start, by its title, its number, or what they nearly typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import World, library

OTHER = "title: 别处的红包\nkind: red_packet\npoints: 5\nshares: 1\nposts: {opening: 别处}\n"
FILES: dict[str, str | bytes] = {
    "activities/a-other.yaml": OTHER,
    "activities/pinyin.yaml": OTHER.replace("别处的红包", "看拼音猜成语").replace("别处", "猜成语"),
}
SLOTS = ('id: a, at: "08:00", do: quick', 'id: b, at: "09:00", rotate: [gift, pinyin]')


def world_of(tmp_path: Path) -> World:
    return World(tmp_path / "data", None, library(tmp_path / "lib", FILES, SLOTS))


async def test_the_library_is_listed_with_the_groups_own_first(tmp_path: Path) -> None:
    """Each has a number to start it by; while a quiz runs, what has to wait for it says so."""
    async with world_of(tmp_path) as world:
        group = await world.group()
        said = await group.ask("掌柜", "活动库")
        assert said.splitlines() == [
            "@掌柜 活动库",
            "1. 小红包",
            "2. 看拼音猜成语",
            "3. 快问",
            "别的群的：",
            "4. 别处的红包",
            "5. 早安",
            "6. 大红包",
            "说「@小二 开始」加活动名或者号码，马上就办。",
        ]
        assert await group.ask("掌柜", "@小二 开始 ４。") == "别处"
        assert (await group.say("掌柜", "开始3"))[0] == "快问，共 2 题"
        assert "已经有一场问答" in await group.ask("掌柜", "@小二 开始 《快问》")
        assert "3. 快问（等这一场问答结束）" in await group.ask("掌柜", "活动庫")
        assert await group.ask("阿强", "活动库") == "@阿强 这件事要群主来说。"


@pytest.mark.parametrize("typed", ["看拼音猜承语", "看拼音", "看品音猜成语", "拼音猜成语"])
async def test_who_nearly_types_a_title_is_asked_whether_it_was_meant(tmp_path: Path, typed: str) -> None:
    """By the sound or a part of it, and nothing starts."""
    async with world_of(tmp_path) as world:
        group = await world.group()
        said = await group.ask("掌柜", f"@小二 开始 {typed}")
        assert said == f"@掌柜 没有叫「{typed}」的活动，是不是「看拼音猜成语」？"


async def test_what_is_like_nothing_is_sent_to_the_list(tmp_path: Path) -> None:
    """One sentence for a title or a number that is not there; without the call it is talk."""
    async with world_of(tmp_path) as world:
        group = await world.group()
        known = "的活动。说「活动库」，看有哪些。"
        assert (
            await group.ask("掌柜", "@小二 开始 {0.__class__}") == f"@掌柜 没有叫「{{0.__class__}}」{known}"
        )
        assert await group.ask("掌柜", "@小二 开始 99") == f"@掌柜 没有叫「99」{known}"
        assert await group.ask("掌柜", "@小二 开始") == "@掌柜 要开始哪个活动？说「活动库」，看有哪些。"
        assert await group.say("掌柜", "开始 下雨了") == []
        assert await group.say("阿强", "开始 看拼音") == []


async def test_a_thousand_activities_are_not_all_listed(tmp_path: Path) -> None:
    """The first of them, and how many more; by its name or number each can be started."""
    call = "title: 早安 {}\nkind: sign_in\nposts: {{opening: 早 {}}}\n"
    more = {f"activities/x{number:04}.yaml": call.format(number, number) for number in range(100)}
    async with World(tmp_path / "data", None, library(tmp_path / "lib", {**FILES, **more}, SLOTS)) as world:
        group = await world.group()
        lines = (await group.ask("掌柜", "活动库")).splitlines()
        assert lines[-3:] == [
            "60. 早安 53",
            "还有 46 个没列，说活动名一样能开始。",
            "说「@小二 开始」加活动名或者号码，马上就办。",
        ]
        assert await group.ask("掌柜", "@小二 开始 早安 99") == "早 99"


async def test_an_empty_library_says_so(tmp_path: Path) -> None:
    """And nothing can be started."""
    async with World(tmp_path / "data", library=tmp_path / "nowhere") as world:
        group = await world.group()
        assert await group.ask("掌柜", "活动库") == "@掌柜 活动库里还没有活动。"
