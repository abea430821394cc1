"""After the commit: rows of the outbox go out, in order within a chat, each at most once.

A row is `planned`, `sending` from just before the adapter gets it, then `sent`; or `failed`, `stale`
when its moment passed, or `unknown` when it may have arrived. What is unknown is never sent again.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from bot.errors import NotSent, Unsupported, Unsure
from bot.model import SECOND, Accept, Announce, Card, Outgoing, Person, Say, fill
from bot.outbox.book import PATIENCE, Book
from bot.outbox.pace import Pacer
from bot.ports import Adapter, Clock

if TYPE_CHECKING:
    from storage.outbox import Row
    from storage.store import Store
    from storage.writer import Writer

AT_ONCE = 64

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
        self._book = Book(writer)
        self._adapters = adapters
        self._pacers = pacers
        self._pictures = pictures
        self._queues: dict[tuple[str, str], deque[Row]] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._asleep: set[asyncio.Task[None]] = set()
        self._stopped = False
        # For /metrics: what became of the rows that this process ended, by their state.
        self.ended = Counter(sent=0, failed=0, stale=0, unknown=0)

    async def resume(self) -> None:
        """Take up what the last process left.

        What it was sending may have arrived, so it is unknown and reported; what was planned goes out.
        """
        left = await self._writer.run(lambda store: store.outbox.in_state("sending"))
        for row in left:
            await self._ended(row, "unknown", "上次停下时正在发送")
            log.warning("unknown whether this was sent", row=row.id, chat=row.chat, text=preview(row))
        self.deliver(await self._writer.run(lambda store: store.outbox.in_state("planned")))

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
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=5)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _serve(self, chat: tuple[str, str], queue: deque[Row]) -> None:
        account, name = chat
        tries, why = 0, ""
        try:
            while queue:
                paced = account in self._pacers
                if tries or paced:
                    wait = PATIENCE[min(tries, len(PATIENCE)) - 1] * SECOND if tries else 0
                    await self._free(account, name, self._clock.now() + wait)
                many = 1 if paced else AT_ONCE
                rows = [queue.popleft() for _ in range(min(many, len(queue)))]
                left, why = await self._send(account, rows, why)
                tries = tries + 1 if left else 0
                if not self._stopped:
                    queue.extendleft(reversed(left))
        finally:
            del self._queues[chat], self._tasks[chat]

    async def _free(self, account: str, chat: str, not_before: int) -> None:
        """Wait for this account's turn to send to a chat, and take it. A stop does not wait for it."""
        pacer = self._pacers.get(account)
        task: Any = asyncio.current_task()
        self._asleep.add(task)
        try:
            while (moment := max(not_before, pacer.next(chat) if pacer else 0)) > self._clock.now():
                await self._clock.sleep_until(moment)
        finally:
            self._asleep.discard(task)
        if pacer is not None:
            pacer.count(chat)

    async def _send(self, account: str, rows: list[Row], why: str) -> tuple[list[Row], str]:
        """Send rows, each once. Those that certainly did not leave are the answer, and why not.

        They are planned again. `why` is what held them up before, for those that are stale by now.
        """
        now = self._clock.now()
        fresh = []
        for row in rows:
            if row.send_before and now > row.send_before:
                await self._ended(row, "stale", why or "过了该发的时间")
            else:
                fresh.append(row)
        await self._book.keep(lambda store: store.outbox.sending(fresh))
        sent: list[Row] = []
        left: list[Row] = []
        for place, row in enumerate(fresh):
            try:
                if await self._carry_out(account, row):
                    sent.append(row)
            except NotSent as error:
                left, why = fresh[place:], str(error)
                break
        now = self._clock.now()

        def note(store: Store) -> None:
            store.outbox.sent(sent, now)
            store.outbox.planned(left)

        await self._book.keep(note)
        self.ended["sent"] += len(sent)
        return left, why if left else ""

    async def _carry_out(self, account: str, row: Row) -> bool:
        """Whether the adapter took a row; what else became of it is kept at once. Raises NotSent."""
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
            why = str(error) if isinstance(error, Unsure) else "发送时出了错"
            await self._ended(row, "unknown", why)
            log.warning("unknown whether this was sent", row=row.id, chat=row.chat, why=repr(error))
        else:
            return True
        return False

    async def _ended(self, row: Row, state: str, why: str) -> None:
        await self._book.keep(lambda store: store.outbox.ended(row, state, why))
        self.ended[state] += 1

    def _outgoing(self, row: Row) -> Outgoing:
        if row.kind == "accept":
            return Accept(row.body["invitation"])
        body = row.body
        if row.kind == "announce":
            return Announce(body["text"], row.chat)
        picture, file = body.get("picture"), body.get("file")
        return Say(
            row.chat,
            fill(body["text"], body["values"]),
            private=bool(body.get("private")),
            mentions=(Person(*body["to"]),) if "to" in body else (),
            picture=self._pictures / picture if picture else None,
            file=self._pictures / file if file else None,
            card=Card(**body["card"]) if "card" in body else None,
        )


def preview(row: Row) -> str:
    """The beginning of a message, for the log."""
    return fill(row.body.get("text", row.kind), row.body.get("values", {}))[:40]
