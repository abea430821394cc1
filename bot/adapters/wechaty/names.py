"""What people are called: looked up for those who speak or join, once, and never in a hurry.

Accounts have been locked for a handful of contact look-ups a second, so a room's members are not
looked up as such, and contacts are asked for with a pause between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from bot.adapters.wechaty.link import Link
from bot.adapters.wechaty.recent import Recent
from bot.model import clean

KEEP_NAMES = 20_000
LOOKUP_GAP = 0.25
# In seconds: names change, and not every gateway says so; who could not be found is asked for again.
GOOD_FOR = 6 * 3600.0
UNKNOWN_FOR = 60.0
# Nobody's message waits longer than that for their name.
PATIENCE = 5.0


class Names:
    """Display names: in a room the alias there, or else the contact's own name. Empty if unknown."""

    def __init__(self, link: Link) -> None:
        self._link = link
        # A contact's own name is kept under the room "".
        self._names: Recent[tuple[str, str], tuple[str, float]] = Recent(KEEP_NAMES)
        self._turn = asyncio.Lock()
        self._next_lookup = 0.0

    async def member(self, room: str, person: str) -> str:
        """What somebody is called in a room."""
        if (kept := self._kept(room, person)) is not None:
            return kept
        return self._keep(room, person, await self._in_time(self._ask_room(room, person)))

    async def contact(self, person: str) -> str:
        """What somebody calls themselves."""
        if (kept := self._kept("", person)) is not None:
            return kept
        return self._keep("", person, await self._in_time(self._ask(person)))

    def known(self, room: str, person: str) -> str:
        """The name if it is at hand, without asking anybody."""
        return self._kept(room, person) or self._kept("", person) or ""

    def forget_member(self, room: str, person: str) -> None:
        self._names.pop((room, person), None)

    def forget_room(self, room: str) -> None:
        for key in [key for key in self._names if key[0] == room]:
            del self._names[key]

    def forget_person(self, person: str) -> None:
        for key in [key for key in self._names if key[1] == person]:
            del self._names[key]

    def clear(self) -> None:
        self._names.clear()

    def _kept(self, room: str, person: str) -> str | None:
        name, until = self._names.get((room, person), ("", 0.0))
        return name if asyncio.get_running_loop().time() < until else None

    def _keep(self, room: str, person: str, name: str) -> str:
        until = asyncio.get_running_loop().time() + (GOOD_FOR if name else UNKNOWN_FOR)
        self._names.keep((room, person), (name, until))
        return name

    async def _ask_room(self, room: str, person: str) -> str:
        payload = await self._link.fetch(
            "room member", lambda puppet: puppet.room_member_payload(room_id=room, contact_id=person)
        )
        name = clean(payload.room_alias or payload.name) if payload else ""
        return name or await self.contact(person)

    async def _ask(self, person: str) -> str:
        await self._wait_for_turn()
        payload = await self._link.fetch("contact", lambda puppet: puppet.contact_payload(person))
        return clean(payload.name) if payload else ""

    async def _in_time(self, asking: Coroutine[Any, Any, str]) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                return await asking
        except TimeoutError:
            return ""

    async def _wait_for_turn(self) -> None:
        loop = asyncio.get_running_loop()
        async with self._turn:
            await asyncio.sleep(max(0.0, self._next_lookup - loop.time()))
            self._next_lookup = loop.time() + LOOKUP_GAP
