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
from bot.adapters.wechaty.recent import Recent
from bot.adapters.wechaty.reporter import Reporter
from bot.model import Person

log = structlog.get_logger()

MESSAGE = 2
ROOM_INVITE = 18
ROOM_JOIN = 19
ROOM_LEAVE = 20
ROOM_TOPIC = 21
READY = 23
LOGIN = 25
LOGOUT = 26
DIRTY = 27

DIRTY_CONTACT = 2
DIRTY_ROOM_MEMBER = 4

# How far reading may be ahead: messages whose payloads are under way, and jobs in lanes.
AHEAD = 64
WAITING = 1_000
SEEN = 20_000

Payload = dict[str, Any]
Fetch = asyncio.Task[Any]


class Listener:
    """`hear` takes events as they come. It returns late when too much is waiting, so reading pauses.

    A message event is only an id, and its room is not known before its payload is. So payloads are
    fetched several at once, but passed on in the order of their events.
    """

    def __init__(self, link: Link, names: Names, reporter: Reporter) -> None:
        self._link = link
        self._names = names
        self._reporter = reporter
        self._lanes = Lanes(WAITING)
        self._heard: asyncio.Queue[tuple[int, Payload, Fetch | None]] = asyncio.Queue(AHEAD)
        self._seen: Recent[str, None] = Recent(SEEN)
        self._fetches: set[Fetch] = set()
        self._sorter: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._sorter = asyncio.create_task(self._sort_all())

    async def close(self) -> None:
        """Drop what is under way."""
        tasks = [*self._fetches, *([self._sorter] if self._sorter else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._lanes.close()

    async def hear(self, kind: int, payload: Payload) -> None:
        """Take an event in; of one kind that is not ours, nothing comes."""
        fetch = None
        if kind == MESSAGE:
            message = _text(payload, "messageId")
            if not message or message in self._seen:
                return
            self._seen.keep(message, None)
            fetch = self._begin(
                # PuppetService.message_payload raises on types that are younger than it.
                self._link.fetch("message", lambda puppet: puppet.puppet_stub.message_payload(id=message))
            )
        await self._heard.put((kind, payload, fetch))

    def _begin(self, fetching: Coroutine[Any, Any, Any]) -> Fetch:
        fetch = asyncio.create_task(fetching)
        self._fetches.add(fetch)
        fetch.add_done_callback(self._fetches.discard)
        return fetch

    async def _sort_all(self) -> None:
        while True:
            kind, payload, fetch = await self._heard.get()
            try:
                await self._sort(kind, payload, fetch)
            except Exception:  # a strange event does not stop the others
                log.exception("wechaty_event_failed", kind=kind)

    async def _sort(self, kind: int, payload: Payload, fetch: Fetch | None) -> None:
        room = _text(payload, "roomId")
        if fetch is not None:
            await self._message(_text(payload, "messageId"), await fetch)
        elif kind == LOGIN:
            await self._login(_text(payload, "contactId"))
        elif kind == READY:
            await self._introduce_all()
        elif kind == DIRTY:
            self._dirty(payload.get("payloadType"), _text(payload, "payloadId"))
        elif kind == ROOM_INVITE and (invitation := _text(payload, "roomInvitationId")):
            await self._lanes.put("", partial(self._reporter.invited, invitation))
        elif kind == ROOM_JOIN and room:
            await self._lanes.put(room, partial(self._reporter.joined, payload))
        elif kind == ROOM_LEAVE and room:
            await self._lanes.put(room, partial(self._reporter.left, payload))
        elif kind == ROOM_TOPIC and room:
            await self._lanes.put(room, partial(self._reporter.renamed, payload))

    async def _message(self, message: str, payload: Any) -> None:  # noqa: ANN401 - wechaty ships no types
        if payload is None:
            # Should the gateway offer it again, it is new.
            self._seen.pop(message, None)
        elif self._reporter.is_news(payload):
            await self._lanes.put(
                payload.room_id or payload.from_id, partial(self._reporter.message, payload)
            )

    async def _login(self, contact: str) -> None:
        if not contact:
            return
        self._names.clear()
        self._reporter.login(Person(contact, await self._names.contact(contact)))
        log.info("wechaty_logged_in", contact=contact)
        await self._introduce_all()

    async def _introduce_all(self) -> None:
        """Tell the rosters of all rooms. After a login the list may be short; `ready` completes it."""
        if self._reporter.me is None:
            return
        for room in await self._link.fetch("room list", lambda puppet: puppet.room_list()) or ():
            await self._lanes.put(room, partial(self._reporter.introduce, room, ours_only=True))

    def _dirty(self, kind: object, id_: str) -> None:
        if kind == DIRTY_CONTACT:
            self._names.forget_person(id_)
        elif kind == DIRTY_ROOM_MEMBER:
            self._names.forget_room(id_)


def _text(payload: Payload, key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""
