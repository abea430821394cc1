"""The sandbox's port: its world, written by the one writer and read beside it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from bot.errors import Away
from bot.ports import SandboxGroup, SandboxMember, SandboxMessage
from storage.database import Database
from storage.store import Store

T = TypeVar("T")


class SandboxStore:
    """The port that the sandbox adapter writes through: each write is durable when it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._handled: list[int] = []

    async def groups(self) -> Sequence[SandboxGroup]:
        return await self._read(lambda store: store.sandbox.groups())

    async def gone(self) -> Sequence[tuple[str, SandboxMember]]:
        return await self._read(lambda store: store.sandbox.gone())

    async def add_group(self, title: str, owner: str, members: Sequence[str]) -> SandboxGroup:
        return await self._write(lambda store: store.sandbox.add_group(title, owner, members))

    async def add_member(self, group: str, name: str) -> SandboxMember:
        return await self._write(lambda store: store.sandbox.add_member(group, name))

    async def remove_member(self, member: str) -> None:
        await self._write(lambda store: store.sandbox.remove_member(member))

    async def append(self, message: SandboxMessage) -> int:
        handled, self._handled = self._handled, []

        def work(store: Store) -> int:
            store.sandbox.handled(handled)
            return store.sandbox.append(message)

        return await self._write(work)

    def handled(self, seq: int) -> None:
        """A member's line needs no second reading; kept with the next line."""
        self._handled.append(seq)

    async def flush(self) -> None:
        handled, self._handled = self._handled, []
        # Without a database they are read a second time at the next start, which changes nothing.
        with contextlib.suppress(Away):
            await self._write(lambda store: store.sandbox.handled(handled))

    async def messages(self, chat: str, after: int, most: int) -> Sequence[SandboxMessage]:
        return await self._read(lambda store: store.sandbox.messages(chat, after, most))

    async def messages_before(self, chat: str, seq: int, most: int) -> Sequence[SandboxMessage]:
        return await self._read(lambda store: store.sandbox.messages_before(chat, seq, most))

    async def unhandled(self) -> Sequence[SandboxMessage]:
        return await self._read(lambda store: store.sandbox.unhandled())

    async def offset(self) -> int:
        return await self._read(lambda store: store.sandbox.offset())

    async def save_offset(self, offset: int) -> None:
        await self._write(lambda store: store.sandbox.save_offset(offset))

    async def _write(self, work: Callable[[Store], T]) -> T:
        return await self._database.writer.run(work)

    async def _read(self, work: Callable[[Store], T]) -> T:
        return await asyncio.shield(self._database.read(work))
