"""The adapter of 微信: one account behind one Wechaty gateway."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import structlog

from bot.adapters.wechaty.link import Link
from bot.adapters.wechaty.listener import LOGIN, LOGOUT, Listener
from bot.adapters.wechaty.names import Names
from bot.adapters.wechaty.reporter import Reporter
from bot.adapters.wechaty.sender import Sender
from bot.errors import NotSent, Unusable
from bot.model import MINUTE, Outgoing
from bot.ports import Clock, Inbox, State

log = structlog.get_logger()


class Phase(StrEnum):
    """How far an account has come."""

    OFFLINE = "offline"
    """The gateway is away, or the adapter stopped."""
    CONNECTING = "connecting"
    """The gateway is there; nobody is logged in."""
    ONLINE = "online"


class WechatyAdapter:
    """One account. It attaches to the gateway, and again whenever the gateway has gone.

    `endpoint` is `host:port`, plain text. A message older than `age_limit` microseconds is dropped;
    `deadline` is for each call, and `backoff` the shortest and longest wait between attempts to
    reach the gateway, in seconds.
    """

    def __init__(
        self,
        account: str,
        endpoint: str,
        token: str,
        clock: Clock,
        age_limit: int = 10 * MINUTE,
        *,
        deadline: float = 15.0,
        backoff: tuple[float, float] = (0.5, 30.0),
    ) -> None:
        self.account = account
        self._endpoint = _host_and_port(account, endpoint)
        self._token = token
        self._clock = clock
        self._age_limit = age_limit
        self._deadline = deadline
        self._backoff = backoff
        self._log = log.bind(account=account, endpoint=endpoint)
        self._session: _Session | None = None
        self._running: asyncio.Task[None] | None = None
        self._attached = False
        self._logged_in = False
        self._gone_was_told = False

    @property
    def phase(self) -> Phase:
        """Where the account stands now."""
        if self._session is None or not self._attached:
            return Phase.OFFLINE
        return Phase.ONLINE if self._logged_in else Phase.CONNECTING

    @property
    def state(self) -> State:
        """Where the account stands, as all adapters say it."""
        return State.GONE if self.phase is Phase.OFFLINE else State(self.phase)

    @property
    def note(self) -> str:
        """Nothing more is known."""
        return ""

    async def start(self, inbox: Inbox) -> None:
        """Begin to feed events. Returns once it is under way, connected or not."""
        link = Link(*self._endpoint, self._token, self._deadline)
        names = Names(link)
        reporter = Reporter(
            self.account, inbox, self._clock, link=link, names=names, age_limit=self._age_limit
        )
        self._session = _Session(link, Listener(link, names, reporter), Sender(link, names))
        self._attached = self._logged_in = self._gone_was_told = False
        self._session.listener.start()
        self._running = asyncio.create_task(self._run(self._session))

    async def stop(self) -> None:
        """Stop feeding and close the connection. The account stays logged in at the gateway."""
        session, running = self._session, self._running
        # grpclib may turn a cancellation into an error of its own: `_run` looks at this instead.
        self._session = self._running = None
        if session is None or running is None:
            return
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await session.listener.close()

    async def send(self, outgoing: Outgoing) -> None:
        """Carry one thing out, once. Raises NotSent, Unsure or Unsupported."""
        if self._session is None or self.phase is not Phase.ONLINE:
            raise NotSent("网关没有连上，或者账号没有登录")
        await self._session.sender.send(outgoing)

    async def _run(self, session: _Session) -> None:
        """Attach, listen till the connection ends, wait, and again."""
        shortest, longest = self._backoff
        loop = asyncio.get_running_loop()
        wait = shortest
        while self._session is session:
            began = loop.time()
            reason = await self._listen(session)
            if self._session is not session:
                return
            self._lost(reason)
            if loop.time() - began > longest:
                wait = shortest
            # Jitter, so that many bots do not come back to a gateway in the same moment.
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))
            wait = min(2 * wait, longest)

    async def _listen(self, session: _Session) -> str:
        """Hear events till the stream ends. Returns why it did."""
        try:
            async with aclosing(session.link.events()) as events:
                async for kind, payload in events:
                    self._notice(kind)
                    await session.listener.hear(kind, payload)
        except Exception as error:  # noqa: BLE001 - whatever it is, the answer is to attach again
            return repr(error)
        return "the gateway ended the stream"

    def _notice(self, kind: int) -> None:
        """Any event says that the gateway is there, and some who is logged in."""
        if not self._attached:
            self._attached = True
            self._gone_was_told = False
            self._log.info("wechaty_gateway_reached")
        if kind == LOGIN:
            self._logged_in = True
        elif kind == LOGOUT:
            self._logged_in = False

    def _lost(self, reason: str) -> None:
        self._attached = self._logged_in = False  # attaching brings the login again
        if not self._gone_was_told:
            self._gone_was_told = True
            self._log.warning("wechaty_gateway_gone", reason=reason)


@dataclass(frozen=True, slots=True)
class _Session:
    """What lives from start to stop."""

    link: Link
    listener: Listener
    sender: Sender


def _host_and_port(account: str, endpoint: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{endpoint}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.netloc != endpoint:
        raise Unusable(f"账号 {account} 的网关地址应写成“主机:端口”，如 127.0.0.1:8788，现在是“{endpoint}”。")
    return host, port
