"""帮助, 积分, 小二's name, and who may ask for what."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import World

OWNERS = ["暗号 芝麻开门", "取消暗号", "群规 不发广告", "今日安排", "开张 福利", "@小二 暂停", "@小二 继续"]
OWNERS += ["@小二 开始 快问", "@小二 收题", "@小二 结束"]


async def test_who_calls_gets_one_short_line(tmp_path: Path) -> None:
    """`小二`, a call by name and a call by id are answered; what follows need not be understood."""
    async with World(tmp_path) as world:
        group = await world.first()
        for typed in ("小二", "小二。", "小二在吗", "@小二", "＠小二", "@小二 你好呀", "@小二\u2005在忙吗"):
            assert await group.ask("阿强", typed) == "@阿强 我在。回复「帮助」看我会做什么。"
        assert "我在" in await group.ask("阿强", "你觉得呢", mentions=["bot"])
        assert await group.say("阿强", "昨天小二说得对", mentions=["m3"]) == []


async def test_help_tells_owners_more(tmp_path: Path) -> None:
    """Members read what they can say; the owner also what an owner can."""
    async with World(tmp_path) as world:
        group = await world.first()
        told, owner = await group.ask("阿强", "帮助"), await group.ask("陈经理", "幫助")
        for command in ("签到", "我的积分", "积分榜", "抢", "发红包 总分 份数", "撤回红包", "群规"):
            assert command in told
            assert command in owner
        for command in ("开张", "今日安排", "暗号", "取消暗号", "开始", "暂停", "继续", "收题", "结束"):
            assert command not in told
            assert command in owner


async def test_a_member_who_types_an_owners_command_gets_one_short_line(tmp_path: Path) -> None:
    """Nothing else happens."""
    async with World(tmp_path) as world:
        group = await world.first()
        before = world.sql("SELECT * FROM groups"), world.sql("SELECT * FROM tags")
        for typed in OWNERS:
            assert await group.ask("阿强", typed) == "@阿强 这件事要群主来说。"
        assert (world.sql("SELECT * FROM groups"), world.sql("SELECT * FROM tags")) == before


async def test_everyday_words_of_a_member_are_talk(tmp_path: Path) -> None:
    """`继续` and its like are commands only from who may give them, or with @小二."""
    async with World(tmp_path) as world:
        group = await world.first()
        for talk in ("继续", "暂停", "开始", "开始 吃饭", "结束", "收题", "公布答案"):
            assert await group.say("阿强", talk) == []
            assert await group.say("阿强", talk) == []


async def test_everyday_words_of_an_owner_that_ask_for_nothing_are_talk(tmp_path: Path) -> None:
    """An owner who talks is not answered, however often; called by name, 小二 says what is wrong."""
    async with World(tmp_path) as world:
        group = await world.first()
        for talk in ("继续", "开始", "开始", "开始 干活了", "开始 干活了", "结束", "收题"):
            assert await group.say("陈经理", talk) == []
        assert "没有暂停" in await group.ask("陈经理", "@小二 继续")
        assert "要开始哪个活动" in await group.ask("陈经理", "@小二 开始")
        assert "没有叫「做梦」的活动" in await group.ask("陈经理", "@小二 开始 做梦")
        assert "现在没有问答" in await group.ask("陈经理", "@小二 结束")
        assert "现在没有问答" in await group.ask("陈经理", "收题", mentions=["bot"])


async def test_points_and_ranking(tmp_path: Path) -> None:
    """A purse is read by its owner, the ranking by all; equal points share a place."""
    async with World(tmp_path) as world:
        group = await world.first()
        assert "还没有人有积分" in await group.ask("阿强", "积分榜")
        assert await group.ask("阿强", "我的积分") == "@阿强 你有 0 分。"
        for who in ("小美", "阿强", "王姐"):
            await group.say(who, "签到")
        await group.clock(to="2030-01-08T07:00")
        await group.say("王姐", "签到")
        assert await group.ask("王姐", "我的積分") == "@王姐 你有 10 分。"
        assert await group.ask("阿强", "積分榜") == "@阿强 积分榜\n1. 王姐 10 分\n2. 小美 5 分\n2. 阿强 5 分"


async def test_points_belong_to_one_group(tmp_path: Path) -> None:
    """What is earned in one group is not seen in another."""
    async with World(tmp_path) as world:
        one, other = await world.group(title="甲"), await world.group(title="乙")
        await one.say("阿强", "签到")
        assert (await one.points("阿强"), await other.points("阿强")) == (5, 0)


async def test_before_opening_only_the_owner_is_heard(tmp_path: Path) -> None:
    """Commands are turned away, talk is left alone, and 开张 is the owner's to say."""
    async with World(tmp_path) as world:
        group = await world.group(tags=None)
        assert "还没在这个群开张" in await group.ask("阿强", "签到")
        assert "还没在这个群开张" in await group.ask("阿强", "小二")
        assert await group.say("阿强", "大家好") == []
        assert await group.say("阿强", "@小二 你好") == []
        assert "要群主来说" in await group.ask("阿强", "开张 理财")
        said = await group.ask("掌柜", "開張 理財")
        assert "开张大吉" in said
        assert "10000 分" in said
        assert "理财群 · 一周" in said
        assert group.balance("treasury") == 10_000
        assert "早就开张了" in await group.ask("掌柜", "开张")
        assert group.balance("treasury") == 10_000
        assert "签到成功" in await group.ask("阿强", "签到")


