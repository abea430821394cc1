"""The connection to one gateway: the stream of its events, and calls that have a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import structlog
from grpclib.client import Channel
from grpclib.config import Configuration

from bot.adapters.wechaty.compat import PuppetOptions, PuppetService, PuppetStub
from bot.adapters.wechaty.reading import payload_of

log = structlog.get_logger()

Answer = TypeVar("Answer")
# PuppetService ships no types.
Call = Callable[[Any], Awaitable[Answer]]

# A gateway that stopped without closing is noticed in half a minute. grpclib by itself would send
# two pings and then none before we send something.
KEEPALIVE = Configuration(
    _keepalive_time=20.0,
    _keepalive_timeout=10.0,
    _keepalive_permit_without_calls=True,
    _http2_max_pings_without_data=0,
    _http2_min_sent_ping_interval_without_data=15.0,
)
# A gateway gives its puppet 15 s to start.
START_DEADLINE = 20.0
RETRY_AFTER = (0.2, 1.0)
FETCHES_AT_ONCE = 8


class Disconnected(Exception):
    """There is no gateway now; nothing was asked of it."""


class Link:
    """One gateway, over as many connections as it takes. `deadline` is for each call, in seconds."""

    def __init__(self, host: str, port: int, token: str, deadline: float) -> None:
        self._host = host
        self._port = port
        self._token = token
        self._deadline = deadline
        self._puppet: Any = None
        self._slots = asyncio.Semaphore(FETCHES_AT_ONCE)

    async def events(self) -> AsyncGenerator[tuple[int, dict[str, Any]], None]:
        """Connect, and yield each event's type and payload until the connection ends or raises.

        Attaching is Start, which changes nothing on a started gateway, and Event. Not Stop: it
        would log the account out.
        """
        puppet = PuppetService(PuppetOptions(token=self._token, end_point=f"{self._host}:{self._port}"))
        channel = Channel(self._host, self._port, config=KEEPALIVE)
        channel._authority = self._token  # noqa: SLF001 - where gateways look for the token
        puppet.channel = channel
        puppet._puppet_stub = PuppetStub(channel)  # noqa: SLF001 - `start()` would set it, after a Stop
        try:
            await asyncio.wait_for(puppet.puppet_stub.start(), START_DEADLINE)
            async with aclosing(puppet.puppet_stub.event()) as stream:
                async for event in stream:
                    self._puppet = puppet
                    yield int(event.type), payload_of(event.payload)
        finally:
            self._puppet = None
            channel.close()
            await asyncio.sleep(0)  # the transport closes in the loop's next round

    async def call(self, do: Call[Answer]) -> Answer:
        """Ask the gateway once. Raises Disconnected, TimeoutError, or what grpclib raises."""
        if self._puppet is None:
            raise Disconnected
        return await asyncio.wait_for(do(self._puppet), self._deadline)

    async def fetch(self, what: str, do: Call[Answer]) -> Answer | None:
        """Ask for something that changes nothing, three times if need be. None when it cannot be had."""
        for wait in (*RETRY_AFTER, None):
            try:
                async with self._slots:
                    return await self.call(do)
            except Exception as error:  # noqa: BLE001 - grpclib and h2 raise more than they say
                if wait is None:
                    log.warning("wechaty_fetch_failed", what=what, error=repr(error))
                else:
                    await asyncio.sleep(wait)
        return None
