"""Gateways come and go, accounts log out and in, and the operator can see how it stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.adapters.wechaty import link
from bot.adapters.wechaty.adapter import BACKOFF, TAKEN_FOR_GOOD, WechatyAdapter
from bot.adapters.wechaty.backoff import Backoff
from bot.adapters.wechaty.link import CONNECT_DEADLINE, Link
from bot.clock import MovableClock, SystemClock
from bot.errors import NotSent, Unsure, Unusable
from bot.model import MINUTE, Message, Roster, Say
from bot.ports import State
from tests.wechaty.conftest import ROOM, new_adapter, people
from tests.wechaty.fakes import RecordingInbox
from tests.wechaty.gateway import TOKEN, Gateway, GatewayHost

Logs = list[MutableMapping[str, Any]]


@pytest.fixture
def logs() -> Iterator[Logs]:
    with capture_logs() as logs:
        yield logs


@pytest.fixture
def own_host(node_env: Mapping[str, str]) -> Iterator[GatewayHost]:
    """A Node process that a test may kill or freeze."""
    host = GatewayHost(node_env)
    yield host
    host.close()


async def test_a_gateway_that_was_killed_is_found_again(
    own_host: GatewayHost, node_env: Mapping[str, str], inbox: RecordingInbox, logs: Logs
) -> None:
    async with own_host.gateway() as gateway:
        port = gateway.port
        adapter = new_adapter(gateway.endpoint)
        await people(gateway)
        await online(adapter, gateway, inbox)
        await gateway.do("fault", on="messageSendText", hang=True)
        sending = asyncio.create_task(adapter.send(Say(ROOM, "半路断了")))
        await until(lambda: called(gateway, "messageSendText"))
        own_host.kill()
    with pytest.raises(Unsure, match="断了"):
        await sending
    with pytest.raises(NotSent, match="没有连上"):
        await adapter.send(Say(ROOM, "没人在"))
    await until(lambda: ends(adapter, "连不上网关"))
    assert adapter.state is State.GONE
    host = GatewayHost(node_env)
    try:
        async with host.gateway(port) as gateway:
            await people(gateway)
            await gateway.wait("start")
            await gateway.do("login", id="bot")
            await inbox.wait(Roster, 2)
            await gateway.do("say", **{"from": "mary"}, to=ROOM, text="回来了")
            assert (await inbox.wait(Message)).text == "回来了"
            await adapter.send(Say(ROOM, "我也在"))
            assert [line["body"] for line in await gateway.all_sent()] == ["我也在"]
            await adapter.stop()
    finally:
        host.close()
    assert told(logs) == ["gateway_reached", "logged_in", "gateway_gone", "gateway_reached"]


async def test_a_gateway_that_froze_is_noticed_and_is_back_when_it_thaws(
    own_host: GatewayHost, inbox: RecordingInbox, logs: Logs
) -> None:
    async with own_host.gateway() as gateway:
        adapter = new_adapter(gateway.endpoint, keepalive=(1.0, 1.5))
        await people(gateway)
        await online(adapter, gateway, inbox)
        own_host.freeze()
        try:
            with pytest.raises(Unsure):
                await adapter.send(Say(ROOM, "它听得见吗"))
            await until(lambda: stands(adapter, State.GONE))
            with pytest.raises(NotSent):
                await adapter.send(Say(ROOM, "现在听不见了"))
        finally:
            own_host.thaw()
        await until(lambda: stands(adapter, State.ONLINE))
        await adapter.send(Say(ROOM, "醒了"))
        await gateway.do("say", **{"from": "mary"}, to=ROOM, text="睡着了")
        assert (await inbox.wait(Message)).text == "睡着了"
        await adapter.stop()
    # What was on its way may have arrived after all, and is for the operator to settle.
    bodies = [line["body"] for line in gateway.sent]
    assert bodies in (["醒了"], ["它听得见吗", "醒了"])
    assert not [line for line in gateway.reports if line["ev"] in {"stop", "logout"}]
    assert told(logs) == ["gateway_reached", "logged_in", "gateway_gone", "gateway_reached"]


async def test_it_starts_without_a_gateway_and_finds_it_later(
    gateway_host: GatewayHost, inbox: RecordingInbox, logs: Logs
) -> None:
    async with gateway_host.gateway() as gateway:
        port, endpoint = gateway.port, gateway.endpoint
    clock = MovableClock()
    adapter = new_adapter(endpoint, clock)
    await adapter.start(inbox)
    assert await stands(adapter, State.CONNECTING)
    await until(lambda: stands(adapter, State.GONE))
    gone = adapter.since
    assert adapter.note == "连不上网关"
    clock.set(clock.now() + MINUTE)
    await something_else_on(port, visits=3)
    assert (adapter.state, adapter.since) == (State.GONE, gone)
    async with gateway_host.gateway(port) as gateway:
        await people(gateway)
        await gateway.wait("start")
        await until(lambda: stands(adapter, State.CONNECTING))
        assert adapter.since >= gone + MINUTE
        await gateway.do("login", id="bot")
        await inbox.wait(Roster)
        assert (adapter.state, adapter.note) == (State.ONLINE, "")
        await adapter.stop()
    assert told(logs) == ["gateway_gone", "gateway_reached", "logged_in"]


async def test_a_gateway_whose_start_hangs_is_given_up_and_tried_again(
    gateway: Gateway, inbox: RecordingInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "START_DEADLINE", 0.3)
    await gateway.do("fault", on="start", hang=True, times=2)
    adapter = new_adapter(gateway.endpoint)
    await adapter.start(inbox)
    await until(lambda: stands(adapter, State.GONE))
    assert adapter.note == "网关没有按时回话"
    await gateway.wait("start")
    await gateway.do("login", id="bot")
    await until(lambda: stands(adapter, State.ONLINE))
    await adapter.stop()


async def test_a_wrong_token_is_told_as_such(gateway: Gateway, inbox: RecordingInbox, logs: Logs) -> None:
    adapter = WechatyAdapter("shop", gateway.endpoint, "wrong", SystemClock(), backoff=(0.05, 0.1))
    await adapter.start(inbox)
    await until(lambda: stands(adapter, State.GONE))
    await adapter.stop()
    assert [(line["event"], line["reason"]) for line in logs] == [("wechaty_gateway_gone", "令牌不对")]


async def test_stopping_neither_stops_the_gateway_nor_logs_out(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await adapter.stop()
    assert adapter.state is State.GONE
    # It finds the account logged in when it comes back.
    await adapter.start(inbox)
    await inbox.wait(Roster, 2)
    assert not [line for line in gateway.reports if line["ev"] in {"stop", "logout"}]


# Other clients. ----------------------------------------------------------------------------------


async def test_a_stream_that_is_taken_for_a_moment_is_waited_for(
    gateway: Gateway, inbox: RecordingInbox, logs: Logs
) -> None:
    async with another_client(gateway) as let_go:
        adapter = new_adapter(gateway.endpoint, backoff=(0.02, 0.02))
        await adapter.start(inbox)
        await until(lambda: stands(adapter, State.GONE))
        assert adapter.note == "别的程序占着这个网关"
        await let_go()
        await gateway.do("login", id="bot")
        await inbox.wait(Roster)
        await adapter.stop()
    assert not [line for line in gateway.reports if line["ev"] == "stop"]
    assert told(logs) == ["gateway_gone", "gateway_reached", "logged_in"]


async def test_a_stream_that_stays_taken_is_taken_over_by_one_stop(
    gateway: Gateway, inbox: RecordingInbox, logs: Logs
) -> None:
    async with another_client(gateway) as _:
        adapter = new_adapter(gateway.endpoint, backoff=(0.02, 0.02))
        await adapter.start(inbox)
        await gateway.wait("stop")
        await gateway.wait("start", count=2)
        await gateway.do("login", id="bot")
        await inbox.wait(Roster)
        await adapter.stop()
    assert told(logs) == ["gateway_gone", "gateway_taken_over", "gateway_reached", "logged_in"]


async def test_two_that_want_one_gateway_do_not_stop_each_other_for_ever(
    gateway: Gateway, inbox: RecordingInbox
) -> None:
    one, other = (new_adapter(gateway.endpoint, backoff=(0.02, 0.02)) for _ in range(2))
    await one.start(inbox)
    await gateway.wait("start")
    await other.start(RecordingInbox())
    await gateway.wait("stop")
    attempts = (await gateway.do("calls"))["start"]
    await until(lambda: called(gateway, "start", attempts + 6 * TAKEN_FOR_GOOD))
    assert len([line for line in gateway.reports if line["ev"] == "stop"]) <= 2, "once by each"
    await one.stop()
    await other.stop()


# Logging in and out. -----------------------------------------------------------------------------


async def test_a_logout_is_seen_and_so_is_the_next_login(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox, logs: Logs
) -> None:
    await gateway.do("logout", reason="kicked")
    await until(lambda: stands(adapter, State.LOGGED_OUT))
    assert adapter.note == "kicked"
    with pytest.raises(NotSent, match="没有登录"):
        await adapter.send(Say(ROOM, "在吗"))
    await gateway.do("login", id="bot")
    await inbox.wait(Roster, 2)
    await adapter.send(Say(ROOM, "在"))
    assert told(logs) == ["logged_out", "logged_in"]


async def test_after_a_login_as_somebody_else_it_speaks_for_that_one(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("contact", id="bot2", name="小三")
    await gateway.do("room", id="r2@chatroom", topic="小三的群", members=["bot2", "mary", "tom"])
    await gateway.do("logout", reason="another phone")
    await gateway.do("login", id="bot2")
    assert (await inbox.wait(Roster, 2)).chat == "r2@chatroom"
    assert (adapter.sees("r2@chatroom"), adapter.sees(ROOM)) == (True, False)
    await adapter.send(Say("r2@chatroom", "我说的"))  # comes back as an event
    await gateway.do("say", **{"from": "mary"}, to="r2@chatroom", text="@小三 签到")
    said = await inbox.wait(Message)
    assert (said.text, said.to_bot) == ("签到", True)


async def test_a_code_to_scan_is_logged_once_and_the_newest_is_at_hand(
    gateway: Gateway, adapter: WechatyAdapter, logs: Logs
) -> None:
    await gateway.do("logout", reason="expired")
    for code in ("http://weixin.qq.com/x/1", "http://weixin.qq.com/x/2"):
        await gateway.do("emit", event="scan", payload={"status": 2, "qrcode": code})
    await until(lambda: ends(adapter, "x%2F2"))
    assert adapter.state is State.SCAN
    await gateway.do("emit", event="scan", payload={"status": 3, "qrcode": "http://weixin.qq.com/x/3"})
    with pytest.raises(NotSent):
        await adapter.send(Say(ROOM, "在吗"))
    await gateway.do("login", id="bot")
    await until(lambda: stands(adapter, State.ONLINE))
    assert adapter.note == ""
    assert told(logs) == ["logged_out", "scan", "logged_in"]
    (scan,) = (line for line in logs if line["event"] == "wechaty_scan")
    assert str(scan["link"]).endswith("http%3A%2F%2Fweixin.qq.com%2Fx%2F1")


@asynccontextmanager
async def another_client(gateway: Gateway) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Somebody else has the gateway's events; the answer lets go of them."""
    events = Link("another", "127.0.0.1", gateway.port, TOKEN, 5.0).events()
    await anext(events)
    try:
        yield events.aclose
    finally:
        await events.aclose()


