"""A sender over a real writer, a still clock and a far side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from bot.app import routes
from bot.errors import NotSent
from bot.model import SECOND, Outgoing, Say
from bot.outbox.pace import Pacer
from bot.outbox.sender import Sender
from bot.ports import Adapter
from storage.outbox import Row
from storage.store import Store
from storage.writer import Writer
from tests import databases
from tests.fakes import FarSide, StillClock

TEXTS = routes().texts


class Post:
    def __init__(self, folder: Path, writer: Writer) -> None:
        self.folder = folder
        self.place = databases.place(folder)
        self.writer = writer
        self.clock = StillClock()
        self.far = FarSide()
        self.adapters: dict[str, Adapter] = {"sandbox": self.far}
        self.start()

    def start(self, pacers: Mapping[str, Pacer] | None = None) -> None:
        """Begin anew, as a new process would."""
        self.sender = Sender(self.clock, self.writer, self.adapters, pacers or {}, self.folder, TEXTS)

    def paced(self, gap: int = SECOND, per_minute: int = 40, seed: int = 1) -> None:
        self.pacer = Pacer(self.clock, gap, per_minute, Random(seed))
        self.start({"sandbox": self.pacer})

    async def crash(self) -> None:
        """The process dies: whatever its tasks were at."""
        tasks = list(self.sender._tasks.values())
        for gate in self.sender._gates.values():
            gate.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while not self.writer.idle:
            await asyncio.sleep(0)

    async def add(
        self, *texts: str, chat: str = "g", account: str = "sandbox", before: int = 0, **more: Any
    ) -> list[Row]:
        """Keep rows, without sending them; `more` goes into the body."""

        def work(store: Store) -> list[Row]:
            now = self.clock.now()
            return [
                store.outbox.add(
                    account, chat, "say", {"text": text, "values": {}, **more}, now, send_before=before
                )
                for text in texts
            ]

        return await self.writer.run(work)

    async def say(self, *texts: str, chat: str = "g", before: int = 0, **more: Any) -> list[Row]:
        rows = await self.add(*texts, chat=chat, before=before, **more)
        self.sender.deliver(rows)
        return rows

    async def reply(self, who: str, key: str = "sign_in.done", *, chat: str = "g", **values: Any) -> Row:
        """Answer somebody with one of the texts."""

        def work(store: Store) -> Row:
            body = {"text": TEXTS[key], "values": values, "to": [who, who], "key": key}
            return store.outbox.add("sandbox", chat, "say", body, self.clock.now())

        row = await self.writer.run(work)
        self.sender.deliver([row])
        return row

    async def until(self, true: Callable[[], bool]) -> None:
        while not true():
            await asyncio.sleep(0.001)

    async def rest(self) -> None:
        """Wait until everything is sent, or sleeps."""
        while self.sender.busy or not self.writer.idle:
            await asyncio.sleep(0)

    @property
    def sleeping(self) -> int:
        return len([one for one in self.clock._sleepers if not one[1].done()])

    async def to(self, moment: int) -> None:
        """Let time go by, step by step."""
        await self.rest()
        while (wake := self.clock.next_wake) and wake <= moment:
            self.clock.set(wake)
            await asyncio.sleep(0)
            await self.rest()
        self.clock.set(moment)
        await self.rest()

    async def run(self, span: int) -> None:
        await self.to(self.clock.now() + span)

    def states(self) -> dict[str, int]:
        return dict(databases.rows(self.place, "SELECT state, COUNT(*) FROM outbox GROUP BY state"))


def failing(*texts: str, error: type[Exception] = NotSent) -> Callable[[Outgoing], Exception | None]:
    return lambda one: error("断线") if isinstance(one, Say) and one.text in texts else None
