"""After the commit: rows of the outbox go out, in order within a chat, each message at most once.

A row is `planned`, `sending` from just before the adapter gets it, then `sent`; or `failed`, `stale`
when its moment passed, or `unknown` when it may have arrived. What is unknown is never sent again.
An effect that can be repeated is tried a few times more before it is unknown.

An account without a pacer sends what it has at once. One with a pacer waits for its turns (see
bot/outbox/gate.py), and what gathers meanwhile goes as one message where it can.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from bot.errors import NotSent, TooFast
from bot.model import SECOND, Outgoing
from bot.outbox.book import PATIENCE, Book
from bot.outbox.carrying import Carrier, preview
from bot.outbox.chat import Chat
from bot.outbox.gate import Gate
from bot.outbox.merging import Merging
from bot.outbox.pace import Pacer
from bot.ports import Adapter, Clock
from bot.tally import Histogram

if TYPE_CHECKING:
    from storage.outbox import Row
    from storage.store import Store
    from storage.writer import Writer

AT_ONCE = 64
LATE = "过了该发的时间"
WAITS = (0.1, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600)
AWAY = "账号不在线，过了该发的时间"

log = structlog.get_logger()

T = TypeVar("T")
Key = tuple[str, str]


class Sender:
    """One task for each chat that has something to send. `pacers` go by account; without one, no wait.

    `files` is the folder that pictures and files are in, `drawn` that of pictures which 小二 drew; `texts`
    say which replies can share a message.
    """

    def __init__(
        self,
        clock: Clock,
        writer: Writer,
        adapters: Mapping[str, Adapter],
        pacers: Mapping[str, Pacer],
        files: Path,
        texts: Mapping[str, str] | None = None,
        drawn: Path | None = None,
    ) -> None:
        self._clock = clock
        self._writer = writer
        self._book = Book(writer)
        self._gates = {
            account: Gate(account, clock, pacer, adapters.get(account)) for account, pacer in pacers.items()
        }
        self._merging = Merging(texts or {})
        self._carrier = Carrier(self._book, adapters, files, self._merging, drawn or files)
        self._queues: dict[Key, deque[Row] | Chat] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._asleep: dict[asyncio.Task[None], int] = {}
        self._stopped = False
        # For /metrics: how many seconds what was sent had waited, of those who answer and of posts.
        self.waited = {kind: Histogram(*WAITS) for kind in ("reply", "post")}

    async def resume(self) -> None:
        """Take up what the last process left.

        What it was saying may have arrived, so it is unknown and reported; what was planned goes out,
        and what can be repeated.
        """
        for account, kept in (await self._writer.run(lambda store: store.outbox.paces())).items():
            if account in self._gates:
                self._gates[account].recall(kept)
        left = await self._writer.run(lambda store: store.outbox.in_state("sending"))
        again = [row for row in left if row.repeatable]
        await self._book.keep(lambda store: store.outbox.planned(again))
        for row in again:
            self._carrier.perhaps(row)
        for row in [row for row in left if not row.repeatable]:
            await self._carrier.ended([row], "unknown", "上次停下时正在发送")
            log.warning("unknown whether this was sent", row=row.id, chat=row.chat, text=preview(row))
        self.deliver(await self._writer.run(lambda store: store.outbox.in_state("planned")))

    def deliver(self, rows: Sequence[Row]) -> None:
        """Queue what was committed, each behind what its chat already has."""
        for row in rows if not self._stopped else ():
            key = (row.account, row.chat)
            queue = self._queues.get(key)
            if queue is None:
                queue = self._queues[key] = self._open(key)
            queue.append(row)

    def go_by(self, texts: Mapping[str, str]) -> None:
        """The texts are others from now on."""
        self._merging.go_by(texts)

    @property
    def chats(self) -> int:
        """How many chats have something to send."""
        return len(self._queues)

    @property
    def ended(self) -> Counter[str]:
        """What became of the rows that this process ended, by their state."""
        return self._carrier.count

    @property
    def busy(self) -> bool:
        """Whether anything goes on that does not wait for the clock."""
        now = self._clock.now()
        asleep = sum(moment > now for moment in self._asleep.values())
        return len(self._queues) > asleep + sum(gate.asleep for gate in self._gates.values())

    async def stop(self) -> None:
        """Let what is being sent finish; the rest stays planned."""
        self._stopped = True
        for queue in self._queues.values():
            queue.clear()
        for gate in self._gates.values():
            gate.close()
        for sleeper in self._asleep:
            sleeper.cancel()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=5)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _open(self, key: Key) -> deque[Row] | Chat:
        account, name = key
        gate = self._gates.get(account)
        queue: deque[Row] | Chat
        if gate is None:
            queue = deque()
            serving = self._serve(key, queue)
        else:
            queue = Chat(name, self._carrier.longest(account), self._merging, gate.stir)
            serving = self._serve_in_turn(key, queue, gate)
        self._tasks[key] = asyncio.get_running_loop().create_task(serving)
        return queue

    # At once. --------------------------------------------------------------------------------------

    async def _serve(self, key: Key, queue: deque[Row]) -> None:
        tries, why = 0, ""
        try:
            while queue:
                if tries:
                    await self._sleep(self._patience(tries))
                rows = [queue.popleft() for _ in range(min(AT_ONCE, len(queue)))]
                left, why = await self._send(key[0], rows, why)
                tries = tries + 1 if left else 0
                if not self._stopped:
                    queue.extendleft(reversed(left))
        finally:
            del self._queues[key], self._tasks[key]

    async def _send(self, account: str, rows: list[Row], why: str) -> tuple[list[Row], str]:
        """Send rows, each once. Those that certainly did not leave are the answer, and why not.

        They are planned again. `why` is what held them up before, for those that are stale by now.
        """
        now = self._clock.now()
        fresh = [row for row in rows if not row.late(now)]
        if len(fresh) < len(rows):
            await self._carrier.ended([row for row in rows if row.late(now)], "stale", why or LATE)
        await self._book.keep(lambda store: store.outbox.sending(fresh))
        sent: list[Row] = []
        left: list[Row] = []
        for place, row in enumerate(fresh):
            try:
                if await self._carrier.carry_out(account, (row,)):
                    sent.append(row)
            except NotSent as error:
                left, why = fresh[place:], str(error)
                break
        now = self._clock.now()

        def note(store: Store) -> None:
            store.outbox.sent(sent, now)
            store.outbox.planned(left)

        await self._book.keep(note)
        self._went(sent, now)
        return left, why if left else ""

    # In turn. --------------------------------------------------------------------------------------

    async def _serve_in_turn(self, key: Key, chat: Chat, gate: Gate) -> None:
        tries, why = 0, ""
        try:
            while chat:
                load = await self._doze(gate.turn(chat))
                if load.stale:
                    await self._carrier.ended(load.stale, "stale", why or (AWAY if gate.away else LATE))
                    continue
                try:
                    await self._send_as_one(key[0], load.rows, chat, gate)
                except NotSent as error:
                    why = str(error)
                    # Where the platform asked for less, the whole account pauses already.
                    tries = 0 if isinstance(error, TooFast) else tries + 1
                    chat.not_before = self._patience(tries) if tries else 0
                    if not self._stopped:
                        chat.put_back(load.rows)
                else:
                    tries, why = 0, ""
                gate.gives_back(chat)
        finally:
            gate.gives_back(chat)
            del self._queues[key], self._tasks[key]

    async def _send_as_one(self, account: str, rows: Sequence[Row], chat: Chat, gate: Gate) -> None:
        """Send rows as one message, once. Raises NotSent when it certainly did not leave."""

        async def leave(rows: Sequence[Row]) -> None:
            """What is about to go counts before it does, or a crash would make the account faster."""
            kept = gate.kept()

            def note(store: Store) -> None:
                store.outbox.sending(rows)
                store.outbox.keep_pace(account, kept)

            await self._book.keep(note)

        async def carry(adapter: Adapter, part: Outgoing, number: int) -> None:
            if number:
                await self._doze(gate.turn_to_go_on(chat, part))
                await leave(())
            with gate.passing(chat, rows, part):
                await adapter.send(part)

        await leave(rows)
        sent: Sequence[Row] = ()
        left: Sequence[Row] = ()
        why = None
        try:
            if await self._carrier.carry_out(account, rows, carry):
                sent = rows
        except NotSent as error:
            left, why = rows, error
        now, kept = self._clock.now(), gate.kept()

        def landed(store: Store) -> None:
            store.outbox.sent(sent, now)
            store.outbox.planned(left)
            store.outbox.keep_pace(account, kept)

        await self._book.keep(landed)
        self._went(sent, now)
        if why is not None:
            raise why

    # Both. -----------------------------------------------------------------------------------------

    def _went(self, rows: Sequence[Row], now: int) -> None:
        """Count what was sent."""
        self.ended["sent"] += len(rows)
        for row in rows:
            self.waited["post" if row.post else "reply"].add((now - row.at) / SECOND)

    async def _sleep(self, until: int) -> None:
        """A stop does not wait for it."""
        await self._doze(self._clock.sleep_until(until), until)

    async def _doze(self, wait: Awaitable[T], until: int = 0) -> T:
        """Wait for what a stop need not wait for; a gate knows by itself until when."""
        task: Any = asyncio.current_task()
        self._asleep[task] = until
        try:
            return await wait
        finally:
            del self._asleep[task]

    def _patience(self, tries: int) -> int:
        """When to try again."""
        return self._clock.now() + PATIENCE[min(tries, len(PATIENCE)) - 1] * SECOND
