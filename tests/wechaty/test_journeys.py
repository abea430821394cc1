"""Whole journeys: people in a room of a real gateway, and 小二 with all its parts behind it."""

from __future__ import annotations

import asyncio
import base64
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import func, select

from bot.app import App, settle
from bot.model import DAY, Occurrence
from bot.ports import State
from storage import tables
from storage.query import Query
from storage.store import Store
from tests import databases
from tests.sop.fakes import write
from tests.wechaty.chat import Chat, at_work, audited, log_in, online, until_it_stands
from tests.wechaty.conftest import ACCOUNT, ROOM, people
from tests.wechaty.gateway import TOKEN, Gateway, GatewayHost

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
LIBRARY: dict[str, str | bytes] = {
    "activities/warm-up.yaml": """\
title: 暖场
kind: quiz
game: choice
questions: {from: sums, pick: 1}
round: {open: 5m}
winners: {first: 1}
reward: {winners: [10], everyone: 1}
posts: {opening: "问答开始，共 {rounds} 题。", closing: "今晚 {players} 人参加。"}
""",
    "activities/packet.yaml": """\
title: 小红包
kind: red_packet
points: 30
shares: 3
posts: {opening: "{points} 分，共 {shares} 份，回复「抢」。"}
""",
    "questions/sums.yaml": """\
title: 算术
game: choice
questions:
  - {ask: 七加八是多少？, options: [十三, 十四, 十五, 十六], answer: C, why: 掰手指也行。}
""",
    "texts/posts.yaml": "shoes: {text: 今天到了新鞋。, picture: pictures/shoes.png}\n",
    "pictures/shoes.png": PIXEL,
}


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XIAOER_WECHATY_TOKEN", TOKEN)


@pytest.fixture
def home(tmp_path: Path, database: str, tidy: None) -> Iterator[Path]:
    """Where 小二 lives: a tiny library, and its data. At the end the books must be right."""
    databases.blank(tmp_path / "data")
    # Half a day away, so that no slot falls due by itself while a test runs.
    at = (datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(hours=12)).strftime("%H:%M")
    calendar = f"""\
title: 福利群
audience: {{tags: [福利]}}
slots:
  - {{id: shoes, at: "{at}", post: shoes}}
  - {{id: packet, at: "{at}", do: packet}}
"""
    write(tmp_path / "library", {**LIBRARY, "calendars/shop.yaml": calendar})
    yield tmp_path
    audited(tmp_path)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
async def app(home: Path, gateway: Gateway) -> AsyncIterator[App]:
    """小二 logged in, with Mary, who owns the room."""
    async with at_work(home, {ACCOUNT: gateway.endpoint}) as app:
        assert not app.library.faults
        await log_in(app, gateway)
        yield app


@pytest.fixture
async def chat(app: App, gateway: Gateway) -> Chat:
    """The room, 开张."""
    chat = Chat(gateway)
    assert "日历：福利群" in await chat.ask("mary", "开张 福利")
    return chat


async def test_invited_and_opened_in_a_group(gateway: Gateway, app: App) -> None:
    await gateway.do("invite", id="inv-1", inviterId="tom", topic="读书群")
    await gateway.wait("did", what="roomInvitationAccept")
    reading = "reading@chatroom"
    await gateway.do("room", id=reading, topic="读书群", owner="tom", members=["tom", "mary"])
    await gateway.do("join", room=reading, who=["bot"], by="tom")
    chat = Chat(gateway, reading)
    assert "还没在这个群开张" in await chat.ask("mary", "签到")
    assert "群主来说" in await chat.ask("mary", "开张 理财")
    assert "标签：理财" in await chat.ask("tom", "开张 理财")
    assert "签到成功" in await chat.ask("mary", "签到")


async def test_a_sign_in_is_answered_by_name_and_counts_once(gateway: Gateway, chat: Chat) -> None:
    await chat.say("mary", "签到")
    answer = await chat.heard()
    assert answer["body"].startswith("@Mary\u2005签到成功，今天第 1 个，连续 1 天，得 5 分")
    assert answer["mentions"] == ["mary"]
    assert "今天已签到" in await chat.ask("mary", "簽到 。")
    assert "你有 5 分" in await chat.ask("mary", "我的积分")
    # In private nobody is called.
    await gateway.do("say", **{"from": "mary"}, to="bot", text="我的积分")
    answer = await gateway.wait("sent", to="mary")
    assert (answer["body"], answer["mentions"]) == ("你的积分：\n福利群：5 分", [])