async def online(adapter: WechatyAdapter, gateway: Gateway, inbox: RecordingInbox) -> None:
    await adapter.start(inbox)
    await gateway.wait("start")
    await gateway.do("login", id="bot")
    await inbox.wait(Roster)


async def something_else_on(port: int, visits: int) -> None:
    """What is no gateway, until it was tried so many times."""
    tried = asyncio.Semaphore(0)

    def turn_away(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        tried.release()

    async with await asyncio.start_server(turn_away, "127.0.0.1", port):
        for _ in range(visits):
            await tried.acquire()


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await true():
            await asyncio.sleep(0.02)


async def called(gateway: Gateway, method: str, times: int = 1) -> bool:
    calls: dict[str, int] = await gateway.do("calls")
    return calls.get(method, 0) >= times


async def stands(adapter: WechatyAdapter, state: State) -> bool:
    return adapter.state is state


async def ends(adapter: WechatyAdapter, note: str) -> bool:
    return adapter.note.endswith(note)


def told(logs: Logs) -> list[str]:
    """What the log says, without what all names begin with."""
    return [str(line["event"]).removeprefix("wechaty_") for line in logs]


# How long it waits. ------------------------------------------------------------------------------


def test_the_longest_wait_and_the_longest_attempt_together_stay_below_ten_seconds() -> None:
    assert BACKOFF[1] + CONNECT_DEADLINE < 10


def test_waits_grow_to_the_longest_and_begin_anew_after_a_connection_that_held() -> None:
    backoff = Backoff(0.5, 4.0)
    for longest in (0.5, 1, 2, 4, 4, 4):
        assert longest / 2 <= backoff.after(0.0) <= longest
    assert 2 <= backoff.after(held=3.9) <= 4, "it broke at once: that is no reason to hurry"
    assert backoff.after(held=4.1) <= 0.5
    assert len({backoff.after(held=5.0) for _ in range(20)}) > 1, "not all at the same moment"


@pytest.mark.parametrize("endpoint", ["", "8788", "gateway", "http://gateway:8788", "gateway:port", "a:1/x"])
def test_an_endpoint_is_a_host_and_a_port(endpoint: str) -> None:
    with pytest.raises(Unusable, match="主机:端口"):
        WechatyAdapter("shop", endpoint, "token", SystemClock())
