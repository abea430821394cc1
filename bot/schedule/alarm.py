"""The alarm: the next due slot or timer becomes an event.

It rings at the next due moment, and once a minute in case a clock was set; what is due is always read
anew. Occurrences are claimed in the database, so ringing twice does nothing twice. It waits on the event
loop's own ticks: APScheduler's scheduler waits for a time on the machine's clock, and when that is set
back an hour it rings for nothing in that hour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Protocol

import structlog

from bot.aside import aside
from bot.errors import Away
from bot.model import DAY, HOUR, MINUTE, SECOND, Occurrence
from bot.ports import Clock
from bot.schedule.noticing import Noticing
from bot.schedule.planning import Planning
from bot.sop.planner import GroupPlan, Plans
from bot.tally import Histogram

if TYPE_CHECKING:
    from storage.store import Store
    from storage.writer import Writer

# A slot that was due before a longer stop is not worth a row that says so.
LONGEST_STOP = 7 * DAY
LOOK = MINUTE
KEEP_MARKS = 30 * DAY
KEEP_TALK = 92 * DAY
TIDY_EVERY = 6 * HOUR

log = structlog.get_logger()


class Timers(Protocol):
    """The dispatcher, as the alarm sees it."""

    def feed_slot(self, occurrence: Occurrence) -> asyncio.Future[bool | None]: ...

    def feed_timers(self, now: int) -> list[asyncio.Future[bool | None]]: ...

    @property
    def next_timer(self) -> int: ...


class Alarm:
    def __init__(
        self,
        clock: Clock,
        writer: Writer,
        timers: Timers,
        planning: Planning,
        noticing: Noticing | None = None,
    ) -> None:
        self._clock = clock
        self._writer = writer
        self._timers = timers
        self._planning = planning
        self._noticing = noticing
        self._groups: dict[int, GroupPlan] = {}
        self._changed: set[int] = set()
        self._plans: Plans | None = None
        self._horizon = 0
        self._slot: int | None = None
        self._armed = 0
        self._began = 0
        # For /metrics: how many seconds after the first moment that was due the alarm rang.
        self.late = Histogram(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300)
        self._ringing = asyncio.Lock()
        self._looking = asyncio.Lock()
        self._failures = 0
        self._tidied = 0
        self._running = False
        self._next: asyncio.TimerHandle | None = None
        self._rings: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Ring for all that fell due while nobody was there, then wait for the next."""
        now = self._began = self._clock.now()
        horizon = await self._writer.run(lambda store: store.occurrences.planned_until(now))
        # A sandbox on this data may have moved its clock ahead of the real one.
        self._horizon = min(max(horizon, now - LONGEST_STOP), now)
        self._tidied = now - TIDY_EVERY + LOOK  # not while it starts
        self._running = True
        self._groups = await self._writer.run(self._read_all)
        await self.ring()

    def stop(self) -> None:
        self._running = False
        if self._next is not None:
            self._next.cancel()
        for task in self._rings:
            task.cancel()

    @property
    def armed(self) -> int:
        """When it rings next for something that is due; 0 for never."""
        return self._armed

    def due(self, moment: int) -> None:
        """A timer was set: ring then, if that is sooner than what was armed."""
        if not self._armed or moment < self._armed:
            self._arm(moment)

    def replan(self, group: int) -> None:
        """A group, its tags, its pauses, its moves or its newcomers changed."""
        self._changed.add(group)
        self.due(self._clock.now())

    async def change(self, plan: Callable[[Store, int], Planning]) -> int:
        """Go by another planning, made on the writer's thread at the moment that is the answer.

        What was due by then is of the old one, and of the new one only what comes after.
        """
        async with self._ringing:
            while not await self._ring(now := self._clock.now()):
                await asyncio.sleep(1)

            def begin(store: Store) -> Planning:
                store.occurrences.plan_until(now)
                return plan(store, now)

            self._planning = await self._writer.run(begin)
            self._horizon = max(self._horizon, now)
            async with self._looking:
                self._plans = self._slot = None
                self._groups = await self._writer.run(self._read_all)
        self.due(self._clock.now())
        return now

    async def next_due(self) -> int:
        """The next moment at which something falls due; 0 for never."""
        notice = self._noticing.next if self._noticing is not None else 0
        moments = await self._next_slot(), self._timers.next_timer, notice
        return min((moment for moment in moments if moment), default=0)

    async def ring(self) -> None:
        """Feed all that is due by now, slots and timers, and return when it is committed."""
        async with self._ringing:
            now = self._clock.now()
            if not await self._ring(now):
                # Not committed, so it is still due; but not again in the same instant.
                self._failures += 1
                self._arm(self._clock.now() + min(SECOND << self._failures, LOOK))
                return
            self._failures = 0
            if now - self._tidied >= TIDY_EVERY:
                self._tidied = now
                await self._writer.run(lambda store: _tidy(store, now))
        await self.look()
        self._arm(await self.next_due())

    async def look(self) -> None:
        """See whether anything went wrong that is to be told."""
        if self._noticing is not None:
            await self._noticing.look(self._clock.now())

    async def _ring(self, now: int) -> bool:
        """Whether all that is due by now is committed."""
        due = await self._plan(now) if 0 < await self._next_slot() <= now else []
        self._note_lateness([one.due for one in due[:1]], now)
        fed = [self._timers.feed_slot(one) for one in due] + self._timers.feed_timers(now)
        if None in await asyncio.gather(*fed):
            return False
        if due:
            await self._writer.run(lambda store: store.occurrences.plan_until(now))
        self._horizon = max(self._horizon, now)
        if self._slot is not None and self._slot <= now:
            self._slot = None
        return True

    def _note_lateness(self, slots: list[int], now: int) -> None:
        """Keep how late this ring is. What fell due while nobody was there does not count as late."""
        timer = self._timers.next_timer
        if first := min([*slots, timer] if 0 < timer <= now else slots, default=0):
            self.late.add(max(0, now - max(first, self._began)) / SECOND)

    async def _next_slot(self) -> int:
        """When the next slot is due; 0 for never. Kept until it is over, or another group's is sooner.

        Where that group's was the next and is not any more, the alarm rings for nothing once.
        """
        async with self._looking:
            while self._changed:
                changed, self._changed = self._changed, set()
                try:
                    await self._read_again(changed)
                except BaseException:
                    self._changed |= changed
                    raise
            if self._slot is None:
                # A hundred calendars take a tenth of a second, in which others are answered.
                self._slot = await aside((await self._all()).next_due, self._horizon) or 0
            return self._slot

    async def _read_again(self, changed: set[int]) -> None:
        found = await self._writer.run(partial(self._read, changed))
        for group in changed:
            self._groups.pop(group, None)
        self._groups.update(found)
        self._plans = None
        if self._slot is not None:
            first = await aside(self._planning.next_due, found.values(), self._horizon)
            self._slot = min(filter(None, (self._slot, first)), default=0)

    async def _plan(self, now: int) -> list[Occurrence]:
        async with self._looking:
            return await aside((await self._all()).between, self._horizon, now)

    async def _all(self) -> Plans:
        """What the calendars hold for all groups; put together again when one has changed."""
        if self._plans is None:
            self._plans = await aside(self._planning.plans, tuple(self._groups.values()), self._horizon)
        return self._plans

    def _read_all(self, store: Store) -> dict[int, GroupPlan]:
        return {one.id: one for one in self._planning.groups(store, self._horizon)}

    def _read(self, groups: Iterable[int], store: Store) -> dict[int, GroupPlan]:
        """These groups as they are now, and not all that there are."""
        found = (self._planning.group(store, group, self._horizon) for group in groups)
        return {one.id: one for one in found if one is not None}

    def _arm(self, moment: int) -> None:
        """Ring then, or in a minute if that is sooner."""
        self._armed = moment
        if not self._running:
            return
        if self._next is not None:
            self._next.cancel()
        wait = max(0, moment - self._clock.now()) if moment else LOOK
        self._next = asyncio.get_running_loop().call_later(min(wait, LOOK) / SECOND, self._wake)

    def _wake(self) -> None:
        task = asyncio.get_running_loop().create_task(self._ring_on())
        self._rings.add(task)
        task.add_done_callback(self._rings.discard)

    async def _ring_on(self) -> None:
        """Ring, and whatever goes wrong, ring again."""
        try:
            await self.ring()
        except Away:
            self._running = False  # the process ends
        except Exception:
            log.exception("the alarm could not ring, and will again")
            self._arm(self._clock.now() + LOOK)


def _tidy(store: Store, now: int) -> None:
    """Forget marks that are older than anything a platform replays, and when people talked long ago.

    So too what an owner moved, once it is past.
    """
    store.marks.forget(now - KEEP_MARKS)
    store.moves.forget(now - KEEP_MARKS)
    store.written.forget(now - KEEP_TALK)
