"""Whatever a gateway goes through: once it answers again, 小二 hears and speaks within ten seconds.

With the waits that it has at work between attempts. What it waits for an answer is shortened, and so is
the time in which it notices a silence: that is before the gateway is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest

from bot.adapters.wechaty import link, names
from bot.adapters.wechaty.adapter import BACKOFF, WechatyAdapter
from bot.errors import Unsure
from bot.model import Message, Roster, Say
from bot.ports import State
from tests.wechaty.conftest import BACK_WITHIN, ROOM, new_adapter, people
from tests.wechaty.fakes import RecordingInbox
from tests.wechaty.gateway import Gateway, GatewayHost

Fault = Callable[[Gateway, WechatyAdapter], Awaitable[None]]


@pytest.fixture
async def adapter(gateway: Gateway, inbox: RecordingInbox) -> AsyncIterator[WechatyAdapter]:
    """As in conftest.py, in no hurry between attempts."""
    adapter = new_adapter(gateway.endpoint, backoff=BACKOFF)
    await log_in(gateway, adapter, inbox)
    yield adapter
    await adapter.stop()


@pytest.mark.parametrize("noticed", [True, False], ids=["until it was noticed", "for a moment"])
async def test_it_is_back_after_it_froze(
    node_env: Mapping[str, str], inbox: RecordingInbox, *, noticed: bool
) -> None:
    host = GatewayHost(node_env)
    try:
        async with host.gateway() as gateway:
            await people(gateway)
            adapter = new_adapter(gateway.endpoint, backoff=BACKOFF, keepalive=(1.0, 1.5))
            await log_in(gateway, adapter, inbox)
            host.freeze()
            try:
                if noticed:
                    await stands(adapter, State.GONE)
            finally:
                host.thaw()
            await is_back(gateway, adapter, inbox)
            await adapter.stop()
    finally:
        host.close()


async def connection_breaks(gateway: Gateway, adapter: WechatyAdapter) -> None:
    await gateway.do("away")
    await stands(adapter, State.GONE)
    await gateway.do("back")


async def account_logs_out_and_in(gateway: Gateway, adapter: WechatyAdapter) -> None:
    await gateway.do("logout", reason="kicked")
    await stands(adapter, State.LOGGED_OUT)
    await gateway.do("login", id="bot")


async def it_tells_of_an_error(gateway: Gateway, adapter: WechatyAdapter) -> None:
    for payload in ({"data": "boom"}, {"gerror": "{}"}, {}):
        await gateway.do("emit", event="error", payload=payload)


@pytest.mark.parametrize("fault", [connection_breaks, account_logs_out_and_in, it_tells_of_an_error])
async def test_it_is_back_after(
    fault: Fault, gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await fault(gateway, adapter)
    await is_back(gateway, adapter, inbox)


@pytest.mark.parametrize(
    "method", ["messageRawPayload", "roomRawPayload", "roomMemberRawPayload", "roomList"]
)
async def test_it_is_back_while_a_question_hangs_that_is_never_answered(
    method: str,
    gateway: Gateway,
    adapter: WechatyAdapter,
    inbox: RecordingInbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is given up, and asked again."""
    longest = max(link.FETCH_DEADLINE + max(link.RETRY_AFTER), names.PATIENCE)
    assert longest < BACK_WITHIN
    monkeypatch.setattr(link, "FETCH_DEADLINE", 1.0)
    asked = (await gateway.do("calls")).get(method, 0)
    await gateway.do("fault", on=method, hang=True)
    await gateway.do("emit", event="dirty", payload={"payloadType": 3, "payloadId": ROOM})
    await gateway.do("emit", event="ready", payload={"data": ""})
    await is_back(gateway, adapter, inbox)
    await called(gateway, method, asked + 2)


async def test_it_is_back_while_a_send_hangs(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    """That one may have arrived; it holds up nobody."""
    await gateway.do("fault", on="messageSendText", hang=True)
    sending = asyncio.create_task(adapter.send(Say(ROOM, "卡住了")))
    await called(gateway, "messageSendText", 1)
    await is_back(gateway, adapter, inbox)
    await adapter.stop()
    with pytest.raises(Unsure):
        await sending


async def log_in(gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox) -> None:
    await adapter.start(inbox)
    await gateway.wait("start")
    await gateway.do("login", id="bot")
    await inbox.wait(Roster)


async def is_back(gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox) -> None:
    """From now on, within ten seconds: what is said is heard, and what it says arrives."""
    async with asyncio.timeout(BACK_WITHIN):
        await stands(adapter, State.ONLINE)
        await gateway.do("say", **{"from": "mary"}, to=ROOM, text="在吗")
        assert (await inbox.wait(Message)).text == "在吗"
        await adapter.send(Say(ROOM, "在"))
        await gateway.wait("sent", body="在")


async def called(gateway: Gateway, method: str, times: int) -> None:
    async with asyncio.timeout(30):
        while (await gateway.do("calls")).get(method, 0) < times:
            await asyncio.sleep(0.01)


async def stands(adapter: WechatyAdapter, state: State) -> None:
    async with asyncio.timeout(30):
        while adapter.state is not state:
            await asyncio.sleep(0.01)
