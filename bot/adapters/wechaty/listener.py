"""Hears a gateway's events, fetches what they are about, and puts them in their rooms' lanes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

import structlog

from bot.adapters.wechaty.lanes import Lanes
from bot.adapters.wechaty.link import Link
from bot.adapters.wechaty.names import Names
from bot.adapters.wechaty.reading import text_of
from bot.adapters.wechaty.recent import Recent
from bot.adapters.wechaty.reporter import Reporter
from bot.adapters.wechaty.standing import LOGIN

log = structlog.get_logger()

MESSAGE = 2
ERROR = 16
ROOM_INVITE = 18
ROOM_JOIN = 19
ROOM_LEAVE = 20
ROOM_TOPIC = 21
READY = 23
DIRTY = 27
OURS = {MESSAGE, ERROR, ROOM_INVITE, ROOM_JOIN, ROOM_LEAVE, ROOM_TOPIC, READY, LOGIN, DIRTY}

DIRTY_CONTACT = 2
DIRTY_ROOM = 3
DIRTY_ROOM_MEMBER = 4

# How far reading may be ahead: messages whose payloads are under way, and jobs in lanes.
AHEAD = 64
WAITING = 1_000
SEEN = 20_000
# In seconds: how long what is there waits for a payload before it that is not, and how long errors
# that a gateway tells are not logged after one that was.
HOLD = 2.0
ERROR_EVERY = 60.0

Payload = dict[str, Any]
Fetch = asyncio.Task[Any]


class Listener:
    """`hear` takes events as they come. It returns late when too much is waiting, so reading pauses.

    A message event is only an id, and its room is not known before its payload is. So payloads are
    fetched several at once, but passed on in the order of their events. One that hangs is overtaken
    by the others after HOLD seconds, and passed on when it comes. `sent` are the ids of what went
    out: it comes back as events, and is no news.
    """

    def __init__(self, link: Link, names: Names, reporter: Reporter, sent: Recent[str, None]) -> None:
        self._link = link
        self._names = names
        self._reporter = reporter
        self._sent = sent
        self._lanes = Lanes(WAITING)
        self._heard: asyncio.Queue[tuple[int, Payload, Fetch | None]] = asyncio.Queue(AHEAD)
        self._ready = 0
        self._seen: Recent[str, None] = Recent(SEEN)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._next_error = 0.0

    def start(self) -> None:
        self._begin(self._sort_all())

    async def close(self) -> None:
        """Drop what is under way."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._lanes.close()

    async def hear(self, kind: int, payload: Payload) -> None:
        """Take an event in; of one kind that is not ours, nothing comes."""
        if kind not in OURS:
            return
        fetch = None
        if kind == MESSAGE:
            message = text_of(payload, "messageId")
            if not message or message in self._seen:
                return
            self._seen.keep(message, None)
            fetch = self._begin(self._payload(message))
            fetch.add_done_callback(self._is_ready)
        else:
            self._is_ready()
        await self._heard.put((kind, payload, fetch))

    async def _payload(self, message: str) -> Any:  # noqa: ANN401 - wechaty ships no types
        """What a message is; None for one of ours, and for what cannot be had."""
        # The answer to its sending mostly comes with its event, or before it.
        if message in self._sent:
            return None
        # PuppetService.message_payload raises on types that are younger than it.
        return await self._link.fetch(
            "message", lambda puppet: puppet.puppet_stub.message_payload(id=message)
        )

    def _begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _is_ready(self, _: object = None) -> None:
        """One more of those that were heard can be passed on."""
        self._ready += 1

    async def _sort_all(self) -> None:
        while True:
            kind, payload, fetch = await self._heard.get()
            if fetch is None or await self._in_time(fetch):
                await self._pass_on(kind, payload, fetch)
            else:
                self._begin(self._pass_on(kind, payload, fetch))

    async def _in_time(self, fetch: Fetch) -> bool:
        """Wait for a payload; but only for a while, when there are others behind it to pass on."""
        while not fetch.done():
            await asyncio.wait({fetch}, timeout=HOLD)
            if not fetch.done() and self._ready > 0:
                return False
        return True

    async def _pass_on(self, kind: int, payload: Payload, fetch: Fetch | None) -> None:
        try:
            if fetch is not None:
                await self._message(text_of(payload, "messageId"), await fetch)
            else:
                await self._sort(kind, payload)
        except Exception:  # a strange event does not stop the others
            log.exception("wechaty_event_failed", kind=kind)
        finally:
            self._ready -= 1

    async def _message(self, message: str, payload: Any) -> None:  # noqa: ANN401 - wechaty ships no types
        if payload is None:
            # Should the gateway offer it again, it is new.
            self._seen.pop(message, None)
        elif self._reporter.is_news(payload):
            await self._lanes.put(
                payload.room_id or payload.from_id, partial(self._reporter.message, payload)
            )

    async def _sort(self, kind: int, payload: Payload) -> None:
        room = text_of(payload, "roomId")
        if kind == LOGIN and (contact := text_of(payload, "contactId")):
            self._names.clear()
            self._reporter.login(contact)
            await self._lanes.put("", self._introduce_all)
        elif kind == READY:
            await self._lanes.put("", self._introduce_all)
        elif kind == DIRTY:
            self._dirty(payload.get("payloadType"), text_of(payload, "payloadId"))
        elif kind == ROOM_INVITE and (invitation := text_of(payload, "roomInvitationId")):
            await self._lanes.put("", partial(self._reporter.invited, invitation))
        elif kind == ROOM_JOIN and room:
            await self._lanes.put(room, partial(self._reporter.joined, payload))
        elif kind == ROOM_LEAVE and room:
            await self._lanes.put(room, partial(self._reporter.left, payload))
        elif kind == ROOM_TOPIC and room:
            await self._lanes.put(room, partial(self._reporter.renamed, payload))
        elif kind == ERROR:
            self._error(payload)

    async def _introduce_all(self) -> None:
        """Tell the rosters of all rooms. After a login the list may be short; `ready` completes it."""
        if not self._reporter.me:
            return
        for room in await self._link.fetch("room list", lambda puppet: puppet.room_list()) or ():
            await self._lanes.put(room, partial(self._reporter.introduce, room, ours_only=True))

    def _dirty(self, kind: object, id_: str) -> None:
        if kind == DIRTY_CONTACT:
            self._names.forget_person(id_)
        elif kind in {DIRTY_ROOM, DIRTY_ROOM_MEMBER}:
            self._names.forget_room(id_)
            self._reporter.forget(id_)

    def _error(self, payload: Payload) -> None:
        """The gateway has trouble of its own. It goes on, and so do we."""
        now = asyncio.get_running_loop().time()
        if now >= self._next_error:
            self._next_error = now + ERROR_EVERY
            log.warning("wechaty_gateway_error", account=self._link.account, says=str(payload)[:300])
