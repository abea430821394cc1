"""Gateways come and go, and the account stays logged in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest
from structlog.testing import capture_logs

from bot.adapters.wechaty.adapter import Phase, WechatyAdapter
from bot.clock import SystemClock
from bot.errors import NotSent, Unsure, Unusable
from bot.model import Message, Roster, Say
from tests.wechaty.conftest import ROOM, new_adapter, people
from tests.wechaty.fakes import RecordingInbox
from tests.wechaty.gateway import Gateway, GatewayHost


async def test_a_gateway_that_was_killed_is_found_again(
    node_env: Mapping[str, str], inbox: RecordingInbox
) -> None:
    host = GatewayHost(node_env)
    with capture_logs() as logs:
        try:
            async with host.gateway() as gateway:
                port = gateway.port
                adapter = new_adapter(gateway.endpoint)
                await people(gateway)
                await adapter.start(inbox)
                await gateway.wait("start")
                await gateway.do("login", id="bot")
                await inbox.wait(Roster)
                await gateway.do("fault", on="messageSendText", hang=True)
                sending = asyncio.create_task(adapter.send(Say(ROOM, "半路断了")))
                await _until(lambda: _called(gateway, "messageSendText"))
                host.kill()
            with pytest.raises(Unsure, match="断了"):
                await sending
            with pytest.raises(NotSent, match="没有连上"):
                await adapter.send(Say(ROOM, "没人在"))
            host = GatewayHost(node_env)
            async with host.gateway(port) as gateway:
                await people(gateway)
                await gateway.wait("start")
                await gateway.do("login", id="bot")
                await inbox.wait(Roster, 2)
                await gateway.do("say", **{"from": "mary"}, to=ROOM, text="回来了")
                assert (await inbox.wait(Message)).text == "回来了"
                await adapter.send(Say(ROOM, "我也在"))
                await adapter.stop()
        finally:
            host.close()
    told = [line["event"] for line in logs if line["event"].startswith("wechaty_gateway")]
    assert told == ["wechaty_gateway_reached", "wechaty_gateway_gone", "wechaty_gateway_reached"]


async def test_it_starts_without_a_gateway_and_finds_it_later(
    gateway_host: GatewayHost, inbox: RecordingInbox
) -> None:
    async with gateway_host.gateway() as gateway:
        port, endpoint = gateway.port, gateway.endpoint
    adapter = new_adapter(endpoint)
    with capture_logs() as logs:
        await adapter.start(inbox)
        assert adapter.phase is Phase.OFFLINE
        await asyncio.sleep(0.3)
        async with gateway_host.gateway(port) as gateway:
            await people(gateway)
            await gateway.wait("start")
            await _until(lambda: _is(adapter, Phase.CONNECTING))
            await gateway.do("login", id="bot")
            await inbox.wait(Roster)
            await adapter.stop()
    told = [line["event"] for line in logs if line["event"].startswith("wechaty_gateway")]
    assert told == ["wechaty_gateway_gone", "wechaty_gateway_reached"]


async def test_stopping_neither_stops_the_gateway_nor_logs_out(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await adapter.stop()
    assert adapter.phase is Phase.OFFLINE
    # It finds the account logged in when it comes back.
    await adapter.start(inbox)
    await inbox.wait(Roster, 2)
    assert not [line for line in gateway.reports if line["ev"] in {"stop", "logout"}]


async def test_a_logout_is_seen_and_so_is_the_next_login(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("logout", reason="kicked")
    await _until(lambda: _is(adapter, Phase.CONNECTING))
    with pytest.raises(NotSent, match="没有登录"):
        await adapter.send(Say(ROOM, "在吗"))
    await gateway.do("login", id="bot")
    await inbox.wait(Roster, 2)
    await adapter.send(Say(ROOM, "在"))


@pytest.mark.parametrize("endpoint", ["", "8788", "gateway", "http://gateway:8788", "gateway:port", "a:1/x"])
def test_an_endpoint_is_a_host_and_a_port(endpoint: str) -> None:
    with pytest.raises(Unusable, match="主机:端口"):
        WechatyAdapter("shop", endpoint, "token", SystemClock())


async def _until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await true():
            await asyncio.sleep(0.02)


async def _called(gateway: Gateway, method: str) -> bool:
    return method in await gateway.do("calls")


async def _is(adapter: WechatyAdapter, phase: Phase) -> bool:
    return adapter.phase is phase
