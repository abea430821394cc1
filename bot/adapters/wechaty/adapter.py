"""The adapter of 微信: one account behind one Wechaty gateway."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import aclosing
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog

from bot.adapters.wechaty.backoff import Backoff
from bot.adapters.wechaty.link import KEEPALIVE, Link
from bot.adapters.wechaty.listener import Listener
from bot.adapters.wechaty.names import Names
from bot.adapters.wechaty.reasons import is_taken, why
from bot.adapters.wechaty.recent import Recent
from bot.adapters.wechaty.reporter import Reporter
from bot.adapters.wechaty.sender import Sender
from bot.adapters.wechaty.standing import Standing
from bot.adapters.wechaty.tls import Tls
from bot.errors import NotSent, Unusable
from bot.model import LONGEST, MINUTE, Outgoing
from bot.ports import Clock, Inbox, State

# In seconds. With CONNECT_DEADLINE it keeps the time to come back below ten.
BACKOFF = (0.5, 4.0)

# A gateway may hold an old connection of ours that it did not see end. It is taken over when it
# said so often enough; seldom, since another client may be alive and would do the same to us.
TAKEN_FOR_GOOD = 4
TAKE_OVER_EVERY = 600.0

# How many of our own messages are known by their ids.
SENT = 1_000

log = structlog.get_logger()


class WechatyAdapter:
    """One account. It attaches to the gateway, and again whenever the gateway has gone.

    `endpoint` is `host:port`, plain text unless `tls` is given. A message older than `age_limit`
    microseconds is dropped; `deadline` is for each call, and `backoff` the shortest and longest
    wait between attempts to reach the gateway, in seconds. `ours` is shared by all accounts: the
    platform's ids of those who are logged in. Raises Unusable when an endpoint is none, or the
    certificates to trust cannot be read.
    """

    longest = LONGEST

    def __init__(
        self,
        account: str,
        endpoint: str,
        token: str,
        clock: Clock,
        age_limit: int = 10 * MINUTE,
        *,
        tls: Tls | None = None,
        ours: set[str] | None = None,
        deadline: float = 15.0,
        backoff: tuple[float, float] = BACKOFF,
        keepalive: tuple[float, float] = KEEPALIVE,
    ) -> None:
        self.account = account
        self._endpoint = _host_and_port(account, endpoint)
        self._token = token
        self._clock = clock
        self._age_limit = age_limit
        self._tls = tls or Tls()
        self._context = _context(account, tls) if tls else None
        self._ours = set() if ours is None else ours
        self._deadline = deadline
        self._backoff = backoff
        self._keepalive = keepalive
        self._standing = Standing(account, endpoint, clock)
        self._session: _Session | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        return self._standing.state

    @property
    def since(self) -> int:
        return self._standing.since

    @property
    def note(self) -> str:
        return self._standing.note

    def sees(self, chat: str) -> bool:
        """Whether the account is in a room."""
        return self._session is not None and self._session.reporter.sees(chat)

    async def start(self, inbox: Inbox) -> None:
        """Begin to feed events. Returns once it is under way, connected or not."""
        link = Link(
            self.account,
            *self._endpoint,
            self._token,
            self._deadline,
            tls=self._context,
            tls_name=self._tls.name,
            keepalive=self._keepalive,
        )
        names = Names(link)
        reporter = Reporter(
            self.account,
            inbox,
            self._clock,
            link=link,
            names=names,
            age_limit=self._age_limit,
            ours=self._ours,
        )
        sent: Recent[str, None] = Recent(SENT)
        listener, sender = Listener(link, names, reporter, sent), Sender(link, names, sent)
        self._session = _Session(link, reporter, listener, sender)
        self._standing.begins()
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
        self._standing.ends()

    async def send(self, outgoing: Outgoing) -> None:
        """Carry one thing out, once. Raises NotSent, Unsure or Unsupported."""
        if self._session is None or self.state is not State.ONLINE:
            raise NotSent("网关没有连上，或者账号没有登录")
        await self._session.sender.send(outgoing)

    async def _run(self, session: _Session) -> None:
        """Attach, listen till the connection ends, wait, and again."""
        backoff = Backoff(*self._backoff)
        loop = asyncio.get_running_loop()
        taken, next_take_over = 0, 0.0
        while self._session is session:
            began = loop.time()
            error = await self._listen(session)
            if self._session is not session:
                return
            held = loop.time() - began if self._standing.attached else 0.0
            self._standing.lost(why(error))
            taken = taken + 1 if is_taken(error) else 0
            if taken >= TAKEN_FOR_GOOD and loop.time() >= next_take_over:
                next_take_over = loop.time() + TAKE_OVER_EVERY
                await self._take_over(session)
            await asyncio.sleep(backoff.after(held))

    async def _listen(self, session: _Session) -> Exception | None:
        """Hear events till the stream ends. Returns why it did."""
        try:
            async with aclosing(session.link.events()) as events:
                async for kind, payload in events:
                    self._standing.hears(kind, payload)
                    await session.listener.hear(kind, payload)
        except Exception as error:  # noqa: BLE001 - whatever it is, the answer is to attach again
            return error
        return None

    async def _take_over(self, session: _Session) -> None:
        log.warning("wechaty_gateway_taken_over", account=self.account)
        try:
            await session.link.take_over()
        except Exception as error:  # noqa: BLE001 - the next attempt to attach will tell
            log.warning("wechaty_take_over_failed", account=self.account, reason=why(error))


@dataclass(frozen=True, slots=True)
class _Session:
    """What lives from start to stop."""

    link: Link
    reporter: Reporter
    listener: Listener
    sender: Sender


def _context(account: str, tls: Tls) -> ssl.SSLContext:
    try:
        return tls.context()
    except OSError as error:
        raise Unusable(f"账号 {account} 的证书 {tls.ca} 读不了：{error}。") from None


def _host_and_port(account: str, endpoint: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{endpoint}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.netloc != endpoint:
        raise Unusable(f"账号 {account} 的网关地址应写成“主机:端口”，如 127.0.0.1:8788，现在是“{endpoint}”。")
    return host, port
