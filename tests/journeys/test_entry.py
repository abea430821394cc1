"""入群暗号: who comes in, who is outside, and what is kept of it."""

from __future__ import annotations

from pathlib import Path

from bot.model import Message, Person
from tests.harness import Group, World, library

REFUSED = "请先说出入群暗号，再来一起玩。"


async def guarded(world: World, password: str = "芝麻开门") -> Group:
    group = await world.group()
    assert "暗号设好了" in await group.ask("掌柜", f"暗号 {password}")
    return group


async def test_without_a_password_everybody_is_a_member(tmp_path: Path) -> None:
    """A newcomer is welcomed and may sign in at once."""
    async with World(tmp_path) as world:
        group = await world.group()
        assert await group.join("豆豆") == ["欢迎 @豆豆。回复「帮助」看我会做什么。"]
        assert "签到成功" in await group.ask("豆豆", "签到")
        assert await group.clock(advance="2h") == []


async def test_a_newcomer_is_greeted_with_the_rules_and_asked_for_the_password(tmp_path: Path) -> None:
    """The greeting names them and shows the rules of now."""
    async with World(tmp_path) as world:
        group = await guarded(world)
        assert "第 1 版" in await group.ask("掌柜", "群规 不发广告\n不吵架")
        said = await group.join("豆豆")
        assert said == ["欢迎 @豆豆。群规：\n不发广告\n不吵架\n请回复入群暗号，就能签到、答题和抢红包。"]
        assert await group.ask("豆豆", "群规") == "@豆豆 群规：\n不发广告\n不吵架"


async def test_a_newcomer_may_chat_but_not_play(tmp_path: Path) -> None:
    """Sign-in, packets and points are refused, answers count for nothing, talk is left alone."""
    async with World(tmp_path / "data", library=library(tmp_path / "lib")) as world:
        group = await guarded(world)
        await group.join("豆豆")
        await group.ask("掌柜", "发红包 10 2")
        for command in ("签到", "抢", "我的积分", "发红包 1 1", "撤回红包"):
            assert await group.ask("豆豆", command) == f"@豆豆 {REFUSED}"
        assert await group.say("豆豆", "大家好，我是新来的") == []
        assert len(await group.say("掌柜", "@小二 开始 快问")) == 2
        assert await group.ask("豆豆", "B") == f"@豆豆 {REFUSED}"
        assert "没有人作答" in (await group.clock(advance="60s"))[0]
        assert group.balance("purse") == 0
        assert await group.ask("豆豆", "帮助")


async def test_the_password_is_heard_however_it_is_typed(tmp_path: Path) -> None:
    """In whatever script, with a full stop, a call or the word 暗号 before it."""
    async with World(tmp_path) as world:
        group = await guarded(world)
        typed = ["芝麻开门", "芝麻開門", " 芝麻开门。", "@小二 芝麻开门", "暗号 芝麻開門"]
        for number, text in enumerate(typed):
            await group.join(f"新人{number}")
            assert "暗号正确" in await group.ask(f"新人{number}", text)
        assert len(world.sql("SELECT * FROM admissions")) == len(typed)


async def test_saying_the_password_makes_a_member(tmp_path: Path) -> None:
    """It is kept when, with which password and under which version of the rules; said again it is talk."""
    async with World(tmp_path) as world:
        group = await guarded(world)
        await group.say("掌柜", "群规 第一版")
        await group.say("掌柜", "群规 第二版")
        await group.join("豆豆")
        await group.clock(advance="5m")
        assert await group.ask("豆豆", "芝麻开门") == "@豆豆 暗号正确，欢迎入席。回复「签到」开始吧。"
        kept = world.sql(
            "SELECT m.name, a.password, a.rules_version, a.at - m.joined_at >= 300000000 "
            "FROM admissions a JOIN members m ON m.id = a.member_id"
        )
        assert kept == [("豆豆", "芝麻开门", 2, 1)]
        assert "签到成功" in await group.ask("豆豆", "签到")
        assert await group.say("豆豆", "芝麻开门") == []
        assert len(world.sql("SELECT * FROM admissions")) == 1
        assert await group.clock(advance="2h") == []


async def test_a_password_of_letters_is_heard_in_any_width(tmp_path: Path) -> None:
    """`ＯＰＥＮ ６６` is `open 66`."""
    async with World(tmp_path) as world:
        group = await guarded(world, "Open 66")
        await group.join("豆豆")
        assert await group.say("豆豆", "open 67") == []
        assert "暗号正确" in await group.ask("豆豆", "ＯＰＥＮ　６６")


async def test_a_newcomer_is_reminded_once(tmp_path: Path) -> None:
    """After the configured time, and never again; not who has left, also when the bot was down."""
    async with World(tmp_path) as world:
        group = await guarded(world)
        await group.join("豆豆")
        await group.join("小林")
        await group.leave("小林")
        assert await group.clock(advance="29m") == []
        await world.restart("5m")
        reminded = await group.lines()
        assert len(reminded) == 1
        assert reminded[0].startswith("@豆豆 还差一步")
        assert await group.clock(advance="20h") == []


async def test_those_who_were_there_are_members(tmp_path: Path) -> None:
    """Present at 开张 or when the first password is set: nothing is asked of them."""
    async with World(tmp_path) as world:
        group = await world.group()
        await group.join("豆豆")
        await group.ask("掌柜", "暗号 芝麻开门")
        for who in ("阿强", "豆豆", "掌柜"):
            assert "签到成功" in await group.ask(who, "签到")