async def test_a_newcomer_comes_in_by_password(gateway: Gateway, chat: Chat) -> None:
    await chat.ask("mary", "群规 不发广告，{points} 也不行")
    await chat.ask("mary", "暗号 芝麻开门")
    await gateway.do("join", room=ROOM, who=["tom"], by="mary")
    greeting = (await chat.heard())["body"]
    assert "Tom" in greeting
    assert "不发广告，{points} 也不行" in greeting
    assert "暗号" in greeting
    assert "芝麻" not in greeting
    assert "入群暗号" in await chat.ask("tom", "签到")
    await chat.say("tom", "大家好")
    await chat.quiet()
    assert (await chat.ask("tom", "芝麻開門！")).startswith("@Tom\u2005暗号正确")
    assert "签到成功" in await chat.ask("tom", "签到")
    assert "签到成功" in await chat.ask("mary", "签到"), "who was there before needs no password"


async def test_a_join_that_was_never_told_is_seen_at_the_first_message(gateway: Gateway, chat: Chat) -> None:
    await chat.ask("mary", "暗号 芝麻开门")
    await gateway.do("contact", id="ann", name="Ann")
    await gateway.do("members", room=ROOM, payload=["bot", "mary", "ann"])
    greeting = await chat.ask("ann", "大家好")
    assert "Ann" in greeting
    assert "暗号" in greeting
    assert "入群暗号" in await chat.ask("ann", "打卡")
    assert "暗号正确" in await chat.ask("ann", "芝麻开门")


async def test_who_leaves_and_comes_back_keeps_their_points(gateway: Gateway, chat: Chat) -> None:
    await gateway.do("join", room=ROOM, who=["tom"], by="mary")
    assert "Tom" in (await chat.heard())["body"]
    assert "签到成功" in await chat.ask("tom", "签到")
    await gateway.do("leave", room=ROOM, who=["tom"], by="mary")
    await gateway.do("join", room=ROOM, who=["tom"], by="mary")
    assert "欢迎" in (await chat.heard())["body"]
    assert "今天已签到" in await chat.ask("tom", "签到")
    assert "你有 5 分" in await chat.ask("tom", "我的积分")


