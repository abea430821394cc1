"""问答: from the opening to the last reveal, over restarts and past the bell."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bot.errors import NotSent, Unsure
from tests.harness import Group, World, library

TUESDAY = "2030-01-08T20:00"
ANSWERS = {"一加一": "B", "一加二": "D"}


def small(tmp_path: Path) -> World:
    return World(tmp_path / "data", library=library(tmp_path / "lib"))


async def begin(world: World) -> tuple[Group, str]:
    """A group with the quiz begun, and the right letter of the first question."""
    group = await world.group()
    lines = await group.say("掌柜", "@小二 开始 快问")
    assert lines[0] == "快问，共 2 题"
    return group, right_of(lines[1])


def right_of(question: str) -> str:
    return next(letter for ask, letter in ANSWERS.items() if ask in question)


def wrong_of(question: str) -> str:
    return "A" if right_of(question) != "A" else "C"


async def test_the_banks_week_plays_its_quiz_on_tuesday_at_eight(tmp_path: Path) -> None:
    """Five rounds of three minutes, each revealed at its close, one closing at the end, and what the bank has to say."""
    async with World(tmp_path) as world:
        group = await world.first()
        await group.clock(to="2030-01-08T19:59")
        lines = await group.clock(to=TUESDAY)
        assert "今晚是理财小问答，共 5 题，每题 3 分钟" in lines[0]
        assert lines[1].startswith("第 1 题，共 5 题，3 分钟后公布答案\n")
        assert [line[:2] for line in lines[1].splitlines()[2:]] == ["A.", "B.", "C.", "D."]
        assert len(lines) == 2
        for who, letter in zip(("阿强", "小美", "王姐", "老周"), "ABCD", strict=True):
            assert await group.say(who, letter) == []
        lines = await group.clock(to="2030-01-08T20:30")
        reveals = [line for line in lines if "题答案：" in line]
        assert len(reveals) == 5
        assert "4 人作答，1 人答对" in reveals[0]
        assert all("没有人作答" in line for line in reveals[1:])
        assert "今晚的 5 题答完了，4 人参加" in lines[-2]
        assert lines[-1].startswith("【顺便说一句】")
        right = reveals[0].partition("答案：")[2][0]
        winner = {"A": "阿强", "B": "小美", "C": "王姐", "D": "老周"}[right]
        assert f"{winner} +10" in reveals[0]
        for who in ("阿强", "小美", "王姐", "老周"):
            assert await group.points(who) == (11 if who == winner else 1)
        questions = world.sql("SELECT question FROM rounds")
        assert len(set(questions)) == 5
        assert world.outcomes()["bank-quiz-tue"] == ("sent", "")


async def test_the_next_quiz_brings_other_questions(tmp_path: Path) -> None:
    """A group is not asked again what it had, while the bank has others."""
    async with World(tmp_path) as world:
        group = await world.first()
        for _ in range(2):
            await group.say("陈经理", "@小二 开始 理财小问答")
            await group.clock(advance="20m")
        assert len(set(world.sql("SELECT question FROM rounds"))) == 10


async def test_winners_go_by_the_order_of_their_answers(tmp_path: Path) -> None:
    """The first two who are right win, everyone who took part gets a point, all of it once."""
    async with small(tmp_path) as world:
        group, right = await begin(world)
        wrong = "A" if right != "A" else "C"
        for who, letter in (("王姐", wrong), ("小美", right), ("阿强", right), ("掌柜", right)):
            assert await group.say(who, letter) == []
        (reveal,) = await group.clock(advance="60s")
        assert reveal.startswith(f"第 1 题答案：{right}. ")
        assert reveal.endswith("4 人作答，3 人答对。\n得分：小美 +10、阿强 +6。\n参加的每人 +1。")
        points = [await group.points(who) for who in ("小美", "阿强", "掌柜", "王姐")]
        assert points == [11, 7, 1, 1]


async def test_with_all_as_winners_everybody_who_is_right_wins(tmp_path: Path) -> None:
    """The bank's Thursday quiz pays each of them the same."""
    async with World(tmp_path) as world:
        group = await world.first()
        assert len(await group.clock(to="2030-01-10T20:00")) > 2
        (question,) = world.sql("SELECT question FROM rounds WHERE opened_at > closed_at AND closed_at = 0")[
            0
        ]
        right = json.loads(question)["answer"]
        for who in ("阿强", "小美", "王姐"):
            await group.say(who, right)
        await group.say("老周", "A" if right != "A" else "B")
        (reveal,) = await group.clock(advance="3m")
        assert "阿强 +4、小美 +4、王姐 +4" in reveal
        assert [await group.points(who) for who in ("阿强", "王姐", "老周")] == [5, 5, 1]