async def test_opening_sets_the_tags(tmp_path: Path) -> None:
    """开张 again with other words changes the tags; without words it leaves them."""
    async with World(tmp_path) as world:
        group = await world.group(tags=["理财"])

        async def tags() -> list[str]:
            found = (await world.http.get("/api/sandbox/groups")).json()
            return next(one["tags"] for one in found if one["id"] == group.id)

        assert await tags() == ["理财"]
        assert "鞋店福利群" in await group.ask("掌柜", "开张 福利")
        assert await tags() == ["福利"]
        await group.ask("掌柜", "开张")
        assert await tags() == ["福利"]
        assert "还没有哪本日历" in await group.ask("掌柜", "开张 无人问津")
        assert "标签最多" in await group.ask("掌柜", "开张 一 二 三 四 五 六")
        assert "最多 12 个字" in await group.ask("掌柜", "开张 " + "长" * 13)


async def test_a_private_chat_with_xiaoer(tmp_path: Path) -> None:
    """小二, 帮助 and 我的积分 are answered in private, group matters are sent to the group."""
    async with World(tmp_path) as world:
        group = await world.first()
        await group.say("阿强", "签到")

        async def ask(text: str) -> list[str]:
            address = "/api/sandbox/members/m2/messages"
            seen = max([0, *(line["seq"] for line in (await world.http.get(address)).json())])
            assert (await world.http.post(address, json={"text": text})).status_code == 202
            await world.settle()
            new = (await world.http.get(address, params={"after": seen})).json()
            assert new[0]["from"] == "m2"
            return [line["text"] for line in new if line["from"] == "bot"]

        assert await ask("我的积分") == ["你的积分：\n街坊理财群：5 分"]
        assert len(await ask("帮助")) == 1
        assert len(await ask("小二")) == 1
        for text in ("签到", "发红包 1 1", "暗号 天王盖地虎"):
            assert await ask(text) == ["这件事请到群里说。"]
        assert len(await ask("在干嘛")) == 1
        assert await ask("在干嘛") == []  # two bots would go on for ever
        assert await group.lines() == []


@pytest.mark.parametrize("typed", ["签到 @小二", "@小二，签到", "@小二: 签到", "＠小二　签到"])
async def test_the_call_may_stand_at_either_end(tmp_path: Path, typed: str) -> None:
    """With a comma, a colon or a space; with the mention's id it may even touch the word."""
    async with World(tmp_path) as world:
        group = await world.group()
        assert "签到成功" in await group.ask("阿强", typed)
        assert "签到成功" in await group.ask("小美", "@小二签到", mentions=["bot"])
        assert await group.say("王姐", "@小二哥签到") == []
