"""Replies that share a message: who gets a line of their own, what stays alone, and in which order."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.errors import NotSent, Unsure
from bot.model import MINUTE, SECOND, Outgoing, Person, Say, called
from bot.outbox.merging import LINE, MANY, Merging
from bot.sop.schema import variables
from storage.outbox import Row
from tests.outbox.stage import TEXTS, Post

SIGN_IN: dict[str, Any] = {"streak": 2, "points": 5, "balance": 10}


def read(one: Outgoing) -> str:
    """A message as a chat shows it."""
    assert isinstance(one, Say)
    return called(one, [f"@{person.name} " for person in one.mentions])


async def test_with_nothing_waiting_a_reply_leaves_at_once(post: Post) -> None:
    """In the words that it has alone."""
    post.paced()
    await post.reply("甲", place=1, **SIGN_IN)
    await post.rest()
    assert read(post.far.sent[0]) == "@甲 签到成功，今天第 1 个，连续 2 天，得 5 分，共 10 分。"


async def test_twelve_sign_ins_are_one_message_that_names_twelve_people(post: Post) -> None:
    """Each with their own place and points, called at their own line; all twelve rows are sent."""
    post.paced()
    await post.say("早")
    await post.rest()
    for place in range(1, 13):
        await post.reply(f"p{place}", place=place, **SIGN_IN)
    await post.run(5 * SECOND)
    assert len(post.far.sent) == 2
    lines = read(post.far.sent[1]).splitlines()
    assert lines[0] == "12 人签到成功"
    assert lines[1:] == [f"@p{n} 第 {n} 个，连续 2 天，得 5 分，共 10 分" for n in range(1, 13)]
    assert post.states() == {"sent": 13}


async def test_kinds_share_a_message_and_what_stands_between_keeps_its_place(post: Post) -> None:
    """Nothing is moved over a message that is not one person's own."""
    post.paced()
    await post.say("早")
    await post.rest()
    await post.reply("a", place=1, **SIGN_IN)
    await post.reply("b", "points.mine", points=7)
    await post.reply("c", place=2, **SIGN_IN)
    await post.say("阿强 发了一个红包")
    await post.reply("a", "packet.got", points=3, left=1)
    await post.reply("b", "packet.none")
    await post.reply("c", "packet.none")
    await post.run(10 * SECOND)
    assert [read(one) for one in post.far.sent[1:]] == [
        "2 人签到成功\n@a 第 1 个，连续 2 天，得 5 分，共 10 分\n@c 第 2 个，连续 2 天，得 5 分，共 10 分\n@b 你有 7 分。",
        "阿强 发了一个红包",
        "@a 抢到 3 分，还剩 1 份。\n@b @c 现在没有红包可抢。",
    ]


async def test_somebody_is_called_once_for_one_sentence_and_at_each_line_of_their_own(post: Post) -> None:
    post.paced()
    await post.say("早")
    await post.rest()
    for key in ("packet.none", "points.mine"):
        await post.reply("a", key, points=7)
        await post.reply("a", key, points=7)
    await post.run(5 * SECOND)
    assert read(post.far.sent[1]) == "@a 现在没有红包可抢。\n1 人的积分\n@a 7 分\n@a 7 分"


async def test_rows_of_one_message_share_its_fate(post: Post) -> None:
    """What did not leave is tried again, together and in order; what may have arrived is unknown for all."""
    post.paced()
    await post.say("早")
    await post.rest()
    trouble = iter([NotSent("断线"), Unsure("断线")])
    post.far.trouble = lambda one: next(trouble)
    for place in range(1, 4):
        await post.reply(f"p{place}", place=place, **SIGN_IN)
    await post.run(MINUTE)
    first, again = (read(one) for one in post.far.tried[1:])
    assert first == again
    assert again.count("@p") == 3
    assert post.states() == {"sent": 1, "unknown": 3}


async def test_a_message_holds_no_more_than_its_platform_takes(post: Post) -> None:
    """The rest goes with the next, and nobody is left out."""
    post.far.longest = 200
    post.paced()
    await post.say("早")
    await post.rest()
    for place in range(1, 21):
        await post.reply(f"p{place}", place=place, **SIGN_IN)
    await post.run(MINUTE)
    said = [read(one) for one in post.far.sent[1:]]
    assert all(len(one) <= 200 for one in said)
    assert 4 < len(said) < 10
    assert re.findall(r"@(\w+)", "".join(said)) == [f"p{place}" for place in range(1, 21)]


async def test_without_a_pace_nothing_is_merged(post: Post) -> None:
    """The sandbox shows each reply by itself."""
    await post.say("早")
    for place in range(1, 4):
        await post.reply(f"p{place}", place=place, **SIGN_IN)
    await post.rest()
    assert len(post.far.sent) == 4


async def test_braces_and_marks_in_a_name_are_only_a_name(post: Post) -> None:
    """Whatever members call themselves."""
    post.paced()
    await post.say("早")
    await post.rest()
    for name in ("{lines}", "{count}", "\0010\001", "@b "):
        await post.reply(name, "points.mine", points=1)
    await post.run(5 * SECOND)
    assert isinstance(say := post.far.sent[1], Say)
    assert say.mentions == tuple(Person(name, name) for name in ("{lines}", "{count}", "\0010\001", "@b "))
    assert say.text == "4 人的积分" + "\n1 分" * 4


@pytest.mark.parametrize("key", sorted(key for key in TEXTS if key.endswith(MANY)))
def test_a_text_for_many_says_all_that_the_text_for_one_says(key: str) -> None:
    """Its lines have the values of the text for one; where there are none, it has the names."""
    one = key.removesuffix(MANY)
    wanted = set(variables(TEXTS[one]))
    assert bool(wanted) == ("lines" in variables(TEXTS[key])) == (one + LINE in TEXTS)
    assert set(variables(TEXTS.get(one + LINE, ""))) == wanted
    assert wanted or "names" in variables(TEXTS[key])


def test_every_line_belongs_to_a_text_for_many() -> None:
    lines = [key for key in TEXTS if key.endswith(LINE)]
    assert lines
    assert [key for key in lines if key.removesuffix(LINE) + MANY not in TEXTS] == []


def test_a_text_of_the_operators_own_is_used_for_many() -> None:
    """As `texts/` has it."""
    body: dict[str, Any] = {"key": "points.mine", "text": TEXTS["points.mine"]}
    own = {**TEXTS, "points.mine.many": "看，{count} 位：\n{lines}", "points.mine.line": "有 {points}"}
    rows = [
        Row(n, "x", "g", "say", {**body, "values": {"points": n}, "to": [f"a{n}", f"a{n}"]}, 0, 0, 0)
        for n in (1, 2)
    ]
    assert read(Merging(own).merge(rows)) == "看，2 位：\n@a1 有 1\n@a2 有 2"
