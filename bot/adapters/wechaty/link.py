"""The connection to one gateway: the stream of its events, and calls that have a deadline."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
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

# In seconds: how long nothing is heard before it is asked for a sign of life, and how long that may
# take. A gateway that stopped without closing is noticed after both.
KEEPALIVE = (10.0, 5.0)
CONNECT_DEADLINE = 4.0
# A gateway gives its puppet 15 s to start, and to stop.
START_DEADLINE = 20.0

# What changes nothing can be asked again, so it need not be waited for as long as a send.
FETCH_DEADLINE = 5.0
RETRY_AFTER = (0.2, 1.0)
FETCHES_AT_ONCE = 8
# How long fetches wait for a gateway that is gone.
GONE_FOR = 10.0


class Disconnected(Exception):
    """There is no gateway now; nothing was asked of it."""


class Link:
    """One gateway, over as many connections as it takes.

    `deadline` is for each call, in seconds; `tls_name` whom the certificate must be made out to, if
    not the host.
    """

    def __init__(
        self,
        account: str,
        host: str,
        port: int,
        token: str,
        deadline: float,
        *,
        tls: ssl.SSLContext | None = None,
        tls_name: str = "",
        keepalive: tuple[float, float] = KEEPALIVE,
    ) -> None:
        self.account = account
        self._host = host
        self._port = port
        self._token = token
        self.deadline = deadline
        self._tls = tls
        self._config = _configuration(*keepalive, tls_name)
        self._puppet: Any = None
        self._there = asyncio.Event()
        # Those of one kind that hang take no place from the others.
        self._slots: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(FETCHES_AT_ONCE)
        )

    async def events(self) -> AsyncGenerator[tuple[int, dict[str, Any]], None]:
        """Connect, and yield each event's type and payload until the connection ends or raises.

        Attaching is Start, which changes nothing on a started gateway, and Event. Not Stop: it
        would log the account out.
        """
        async with self._connected() as puppet:
            async with asyncio.timeout(START_DEADLINE):
                await puppet.puppet_stub.start()
            try:
                async with aclosing(puppet.puppet_stub.event()) as stream:
                    async for event in stream:
                        self._puppet = puppet
                        self._there.set()
                        yield int(event.type), payload_of(event.payload)
            finally:
                self._puppet = None
                self._there.clear()

    async def take_over(self) -> None:
        """Stop the gateway, which ends the stream of whoever has it, and logs the account out."""
        async with self._connected() as puppet, asyncio.timeout(START_DEADLINE):
            await puppet.puppet_stub.stop()

    async def call(self, do: Call[Answer], deadline: float = 0.0) -> Answer:
        """Ask the gateway once. Raises Disconnected, TimeoutError, or what grpclib raises."""
        if self._puppet is None:
            raise Disconnected
        async with asyncio.timeout(deadline or self.deadline):
            return await do(self._puppet)

    async def fetch(self, what: str, do: Call[Answer]) -> Answer | None:
        """Ask for something that changes nothing, three times if need be. None when it cannot be had."""
        for wait in (*RETRY_AFTER, None):
            try:
                async with self._slots[what]:
                    return await self.call(do, min(self.deadline, FETCH_DEADLINE))
            except Disconnected:
                if not await self._comes_back():
                    break  # that the gateway is gone was told
            except Exception as error:  # noqa: BLE001 - grpclib and h2 raise more than they say
                if wait is None:
                    log.warning("wechaty_fetch_failed", account=self.account, what=what, error=repr(error))
                else:
                    await asyncio.sleep(wait)
        return None

    async def _comes_back(self) -> bool:
        try:
            async with asyncio.timeout(GONE_FOR):
                return await self._there.wait()
        except TimeoutError:
            return False

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Any, None]:
        """A puppet on a connection of its own."""
        puppet = PuppetService(PuppetOptions(token=self._token, end_point=f"{self._host}:{self._port}"))
        channel = Channel(self._host, self._port, ssl=self._tls, config=self._config)
        metadata = None
        if self._tls is not None:
            # Where proxies that end the TLS look for the host, gateways cannot look for the token.
            metadata = {"authorization": f"Wechaty {self._token}"}
        else:
            channel._authority = self._token  # noqa: SLF001 - where gateways without TLS look for it
        puppet.channel = channel
        puppet._puppet_stub = PuppetStub(channel, metadata=metadata)  # noqa: SLF001 - `start()` begins with a Stop
        try:
            async with asyncio.timeout(CONNECT_DEADLINE):
                await channel.__connect__()
            yield puppet
        finally:
            channel.close()
            await asyncio.sleep(0)  # the transport closes in the loop's next round


def _configuration(silence: float, patience: float, name: str) -> Configuration:
    return Configuration(
        _keepalive_time=silence,
        _keepalive_timeout=patience,
        _keepalive_permit_without_calls=True,
        # By itself grpclib would send two pings, and then none before we send something.
        _http2_max_pings_without_data=0,
        _http2_min_sent_ping_interval_without_data=silence / 2,
        ssl_target_name_override=name or None,
    )