async def test_an_earlier_arrival_before_opening_is_a_member(tmp_path: Path) -> None:
    """Who joined between the group's making and 开张 is there at 开张."""
    async with World(tmp_path) as world:
        group = await world.group(tags=None)
        assert await group.join("豆豆") == []
        await group.say("掌柜", "开张")
        await group.say("掌柜", "暗号 芝麻开门")
        assert "签到成功" in await group.ask("豆豆", "签到")


async def test_a_changed_password_is_the_one_to_say(tmp_path: Path) -> None:
    """Members stay members; who is still outside must say the new one."""
    async with World(tmp_path) as world:
        group = await guarded(world)
        await group.join("豆豆")
        await group.join("小林")
        await group.ask("豆豆", "芝麻开门")
        assert "没有变" in await group.ask("掌柜", "暗号 芝麻開門")
        assert "换好了" in await group.ask("掌柜", "暗号 天王盖地虎")
        assert await group.say("小林", "芝麻开门") == []
        assert await group.ask("小林", "暗号 芝麻开门") == f"@小林 {REFUSED}"
        assert "签到成功" in await group.ask("豆豆", "签到")
        assert "暗号正确" in await group.ask("小林", "天王盖地虎")


async def test_dropping_the_password_admits_everybody(tmp_path: Path) -> None:
    """Who waited outside is in, nobody is reminded, and the word is talk again."""
    async with World(tmp_path) as world:
        group = await guarded(world)
        await group.join("豆豆")
        assert "取消了" in await group.ask("掌柜", "取消暗号")
        assert "签到成功" in await group.ask("豆豆", "签到")
        assert await group.say("豆豆", "芝麻开门") == []
        assert await group.clock(advance="2h") == []
        assert "现在没有暗号" in await group.ask("掌柜", "取消暗号")
        assert "现在没有暗号" in await group.ask("掌柜", "暗号")


async def test_a_password_that_nobody_could_say_is_refused(tmp_path: Path) -> None:
    """Too long, nothing but a full stop, or one of the commands."""
    async with World(tmp_path) as world:
        group = await world.group()
        for bad in ("签到", "簽到", "发红包 100 10", "开张 福利", "长" * 25, "x" * 100_000):
            assert "暗号要 1 到 24 个字，而且不能是我的口令" in await group.ask("掌柜", f"暗号 {bad}")
        assert "现在没有暗号" in await group.ask("掌柜", "暗号")
        assert "现在有暗号" in (await group.say("掌柜", "暗号 芝麻") + await group.say("掌柜", "暗号"))[-1]


async def test_who_leaves_and_returns_must_say_it_again(tmp_path: Path) -> None:
    """They are newcomers again, with the purse that they had."""
    async with World(tmp_path) as world:
        group = await guarded(world)
        await group.say("阿强", "签到")
        await group.leave("阿强")
        assert "请回复入群暗号" in (await group.join("阿强"))[0]
        assert await group.ask("阿强", "签到") == f"@阿强 {REFUSED}"
        await group.ask("阿强", "芝麻开门")
        assert await group.points("阿强") == 5
        assert "今天已签到" in await group.ask("阿强", "签到")


async def test_a_first_message_of_somebody_never_seen_counts_as_a_join(tmp_path: Path) -> None:
    """They are greeted, and stay outside until they say the password."""
    async with World(tmp_path) as world:
        group = await guarded(world)

        async def hear(key: str, text: str) -> list[str]:
            at = world.app.clock.now()
            message = Message("sandbox", group.id, key, Person("ghost", "无名"), text, at)
            world.app.dispatcher.feed(message)
            await world.settle()
            return await group.lines()

        greeted = await hear("1", "大家好")
        assert greeted == ["欢迎 @无名。请回复入群暗号，就能签到、答题和抢红包。"]
        assert await hear("2", "签到") == [f"@无名 {REFUSED}"]
        assert await hear("3", "有人吗") == []
        assert len(await hear("4", "芝麻开门")) == 1
        assert "签到成功" in (await hear("5", "签到"))[0]


async def test_the_password_survives_a_restart(tmp_path: Path) -> None:
    """Newcomers stay outside over a restart, and the word still lets them in."""
    async with World(tmp_path) as world:
        group = await guarded(world)
        await group.join("豆豆")
        await world.restart("1m")
        assert await group.ask("豆豆", "签到") == f"@豆豆 {REFUSED}"
        assert "暗号正确" in await group.ask("豆豆", "芝麻开门")
        assert "签到成功" in await group.ask("阿强", "签到")


async def test_who_left_is_not_greeted_after_a_restart(tmp_path: Path) -> None:
    """The last words of somebody who has gone are not read again as those of somebody new."""
    async with World(tmp_path) as world:
        group = await world.group()
        await group.say("小美", "再见了各位")
        await group.leave("小美")
        await world.restart()
        assert await group.lines() == []


async def test_rules_have_versions_and_a_limit(tmp_path: Path) -> None:
    """Each setting is a new version; too long a text is refused with both numbers."""
    async with World(tmp_path) as world:
        group = await world.group()
        assert "还没有群规" in await group.ask("阿强", "群规")
        for version in (1, 2):
            assert f"第 {version} 版" in await group.ask("掌柜", f"群规 不许 {{points}} {version}")
        assert await group.ask("阿强", "群规") == "@阿强 群规：\n不许 {points} 2"
        assert "最多 1000 个字，现在有 1001 个" in await group.ask("掌柜", "群规 " + "字" * 1001)