@pytest.mark.parametrize("seconds", [False, True], ids=["milliseconds", "seconds"])
async def test_a_quiz_reveals_its_answer_at_the_close(gateway: Gateway, chat: Chat, *, seconds: bool) -> None:
    def now() -> dict[str, int]:
        return {"timestamp": time.time_ns() // (1_000_000_000 if seconds else 1_000_000)}

    await gateway.do("join", room=ROOM, who=["tom"], by="mary")
    await chat.heard()
    assert await chat.ask("mary", "@小二\u2005开始 暖场", mentions=["bot"]) == "问答开始，共 1 题。"
    question = (await chat.heard())["body"]
    assert "七加八" in question
    for who, text in (("mary", "我选Ｂ"), ("tom", "c"), ("mary", "b")):
        await chat.say(who, text, **now())
    assert "以第一次为准" in await chat.ask("mary", "C", **now())
    assert not [line for line in gateway.sent if "答案：" in str(line["body"])]
    assert "答案：C. 十五" in (closed := await chat.ask("mary", "@小二 收题"))
    assert "2 人作答，1 人答对" in closed
    assert "Tom +10" in closed
    assert (await chat.heard())["body"] == "今晚 2 人参加。"
    assert "你有 11 分" in await chat.ask("tom", "积分")
    assert "你有 1 分" in await chat.ask("mary", "积分")


async def test_a_red_packet_is_given_and_taken_once(gateway: Gateway, chat: Chat) -> None:
    await gateway.do("contact", id="ann", name="Ann")
    await gateway.do("join", room=ROOM, who=["tom", "ann"], by="mary")
    await chat.heard()
    given = await chat.say("mary", "发红包 100 2")
    assert "100 分的红包，共 2 份" in (await chat.heard())["body"]
    await gateway.do("emit", event="message", payload={"messageId": given})
    assert "刚才那条已办" in await chat.ask("mary", "發紅包 100 2")
    first, second = await chat.ask("tom", "抢"), await chat.ask("ann", "搶")
    points = [int(match[1]) for answer in (first, second) if (match := re.search(r"抢到 (\d+) 分", answer))]
    assert sum(points) == 100
    best = "Tom" if points[0] >= points[1] else "Ann"
    assert f"手气最佳：{best}，{max(points)} 分" in second
    assert "没有红包可抢" in await chat.ask("mary", "抢")
    assert f"你有 {points[0]} 分" in await chat.ask("tom", "我的积分")
    assert "国库只有 9900 分" in await chat.ask("mary", "发红包 9901 1")


async def test_messages_that_come_again_after_a_restart_change_nothing(home: Path, gateway: Gateway) -> None:
    """What did something has its mark in the database; chatter did nothing, and does so again."""
    chat = Chat(gateway)
    async with at_work(home, {ACCOUNT: gateway.endpoint}) as app:
        await log_in(app, gateway)
        await chat.ask("mary", "开张")
        said = []
        for text in ("发红包 100 2", "签到", "抢"):
            said.append(await chat.say("mary", text))
            await chat.heard()
        said += [await chat.say("mary", text) for text in ("大家好", "B")]
        await chat.quiet()
        before = await app.database.read(_kept)
    async with at_work(home, {ACCOUNT: gateway.endpoint}) as app:
        await online(app)
        for message in said:
            await gateway.do("emit", event="message", payload={"messageId": message})
        await chat.say("mary", "一路平安")  # chatter as well: when the next is answered, all were read
        await chat.quiet()
        outbox, marks, points = await app.database.read(_kept)
        assert (outbox, marks, points) == (before[0] + 1, before[1] + 1, before[2]), "but for the help"
        assert "抢过了" in await chat.ask("mary", "抢")


async def test_each_account_answers_in_its_own_groups(
    home: Path, gateway: Gateway, gateway_host: GatewayHost
) -> None:
    async with gateway_host.gateway() as other:
        await people(other)
        await other.do("room", id="r9@chatroom", topic="理财群", owner="mary", members=["bot", "mary"])
        async with at_work(home, {"shop": gateway.endpoint, "bank": other.endpoint}) as app:
            await log_in(app, gateway, "shop")
            await log_in(app, other, "bank")
            # The same people in another group are other members.
            shop, bank = Chat(gateway), Chat(other, "r9@chatroom")
            await shop.ask("mary", "开张 福利")
            assert "签到成功" in await shop.ask("mary", "签到")
            assert "还没在这个群开张" in await bank.ask("mary", "签到")
            await bank.ask("mary", "开张 理财")
            assert "今天第 1 个" in await bank.ask("mary", "签到")
            await gateway.do("say", **{"from": "mary"}, to="bot", text="积分")
            answer = await gateway.wait("sent", to="mary")
            assert answer["body"] == "你的积分：\n福利群：5 分"
            assert (len(gateway.sent), len(other.sent)) == (3, 3)


async def test_the_calendar_posts_a_text_then_its_picture(gateway: Gateway, app: App, chat: Chat) -> None:
    for name in ("shoes", "packet"):
        slot = await planned(app, name)
        await app.dispatcher.feed_slot(slot)
        await app.dispatcher.feed_slot(slot)
    text, picture, packet = [await chat.heard() for _ in range(3)]
    assert (text["kind"], text["body"]) == ("text", "今天到了新鞋。")
    assert (picture["kind"], picture["body"]) == ("file", {"name": "shoes.png", "size": len(PIXEL)})
    assert packet["body"] == "30 分，共 3 份，回复「抢」。"
    assert "抢到" in await chat.ask("mary", "抢")
    today = await app.database.read(lambda store: store.occurrences.between(1, 0, 2**62))
    assert [one.state for one in today] == ["sent", "sent"]


@pytest.mark.parametrize("mentions", [["bot"], []], ids=["mentioned", "by name alone"])
async def test_a_command_that_needs_the_call(gateway: Gateway, chat: Chat, mentions: list[str]) -> None:
    await gateway.do("join", room=ROOM, who=["tom"], by="mary")
    await chat.heard()
    assert "暂停了" in await chat.ask("mary", "@小二\u2005暂停", mentions=mentions)
    assert "本来就暂停着" in await chat.ask("mary", "@小二 暫停 ", mentions=mentions)
    await chat.say("tom", "继续")
    await chat.quiet()
    assert "群主来说" in await chat.ask("tom", "@小二 继续", mentions=mentions)
    assert "日程继续" in await chat.ask("mary", "@小二 继续", mentions=mentions)
    assert "我在" in await chat.ask("tom", "@小二", mentions=mentions)


@pytest.mark.parametrize("name", ["{0.__class__}", "{points}", "所有人", "群主", "'; DROP TABLE members;--"])
async def test_a_name_is_text(gateway: Gateway, chat: Chat, name: str) -> None:
    await gateway.do("contact", id="odd", name=name)
    await gateway.do("join", room=ROOM, who=["odd"], by="mary")
    assert f"@{name}" in (await chat.heard())["body"]
    assert (await chat.ask("odd", "签到")).startswith(f"@{name}\u2005签到成功，今天第 1 个")
    assert f"{name}" in await chat.ask("mary", "积分榜")


async def test_what_was_on_its_way_when_the_gateway_died_is_unknown_and_the_rest_goes_out_later(
    home: Path, node_env: Mapping[str, str], free_port: int
) -> None:
    async with AsyncExitStack() as at_the_end:
        async with mortal_gateway(node_env, free_port) as gateway:
            app = await at_the_end.enter_async_context(at_work(home, {ACCOUNT: gateway.endpoint}))
            await log_in(app, gateway)
            chat = Chat(gateway)
            await chat.ask("mary", "开张 福利")
            await gateway.do("fault", on="messageSendText", hang=True)
            await chat.say("mary", "签到")
            async with asyncio.timeout(30):
                while (await gateway.do("calls"))["messageSendText"] < 2:
                    await asyncio.sleep(0.02)
        await app.dispatcher.feed_slot(await planned(app, "shoes"))
        async with mortal_gateway(node_env, free_port) as gateway:
            # It does not know yet who is in the room; nobody is put out for that.
            await gateway.do("members", room=ROOM, payload=[], list=[])
            await log_in(app, gateway)
            chat = Chat(gateway)
            assert [(await chat.heard())["kind"] for _ in range(2)] == ["text", "file"]
            assert "今天已签到" in await chat.ask("mary", "签到")
            assert len(gateway.sent) == 3
            await settle(app)
    (unknown,) = audited(home).unknown
    assert "签到成功" in unknown.text


async def test_what_was_due_without_a_gateway_goes_out_once_after_a_restart(
    home: Path, gateway: Gateway
) -> None:
    chat = Chat(gateway)
    async with at_work(home, {ACCOUNT: gateway.endpoint}) as app:
        await log_in(app, gateway)
        await chat.ask("mary", "开张 福利")
        await settle(app)
        await gateway.do("away")
        await until_it_stands(app, State.GONE)
        await app.dispatcher.feed_slot(await planned(app, "shoes"))
    async with at_work(home, {ACCOUNT: gateway.endpoint}) as app:
        await gateway.do("back")
        await online(app)
        assert [(await chat.heard())["kind"] for _ in range(2)] == ["text", "file"]
        await chat.quiet()
    assert not audited(home).unknown


@databases.SQLITE_ALONE
def test_xiaoer_run_is_ready_without_its_gateway_and_ends_at_a_signal(home: Path, free_port: int) -> None:
    config = home / "config.yaml"
    config.write_text(f'accounts: [{{name: shop, endpoint: "127.0.0.1:{free_port}"}}]\n')
    command = [sys.executable, "-m", "bot.cli", "run", "--port", "0", "--config", str(config)]
    with subprocess.Popen(
        [*command, "--data", str(home / "data")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            ready, address = process.stdout.readline().split()
            page = httpx.get(address, trust_env=False)
            assert (ready, page.status_code, "沙箱没有开" in page.text) == ("ready", 200, True)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()


@asynccontextmanager
async def mortal_gateway(node_env: Mapping[str, str], port: int) -> AsyncIterator[Gateway]:
    """A gateway in a process of its own, which ends as in a power cut."""
    host = GatewayHost(node_env)
    try:
        async with host.gateway(port) as gateway:
            await people(gateway)
            yield gateway
            host.kill()
    finally:
        host.close()


def _kept(store: Store) -> tuple[int, int, int]:
    """How much the database holds: messages of ours, marks of theirs, postings."""
    outbox, marks, postings = (
        store.marks._db.value(Query(select(func.count()).select_from(table)))
        for table in (tables.outbox, tables.marks, tables.postings)
    )
    return outbox, marks, postings


async def planned(app: App, name: str) -> Occurrence:
    """A slot of the tiny calendar, as the next day's plan has it for the only group."""
    now = app.clock.now()
    plan = await app.database.read(lambda store: app.planning.of(store, 1, now, now + DAY))
    (found,) = [one for one in plan if one.slot == f"shop/{name}"]
    return found
