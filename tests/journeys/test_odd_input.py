"""Whatever people type is text: answered or ignored in normal time, and nothing breaks."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.harness import World

API = "/api/sandbox"
JSON = {"content-type": "application/json"}
NAMES = [
    "{0.__class__}",
    "{points}",
    "群主",
    "所有人",
    "bot",
    "m1",
    "'; DROP TABLE members; --",
    "%s%n{{7*7}}${x}",
    "[bold]红[/bold]",
    "😀😀",
    "ａｂ\u202ecd\u200b",
    "换\n行",
    "NUL\0名",
]
TEXTS = [
    "😀" * 50,
    "\x07\x1b[31m\x00\x7f",
    "\u202e\u200f\u200b",
    "{0.__class__.__mro__}",
    "{points} {name}",
    "%s %d {{7*7}} ${jndi:ldap://x}",
    "'; DROP TABLE members; --",
    "<script>alert(1)</script>",
    "",
    "   ",
    "。",
    "@",
    "@小",
    "\n" * 1000,
    "签" * 100_000,
    "签到 " * 20_000,
    "A" * 100_000,
    "é" * 300,
    "９" * 20_000,
]
LONG = ["发红包 ", "开张 ", "群规 ", "暗号 ", "开始 ", "小二 ", "@小二 ", "@小二 开始 ", "签到 "]


def raw(text: str) -> bytes:
    """JSON with escapes, as a client may send what no encoder would."""
    return json.dumps(text).encode()


async def test_any_nickname_is_a_name_and_nothing_more(tmp_path: Path) -> None:
    """It joins, signs in, grabs, ranks and wins like any other; it reaches no format, SQL or role."""
    async with World(tmp_path) as world:
        group = await world.group(members=["阿强"])
        await group.say("掌柜", f"发红包 {10 * len(NAMES)} {len(NAMES)}")
        for place, name in enumerate(NAMES, 1):
            address = f"{API}/groups/{group.id}/members"
            answer = await world.http.post(address, content=b'{"name": %s}' % raw(name), headers=JSON)
            assert answer.status_code == 201, answer.text
            key = answer.json()["id"]
            await world.settle()
            assert len(await group.lines()) == 1
            said = await group.ask(key, "签到")
            assert f" 签到成功，今天第 {place} 个，连续 1 天，得 5 分，共 5 分。" in said
            assert said.count("\n") == 0
            assert "抢到" in await group.ask(key, "抢")
            assert "要群主来说" in await group.ask(key, "今日安排")
        ranking = await group.ask("阿强", "积分榜")
        assert ranking.count("\n") == 10
        assert "<class" not in ranking
        assert await group.ask("掌柜", "小二")


async def test_lone_surrogates_and_nul_are_replaced(tmp_path: Path) -> None:
    """One such message must not make every later reading of the chat fail."""
    async with World(tmp_path) as world:
        group = await world.first()
        address = f"{API}/groups/g1/messages"
        for text in (r'"\ud800 你好"', r'"\u0000"', r'"签到\udfff"', r'"\ud83d"'):
            body = b'{"from": "m2", "text": %s}' % text.encode()
            answer = await world.http.post(address, content=body, headers=JSON)
            assert answer.status_code == 202, answer.text
        strange = rb'{"from": "m2", "text": "hi", "id": "\ud800", "mentions": ["\ud800"]}'
        assert (await world.http.post(address, content=strange, headers=JSON)).status_code == 202
        await world.settle()
        texts = [line["text"] for line in await group.read() if line["from"] == "m2"]
        assert texts == ["\ufffd 你好", "\ufffd", "签到\ufffd", "\ufffd", "hi"]
        body = rb'{"title": "\ud800", "owner": "\udc00\u0000"}'
        made = await world.http.post(f"{API}/groups", content=body, headers=JSON)
        assert made.status_code == 201
        assert (await world.http.get(f"{API}/groups")).json()[-1]["title"] == "\ufffd"
        address = f"{API}/members/m2/messages"
        answer = await world.http.post(address, content=rb'{"text": "\ud800"}', headers=JSON)
        assert answer.status_code == 202
        assert (await world.http.get(address)).status_code == 200


async def test_any_text_is_text(tmp_path: Path) -> None:
    """Control characters, emoji, SQL, templates and 100,000 characters are kept as they are, in silence."""
    async with World(tmp_path) as world:
        group = await world.first()
        before = group.seq
        for text in TEXTS:
            began = time.perf_counter()
            lines = await group.say("阿强", text)
            assert time.perf_counter() - began < 3
            assert lines == [], text[:20]
        kept = [line["text"] for line in await group.read(before) if line["from"] == "m2"]
        assert kept == [text.replace("\0", "\ufffd") for text in TEXTS]
        assert "签到成功" in await group.ask("阿强", "签到")


async def test_any_text_behind_a_command_gets_at_most_one_short_line(tmp_path: Path) -> None:
    """100,000 characters or control characters after a command, from the owner too."""
    async with World(tmp_path) as world:
        group = await world.first()
        for who in ("阿强", "陈经理"):
            for head in LONG:
                for tail in ("x" * 100_000, "1 " * 50_000, "\x07\x1b[31m\x01"):
                    if (who, head, tail[:1]) in {("陈经理", h, "\x07") for h in ("开张 ", "群规 ", "暗号 ")}:
                        continue  # an owner may write what they like
                    began = time.perf_counter()
                    lines = await group.say(who, head + tail)
                    assert time.perf_counter() - began < 3
                    assert len(lines) <= 1
                    assert all(len(line) < 300 for line in lines)


async def test_a_value_is_never_read_as_a_template(tmp_path: Path) -> None:
    """Braces in rules, tags and names come out as they went in."""
    async with World(tmp_path) as world:
        group = await world.group(members=["{rules}{names}"])
        await group.say("掌柜", "群规 {names} {rules} {0.__class__}")
        await group.say("掌柜", "暗号 {points}")
        said = await group.join("{balance}")
        assert said == [
            "欢迎 @{balance}。群规：\n{names} {rules} {0.__class__}\n请回复入群暗号，就能签到、答题和抢红包。"
        ]
        assert "暗号正确" in await group.ask("{balance}", "{points}")
        assert "标签：{points}，" in await group.ask("掌柜", "开张 {points}")
        assert (await group.ask("{rules}{names}", "签到")).startswith("@{rules}{names} 签到成功")
