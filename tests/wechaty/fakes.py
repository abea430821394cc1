"""An inbox that keeps what it is given."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from bot.model import Event

E = TypeVar("E", bound=Event)


class RecordingInbox:
    """Where an adapter brings events, kept in order. While `full` is set, nobody may bring more."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def feed(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def breathe(self, event: Event) -> None:
        await self._room.wait()

    def flood(self) -> None:
        self._room.clear()

    def drain(self) -> None:
        self._room.set()

    def of(self, kind: type[E]) -> list[E]:
        """All events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    async def wait(self, kind: type[E], count: int = 1, *, within: float = 30) -> E:
        """The nth event of a kind, old ones counted."""
        async with asyncio.timeout(within):
            while len(found := self.of(kind)) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]