async def test_an_answer_is_understood_however_it_is_typed(tmp_path: Path) -> None:
    """Case, width, script and a word or two around the letter do not matter."""
    async with small(tmp_path) as world:
        group, _ = await begin(world)
        typed = ["B", "b", "Ｂ", "我选B", "选b。", "答案是B", "我選Ｂ！", " B ", "Ⓑ", "@小二 B"]
        for number, text in enumerate(typed):
            await group.join(f"群友{number}")
            assert await group.say(f"群友{number}", text) == []
        for talk in ("E", "AB", "B站", "我选", "BB", "选B还是C", "b+", "我觉得是B吧"):
            assert await group.say("阿强", talk) == []
        assert world.sql("SELECT answer FROM answers") == [("B",)] * len(typed)


async def test_nothing_is_revealed_before_the_close(tmp_path: Path) -> None:
    """A right answer and a wrong one are met with the same silence, and the why comes at the end."""
    async with small(tmp_path) as world:
        group, right = await begin(world)
        assert await group.say("阿强", right) == []
        assert await group.say("小美", "A") == []
        assert await group.clock(advance="59s") == []
        assert len(await group.clock(advance="1s")) == 1


async def test_an_answer_is_locked_at_its_first_giving(tmp_path: Path) -> None:
    """Who tries another is told so once; the first one counts."""
    async with small(tmp_path) as world:
        group, right = await begin(world)
        wrong = "A" if right != "A" else "C"
        assert await group.say("阿强", wrong) == []
        assert await group.ask("阿强", right) == f"@阿强 你已经选了 {wrong}，以第一次为准。"
        assert await group.say("阿强", right) == []
        assert await group.say("阿强", wrong) == []
        (reveal,) = await group.clock(advance="60s")
        assert "1 人作答，0 人答对" in reveal
        assert await group.points("阿强") == 1


async def test_the_owner_closes_a_round_early(tmp_path: Path) -> None:
    """收题 reveals now, the old timer changes nothing, and the next question comes after the gap."""
    async with small(tmp_path) as world:
        group, right = await begin(world)
        await group.say("阿强", right)
        assert await group.say("阿强", "收题") == []
        (reveal,) = await group.say("掌柜", "收题")
        assert "1 人答对" in reveal
        (question,) = await group.clock(advance="10s")
        assert question.startswith("第 2 题，共 2 题")
        assert await group.clock(advance="51s") == []
        lines = await group.clock(advance="20s")
        assert ["第 2 题答案" in lines[0], lines[1]] == [True, "1 人答完 2 题"]
        assert await group.points("阿强") == 11


async def test_the_owner_ends_the_quiz(tmp_path: Path) -> None:
    """结束 reveals and pays the open round, and no further question comes."""
    async with small(tmp_path) as world:
        group, right = await begin(world)
        await group.say("阿强", right)
        lines = await group.say("掌柜", "結束")
        assert "答案" in lines[0]
        assert lines[1] == "问答到此结束，共 1 人参加。"
        assert await group.clock(advance="1h") == []
        assert await group.points("阿强") == 11
        assert len(await group.say("掌柜", "@小二 开始 快问")) == 2


async def test_one_quiz_at_a_time(tmp_path: Path) -> None:
    """Another start is refused while one runs; in another group it is not."""
    async with small(tmp_path) as world:
        group, _ = await begin(world)
        await group.clock(advance="6s")
        assert "已经有一场问答" in await group.ask("掌柜", "@小二 开始 快问")
        other = await world.group(title="乙")
        assert len(await other.say("掌柜", "@小二 开始 快问")) == 2
        await other.say("阿强", "B")
        (reveal,) = await group.clock(advance="54s")
        assert "没有人作答" in reveal


@pytest.mark.parametrize(("away", "rest"), [("1s", "59s"), ("30s", "30s")])
async def test_a_round_survives_a_restart(tmp_path: Path, away: str, rest: str) -> None:
    """Answers before and after it count, the round closes at its time, and all are paid once."""
    async with small(tmp_path) as world:
        group, right = await begin(world)
        await group.say("阿强", right)
        await world.restart(away)
        assert await group.say("小美", right) == []
        assert await group.ask("阿强", "A" if right != "A" else "C") != ""
        (reveal,) = await group.clock(advance=rest)
        assert "2 人作答，2 人答对。" in reveal
        assert "阿强 +10、小美 +6" in reveal
        await world.restart("1s")
        lines = await group.clock(advance="2m")
        assert ("第 2 题，共 2 题" in lines[0], "2 人答完 2 题" in lines[-1]) == (True, True)
        assert [await group.points(who) for who in ("阿强", "小美")] == [11, 7]


