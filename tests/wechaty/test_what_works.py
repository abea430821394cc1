"""docs/wechat.md says what works where: each line of its table is tried on both platforms."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.adapters.wechaty.adapter import WechatyAdapter
from bot.app import App
from bot.dispatch.router import Command
from bot.errors import Unsupported
from bot.model import EVERYONE, Accept, Announce, Card, Effect, Outgoing, Person, Reply, Say
from tests import databases
from tests.harness import World
from tests.sop.fakes import write
from tests.wechaty.chat import Chat, at_work, audited, log_in
from tests.wechaty.conftest import ACCOUNT, ROOM
from tests.wechaty.gateway import TOKEN, Gateway

PAGE = Path(__file__).resolve().parents[2] / "docs" / "wechat.md"
CARD = Card("周报", "https://example.com/weekly", "本周要点")


@dataclass(frozen=True)
class Case:
    """What is asked of an adapter in a chat with a file at hand, and what must come of it, piece by piece.

    `sandbox` is what a reader of the sandbox sees; `wechaty` what the gateway was asked for.
    """

    ask: Callable[[str, Path], Outgoing]
    sandbox: str
    wechaty: tuple[str, ...]


CASES = {
    "在群里说话": Case(lambda chat, _: Say(chat, "开饭了"), "开饭了", ("text",)),
    "@所有人": Case(lambda chat, _: Say(chat, "开奖", mentions=(EVERYONE,)), "@所有人 开奖", ("text",)),
    "点名": Case(lambda chat, _: Say(chat, "收到", mentions=(Person("tom", "Tom"),)), "@Tom", ("text",)),
    "私聊里说话": Case(lambda _, __: Say("tom", "你有 5 分", private=True), "你有 5 分", ("text",)),
    "发图片": Case(lambda chat, file: Say(chat, "榜单", picture=file), "榜单", ("text", "file")),
    "发文件": Case(lambda chat, file: Say(chat, "明细", file=file), "明细", ("text", "file")),
    "发链接卡片": Case(lambda chat, _: Say(chat, "", card=CARD), "", ("card",)),
    "发群公告": Case(lambda chat, _: Announce("今晚开奖", chat), "今晚开奖", ("roomAnnounce",)),
    "接受群邀请": Case(lambda _, __: Accept("inv-1"), "", ("roomInvitationAccept",)),
}


def table() -> dict[str, tuple[str, str]]:
    """What the page says of the sandbox and of WeChat."""
    lines = iter(PAGE.read_text(encoding="utf-8").splitlines())
    body = itertools.dropwhile(lambda line: not line.startswith("| 做什么 |"), lines)
    rows = [line.strip("| ").split(" | ") for line in itertools.takewhile(lambda line: line, body)][2:]
    return {what: (sandbox, wechat) for what, sandbox, wechat in rows}


def works(cell: str) -> bool:
    assert cell.startswith(("能", "不能")), cell
    return cell.startswith("能")


def test_the_table_has_a_line_for_each_thing_that_can_be_asked() -> None:
    assert sorted(table()) == sorted(CASES)


@pytest.mark.parametrize("what", CASES)
async def test_wechat_does_what_the_table_says(
    what: str, gateway: Gateway, adapter: WechatyAdapter, tmp_path: Path
) -> None:
    # Who cannot be called is left out, and the rest goes out all the same.
    assert works(table()[what][1]) == (what != "@所有人")
    file = tmp_path / "a.png"
    file.write_bytes(b"\x89PNG")
    await adapter.send(CASES[what].ask(ROOM, file))
    await gateway.do("calls")
    done = [line.get("kind") or line["what"] for line in gateway.reports if line["ev"] in {"sent", "did"}]
    assert tuple(done) == CASES[what].wechaty


@databases.SQLITE_ALONE
@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("what", CASES)
async def test_the_sandbox_does_what_the_table_says(what: str, tmp_path: Path) -> None:
    async with World(tmp_path) as world:
        file = tmp_path / "a.png"
        file.write_bytes(b"\x89PNG")
        group = await world.group()
        sandbox = world.app.sandbox
        assert sandbox is not None
        member = sandbox.groups[-1].members[0].id
        outgoing = CASES[what].ask(group.id, file)
        private = isinstance(outgoing, Say) and outgoing.private
        if isinstance(outgoing, Say) and private:
            outgoing = outgoing._replace(chat=member)
        if not works(table()[what][0]):
            with pytest.raises(Unsupported):
                await sandbox.send(outgoing)
            return
        await sandbox.send(outgoing)
        line = (await sandbox.messages(member if private else group.id, 0))[-1]
        assert CASES[what].sandbox in line.text
        assert bool(line.picture) == (what == "发图片")
        assert bool(line.file) == (what == "发文件")
        assert line.card == (CARD if what == "发链接卡片" else None)


@pytest.mark.usefixtures("database", "tidy")
async def test_a_handler_asks_for_them_and_what_a_platform_cannot_do_is_a_failed_row_with_its_reason(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XIAOER_WECHATY_TOKEN", TOKEN)
    write(tmp_path / "library", {"files/list.xlsx": b"PK"})
    databases.blank(tmp_path / "data")
    effects: list[Effect] = [
        Reply("明细：{n}", {"n": 3}, verbatim=True, file="files/list.xlsx", card=CARD),
        Announce("今晚开奖"),
    ]
    async with at_work(tmp_path, {ACCOUNT: gateway.endpoint}) as app:
        await log_in(app, gateway)
        answers_with(app, effects, monkeypatch)
        chat = Chat(gateway)
        await chat.ask("mary", "开张")
        await chat.say("mary", "帮助")
        heard = [await chat.heard() for _ in range(3)]
        assert [line["kind"] for line in heard] == ["text", "file", "card"]
        assert heard[0]["body"] == "明细：3"
        assert heard[1]["body"] == {"name": "list.xlsx", "size": 2}
        assert (await gateway.wait("did", what="roomAnnounce"))["args"] == [ROOM, "今晚开奖"]
    audited(tmp_path)
    async with World(tmp_path / "sandbox") as world:
        group = await world.first()
        answers_with(world.app, [*effects, Accept("inv-1")], monkeypatch)
        assert await group.say("阿强", "帮助") == ["明细：3", "【群公告】\n今晚开奖"]
        failed = world.sql("SELECT kind, reason FROM outbox WHERE state = 'failed'")
        assert failed == [("accept", "沙箱里没有邀请")]


def answers_with(app: App, effects: list[Effect], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have 帮助 answered with just these."""
    command = Command("help", lambda _message, _turn: effects)
    monkeypatch.setitem(app.dispatcher._routes.commands, "帮助", command)
