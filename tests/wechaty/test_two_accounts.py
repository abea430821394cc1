"""Two accounts of ours in one group: one of them answers, and neither takes the other for a member."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import App
from bot.model import DAY
from bot.ports import State
from tests import databases
from tests.sop.fakes import write
from tests.wechaty.chat import Chat, at_work, audited, log_in, until_it_stands, until_seen
from tests.wechaty.conftest import ROOM, people
from tests.wechaty.gateway import TOKEN, Gateway, GatewayHost

CALENDAR = """\
title: 福利群
audience: {tags: [福利]}
slots: [{id: morning, at: "08:00", post: morning}]
"""


@pytest.fixture
async def other(gateway_host: GatewayHost) -> AsyncIterator[Gateway]:
    """The gateway of a second account, 小三, who is in the room as well."""
    async with gateway_host.gateway() as other:
        await people(other)
        yield other


@pytest.fixture
async def app(
    tmp_path: Path,
    database: str,
    tidy: None,
    gateway: Gateway,
    other: Gateway,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[App]:
    """小二 with both accounts; who logs in is up to the test."""
    monkeypatch.setenv("XIAOER_WECHATY_TOKEN", TOKEN)
    databases.blank(tmp_path / "data")
    write(
        tmp_path / "library",
        {"calendars/shop.yaml": CALENDAR, "texts/posts.yaml": "morning: {text: 早上好。}\n"},
    )
    for one in (gateway, other):
        await one.do("contact", id="bot2", name="小三")
        await one.do("members", room=ROOM, payload=["bot", "bot2", "mary"])
    async with at_work(tmp_path, {"shop": gateway.endpoint, "bank": other.endpoint}) as app:
        yield app
    audited(tmp_path)


@pytest.fixture
def shop(gateway: Gateway) -> Chat:
    return Chat(gateway)


@pytest.fixture
def bank(other: Gateway) -> Chat:
    return Chat(other)


async def both_log_in(app: App, gateway: Gateway, other: Gateway) -> None:
    await log_in(app, gateway, "shop")
    await log_in(app, other, "bank", "bot2")
    for account in ("shop", "bank"):
        await until_seen(app, account, ROOM)


async def hear_both(shop: Chat, bank: Chat, text: str) -> None:
    """Mary says it once; each account's gateway brings it, under an id of its own."""
    await bank.say("mary", text)
    await shop.say("mary", text)


async def test_the_first_of_the_configuration_answers_and_both_do_in_private(
    app: App, gateway: Gateway, other: Gateway, shop: Chat, bank: Chat
) -> None:
    await both_log_in(app, gateway, other)
    await hear_both(shop, bank, "开张 福利")
    assert "日历：福利群" in (await shop.heard())["body"]
    await hear_both(shop, bank, "签到")
    assert "今天第 1 个" in (await shop.heard())["body"]
    for one in (gateway, other):
        await one.do("say", **{"from": "mary"}, to="bot", text="积分")
        await one.wait("sent", to="mary")
    assert [line["to"] for line in await other.all_sent()] == ["mary"], "not a word in the group"


async def test_what_another_account_of_ours_says_is_nobodys_word_and_it_is_no_member(
    app: App, gateway: Gateway, other: Gateway, shop: Chat, bank: Chat
) -> None:
    await both_log_in(app, gateway, other)
    await hear_both(shop, bank, "开张 福利")
    await shop.heard()
    await shop.say("bot2", "签到")
    await gateway.do("join", room=ROOM, who=["bot2"], by="mary")
    # When the first looked around, the second was not logged in yet.
    await gateway.do("emit", event="dirty", payload={"payloadType": 3, "payloadId": ROOM})
    assert "今天第 1 个" in await shop.ask("mary", "签到")
    members = await app.database.read(lambda store: store.groups.members(store.groups.all()[0]))
    assert [member.person for member in members] == ["mary"]


async def test_the_one_that_was_opened_first_keeps_the_group_though_it_is_not_the_first_of_the_list(
    app: App, gateway: Gateway, other: Gateway, shop: Chat, bank: Chat
) -> None:
    # The first is not there yet.
    await log_in(app, other, "bank", "bot2")
    assert "日历：福利群" in await bank.ask("mary", "开张 福利")
    assert "今天第 1 个" in await bank.ask("mary", "签到")
    await log_in(app, gateway, "shop")
    await until_seen(app, "shop", ROOM)
    await hear_both(shop, bank, "我的积分")
    assert "你有 5 分" in (await bank.heard())["body"]
    # While it is away nobody speaks for it: the points are its.
    await other.do("logout", reason="phone")
    await until_it_stands(app, State.LOGGED_OUT, "bank")
    await shop.say("mary", "积分榜")
    await gateway.do("say", **{"from": "mary"}, to="bot", text="积分")
    await gateway.wait("sent", to="mary")
    assert [line["to"] for line in await gateway.all_sent()] == ["mary"], "what came before it was heard"
    # Put out of the group, it is replaced.
    await other.do("login", id="bot2")
    await until_seen(app, "bank", ROOM)
    await other.do("leave", room=ROOM, who=["bot2"], by="mary")
    while app._adapters["bank"].sees(ROOM):
        await other.do("calls")
    assert "还没在这个群开张" in await shop.ask("mary", "签到")
    # And the calendar of the one that is gone from there is skipped.
    now = app.clock.now()
    (slot,) = await app.database.read(lambda store: app.planning.of(store, 1, now, now + DAY))
    assert "日历：福利群" in await shop.ask("mary", "开张 福利")
    await app.dispatcher.feed_slot(slot)
    (kept,) = await app.database.read(lambda store: store.occurrences.between(1, 0, 2**62))
    assert kept.state == "skipped"
    assert len([line for line in await other.all_sent() if line["to"] == ROOM]) == 3