async def test_a_round_whose_close_was_slept_through_is_closed_at_the_start(tmp_path: Path) -> None:
    """Down over the close: it is revealed and paid once, and after a short absence the quiz goes on."""
    async with small(tmp_path) as world:
        group, right = await begin(world)
        await group.say("阿强", right)
        await world.restart("90s")
        lines = await group.lines()
        assert "1 人答对" in lines[0]
        assert await group.say("小美", right) == []
        lines += await group.clock(advance="2m")
        assert "第 2 题，共 2 题" in "".join(lines)
        assert await group.points("阿强") == 11
        assert await group.points("小美") == 0


async def test_a_round_found_in_the_morning_is_the_last(tmp_path: Path) -> None:
    """After a night offline the round is revealed and paid, and nobody is asked another question."""
    async with small(tmp_path) as world:
        group, right = await begin(world)
        await group.say("阿强", right)
        await world.restart("10h")
        assert len(await group.lines()) == 2
        assert await group.clock(advance="1h") == []
        assert await group.points("阿强") == 11


async def test_an_answer_after_the_close_does_not_count(tmp_path: Path) -> None:
    """Also when it arrives before the timer rang: the close runs first."""
    async with small(tmp_path) as world:
        group, right = await begin(world)
        await group.say("阿强", right)
        assert world.app.mover is not None
        closes = world.sql("SELECT closes_at FROM rounds WHERE opened_at > 0")[0][0]
        world.app.mover._clock.set(closes)  # nobody rings
        (reveal,) = await group.say("小美", right)
        assert "1 人作答，1 人答对" in reveal
        assert world.sql("SELECT COUNT(*) FROM answers") == [(1,)]
        assert await group.points("小美") == 0


async def test_an_answer_to_no_round_is_talk(tmp_path: Path) -> None:
    """Before, between and after the rounds a letter is a letter, and its id means nothing later."""
    async with small(tmp_path) as world:
        group = await world.group()
        assert await group.say("阿强", "B", id="early") == []
        await group.say("掌柜", "@小二 开始 快问")
        assert await group.say("阿强", "B", id="early") == []
        assert world.sql("SELECT COUNT(*) FROM answers") == [(0,)]
        await group.clock(advance="60s")
        assert await group.say("阿强", "B") == []
        await group.clock(advance="2m")
        assert await group.say("阿强", "B") == []
        assert world.sql("SELECT COUNT(*) FROM answers") == [(0,)]


async def test_a_question_that_nobody_saw_makes_the_quiz_void(tmp_path: Path) -> None:
    """Its line was never sent before the close: no answer, no points, no further round, no late burst."""
    async with small(tmp_path) as world:
        group = await world.group()
        wire = world.between(lambda _: NotSent("断线"))
        await group.say("掌柜", "@小二 开始 快问")
        await group.clock(advance="61s")
        wire.trouble = lambda _: None
        assert not any("题" in line and "答案：" in line for line in await group.clock(advance="30m"))
        assert world.sql("SELECT state FROM quizzes") == [("void",)]
        assert world.sql("SELECT COUNT(*) FROM rounds WHERE opened_at > 0") == [(1,)]
        assert "积分" in await group.ask("阿强", "积分榜")
        assert len(await group.say("掌柜", "@小二 开始 快问")) == 2


async def test_a_question_that_may_have_arrived_is_played(tmp_path: Path) -> None:
    """Unknown is not unsent: the round is closed and paid as usual, and the line is not sent again."""
    async with small(tmp_path) as world:
        group = await world.group()
        wire = world.between(lambda _: Unsure("断线"))
        await group.say("掌柜", "@小二 开始 快问")
        wire.trouble = lambda _: None
        await group.say("阿强", "B")
        (reveal,) = await group.clock(advance="60s")
        assert "1 人作答" in reveal


async def test_the_definition_of_a_quiz_is_that_of_its_start(tmp_path: Path) -> None:
    """Whatever becomes of the file, a quiz that began is played to its end as it began."""
    async with small(tmp_path) as world:
        group, right = await begin(world)
        await group.say("阿强", right)
        await world.down()
        (tmp_path / "lib/activities/quick.yaml").unlink()
        (tmp_path / "lib/questions/sums.yaml").unlink()
        await world.up()
        lines = await group.clock(advance="3m")
        assert "阿强 +10" in lines[0]
        assert re.search("一加[一二]", lines[1])
        assert lines[-1] == "1 人答完 2 题"
        assert "没有叫" in await group.ask("掌柜", "@小二 开始 快问")


async def test_a_members_answer_counts_even_where_it_is_the_password_too(tmp_path: Path) -> None:
    """The password is heard from newcomers alone, so that B stays an answer for everybody else."""
    async with small(tmp_path) as world:
        group = await world.group()
        await group.say("掌柜", "暗号 b")
        await group.say("掌柜", "@小二 开始 快问")
        assert await group.say("阿强", "B") == []
        lines = await group.say("掌柜", "@小二 收题")
        assert "1 人作答" in lines[0]
