"""After the commit: rows of the outbox go out, in order within a chat, each at most once.

A row is `planned`, `sending` from just before the adapter gets it, then `sent`; or `failed`, `stale`
when its moment passed, or `unknown` when it may have arrived. What is unknown is never sent again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from bot.errors import NotSent, Unsupported
from bot.model import SECOND, Accept, Outgoing, Person, Say, fill
from bot.outbox.pace import Pacer
from bot.ports import Adapter, Clock

if TYPE_CHECKING:
    from storage.outbox import Row
    from storage.writer import Writer

AT_ONCE = 64
PATIENCE = (1, 2, 4, 8, 15, 30)

log = structlog.get_logger()


class Sender:
    """One task for each chat that has something to send. `pacers` go by account; without one, no wait."""

    def __init__(
        self,
        clock: Clock,
        writer: Writer,
        adapters: Mapping[str, Adapter],
        pacers: Mapping[str, Pacer],
        pictures: Path,
    ) -> None:
        self._clock = clock
        self._writer = writer
        self._adapters = adapters
        self._pacers = pacers
        self._pictures = pictures
        self._queues: dict[tuple[str, str], deque[Row]] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._asleep: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def resume(self) -> int:
        """Take up what the last process left: how many rows it was sending is the answer.

        Those may have arrived, so they become unknown and are reported; what was only planned goes out.
        """
        left = await self._writer.run(lambda store: store.outbox.in_state("sending"))
        for row in left:
            await self._ended(row, "unknown", "上次停下时正在发送")
            log.warning("unknown whether this was sent", row=row.id, chat=row.chat, text=preview(row))
        self.deliver(await self._writer.run(lambda store: store.outbox.in_state("planned")))
        return len(left)

    def deliver(self, rows: list[Row]) -> None:
        """Queue what was committed, each behind what its chat already has."""
        for row in rows if not self._stopped else ():
            chat = (row.account, row.chat)
            queue = self._queues.get(chat)
            if queue is None:
                queue = self._queues[chat] = deque()
                task = asyncio.get_running_loop().create_task(self._serve(chat, queue))
                self._tasks[chat] = task
            queue.append(row)

    @property
    def idle(self) -> bool:
        """Whether nothing is left that could go out."""
        return not self._queues

    @property
    def chats(self) -> int:
        """How many chats have something to send."""
        return len(self._queues)

    async def stop(self) -> None:
        """Let what is being sent finish; the rest stays planned."""
        self._stopped = True
        for queue in self._queues.values():
            queue.clear()
        for task in self._asleep:
            task.cancel()
        _, late = await asyncio.wait(tasks, timeout=5) if (tasks := list(self._tasks.values())) else ((), ())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _serve(self, chat: tuple[str, str], queue: deque[Row]) -> None:
        account, name = chat
        pacer = self._pacers.get(account)
        try:
            while queue:
                if pacer is not None:
                    await self._sleep_until(lambda: pacer.next(name))
                    pacer.count(name)
                rows = [queue.popleft() for _ in range(1 if pacer else min(AT_ONCE, len(queue)))]
                await self._send(account, rows, queue)
        except Exception:
            log.exception("the outbox of a chat stopped", account=account, chat=name)
        finally:
            del self._queues[chat], self._tasks[chat]

    async def _send(self, account: str, rows: list[Row], queue: deque[Row]) -> None:
        now = self._clock.now()
        fresh = [row for row in rows if not row.send_before or now <= row.send_before]
        for row in rows:
            if row not in fresh:
                await self._ended(row, "stale", "过了该发的时间")
        if not fresh:
            return
        await self._writer.run(lambda store: store.outbox.sending(fresh))
        sent: list[Row] = []
        for place, row in enumerate(fresh):
            try:
                if await self._sent(account, row):
                    sent.append(row)
            except NotSent as error:
                await self._note(sent)
                await self._again(account, row, error, fresh[place + 1 :], queue)
                return
        await self._note(sent)

    async def _note(self, sent: list[Row]) -> None:
        if sent:
            now = self._clock.now()
            await self._writer.run(lambda store: store.outbox.sent(sent, now))

    async def _sent(self, account: str, row: Row) -> bool:
        """Carry a row out; whatever else became of it is kept at once. Raises NotSent."""
        adapter = self._adapters.get(account)
        if adapter is None:
            await self._ended(row, "failed", f"没有账号 {account}")
            return False
        try:
            await adapter.send(self._outgoing(row))
        except NotSent:
            raise
        except Unsupported as error:
            await self._ended(row, "failed", str(error))
            log.warning("the platform cannot do this", row=row.id, why=str(error))
        except Exception as error:  # noqa: BLE001 - whatever it was, it may have left
            await self._ended(row, "unknown", str(error) or type(error).__name__)
            log.warning("unknown whether this was sent", row=row.id, chat=row.chat, why=repr(error))
        else:
            return True
        return False

    async def _again(
        self, account: str, row: Row, error: NotSent, behind: list[Row], queue: deque[Row]
    ) -> None:
        """Try a row until it leaves or is stale. What is behind it waits and was not tried at all."""
        await self._writer.run(lambda store: store.outbox.planned([row, *behind]))
        if not self._stopped:
            queue.extendleft(reversed(behind))
        for wait in itertools.chain(PATIENCE, itertools.repeat(PATIENCE[-1])):
            again = self._clock.now() + wait * SECOND
            if row.send_before and again > row.send_before:
                await self._ended(row, "stale", str(error))
                return
            if self._stopped:
                return
            await self._sleep_until(lambda: again)  # noqa: B023 - awaited here
            await self._writer.run(lambda store: store.outbox.sending([row]))
            try:
                await self._note([row] if await self._sent(account, row) else [])
            except NotSent as another:
                error = another
                await self._writer.run(lambda store: store.outbox.planned([row]))
            else:
                return

    async def _sleep_until(self, moment: Callable[[], int]) -> None:
        """Wait for a moment that may move on; a stop does not wait for it."""
        task: Any = asyncio.current_task()
        self._asleep.add(task)
        try:
            while (until := moment()) > self._clock.now():
                await self._clock.sleep_until(until)
        finally:
            self._asleep.discard(task)

    async def _ended(self, row: Row, state: str, why: str) -> None:
        await self._writer.run(lambda store: store.outbox.ended(row, state, why))

    def _outgoing(self, row: Row) -> Outgoing:
        if row.kind == "accept":
            return Accept(row.body["invitation"])
        body = row.body
        picture = body.get("picture")
        return Say(
            row.chat,
            fill(body["text"], body["values"]),
            private=bool(body.get("private")),
            mentions=(Person(*body["to"]),) if "to" in body else (),
            picture=self._pictures / picture if picture else None,
        )


def preview(row: Row) -> str:
    """The beginning of a message, for the log."""
    return fill(row.body.get("text", row.kind), row.body.get("values", {}))[:40]
