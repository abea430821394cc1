"""The alarm: the next due slot or timer becomes an event.

It rings at the next due moment, and once a minute in case a clock was set; what is due is always read
anew. Occurrences are claimed in the database, so ringing twice does nothing twice. It waits on the event
loop's own ticks: APScheduler's scheduler waits for a time on the machine's clock, and when that is set
back an hour it rings for nothing in that hour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Protocol

import structlog

from bot.errors import Away
from bot.model import DAY, HOUR, MINUTE, SECOND, Occurrence
from bot.ports import Clock
from bot.schedule.planning import Planning
from bot.sop.planner import GroupPlan, next_due, plan
from bot.tally import Histogram

if TYPE_CHECKING:
    from storage.store import Store
    from storage.writer import Writer

# A slot that was due before a longer stop is not worth a row that says so.
LONGEST_STOP = 7 * DAY
LOOK = MINUTE
KEEP_MARKS = 30 * DAY
TIDY_EVERY = 6 * HOUR

log = structlog.get_logger()


class Timers(Protocol):
    """The dispatcher, as the alarm sees it."""

    def feed_slot(self, occurrence: Occurrence) -> asyncio.Future[bool | None]: ...

    def feed_timers(self, now: int) -> list[asyncio.Future[bool | None]]: ...

    @property
    def next_timer(self) -> int: ...


class Alarm:
    def __init__(self, clock: Clock, writer: Writer, timers: Timers, planning: Planning) -> None:
        self._clock = clock
        self._writer = writer
        self._timers = timers
        self._planning = planning
        self._groups: dict[int, GroupPlan] = {}
        self._changed: set[int] = set()
        self._horizon = 0
        self._slot: int | None = None
        self._armed = 0
        self._began = 0
        # For /metrics: how many seconds after the first moment that was due the alarm rang.
        self.late = Histogram(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300)
        self._ringing = asyncio.Lock()
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
        self._groups = {one.id: one for one in await self._writer.run(self._planning.groups)}
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
        """A group, its tags or its pauses changed."""
        self._changed.add(group)
        self.due(self._clock.now())

    async def next_due(self) -> int:
        """The next moment at which something falls due; 0 for never."""
        moments = await self._next_slot(), self._timers.next_timer
        return min((moment for moment in moments if moment), default=0)

    async def ring(self) -> None:
        """Feed all that is due by now, slots and timers, and return when it is committed."""
        async with self._ringing:
            now = self._clock.now()
            due = self._plan(now) if 0 < await self._next_slot() <= now else []
            self._note_lateness([one.due for one in due[:1]], now)
            fed = [self._timers.feed_slot(one) for one in due] + self._timers.feed_timers(now)
            if None in await asyncio.gather(*fed):
                # Not committed, so it is still due; but not again in the same instant.
                self._failures += 1
                self._arm(self._clock.now() + min(SECOND << self._failures, LOOK))
                return
            self._failures = 0
            if due:
                await self._writer.run(lambda store: store.occurrences.plan_until(now))
            self._horizon = max(self._horizon, now)
            if self._slot is not None and self._slot <= now:
                self._slot = None
            if now - self._tidied >= TIDY_EVERY:
                self._tidied = now
                # Marks that are older than anything a platform replays.
                await self._writer.run(lambda store: store.marks.forget(now - KEEP_MARKS))
        self._arm(await self.next_due())

    def _note_lateness(self, slots: list[int], now: int) -> None:
        """Keep how late this ring is. What fell due while nobody was there does not count as late."""
        timer = self._timers.next_timer
        if first := min([*slots, timer] if 0 < timer <= now else slots, default=0):
            self.late.add(max(0, now - max(first, self._began)) / SECOND)

    async def _next_slot(self) -> int:
        """When the next slot is due; 0 for never. Kept until it is over, or another group's is sooner.

        Where that group's was the next and is not any more, the alarm rings for nothing once.
        """
        while self._changed:
            changed, self._changed = self._changed, set()
            found = await self._writer.run(partial(self._read, changed))
            for group in changed:
                self._groups.pop(group, None)
            self._groups.update(found)
            if self._slot is not None:
                self._slot = min(filter(None, (self._slot, self._first(found))), default=0)
        if self._slot is None:
            self._slot = self._first(self._groups)
        return self._slot

    def _read(self, groups: Iterable[int], store: Store) -> dict[int, GroupPlan]:
        """These groups as they are now, and not all that there are."""
        found = (self._planning.group(store, group) for group in groups)
        return {one.id: one for one in found if one is not None}

    def _first(self, groups: Mapping[int, GroupPlan]) -> int:
        return next_due(self._planning.calendars, groups.values(), self._horizon, self._planning.since) or 0

    def _plan(self, now: int) -> list[Occurrence]:
        return plan(self._planning.calendars, self._groups.values(), self._horizon, now, self._planning.since)

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
