"""The alarm: the next due slot or timer becomes an event.

APScheduler only wakes us, for the next due moment and once a minute in case a clock was set; what is
due is always read anew. Occurrences are claimed in the database, so ringing twice does nothing twice.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.model import DAY, SECOND, Occurrence
from bot.ports import Clock
from bot.schedule.planning import Planning
from bot.sop.planner import GroupPlan, next_due, plan
from bot.tally import Histogram

if TYPE_CHECKING:
    from storage.writer import Writer

# A slot that was due before a longer stop is not worth a row that says so.
LONGEST_STOP = 7 * DAY
RINGS = 100
KEEP_MARKS = 30 * DAY


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
        self._groups: list[GroupPlan] = []
        self._horizon = 0
        self._armed = 0
        self._began = 0
        # For /metrics: how many seconds after the first moment that was due the alarm rang.
        self.late = Histogram(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300)
        self._stale = True
        self._ringing = asyncio.Lock()
        self._scheduler = AsyncIOScheduler(timezone=UTC)

    async def start(self) -> None:
        """Ring for all that fell due while nobody was there, then wait for the next."""
        now = self._began = self._clock.now()
        horizon = await self._writer.run(lambda store: store.occurrences.planned_until(now))
        # A sandbox on this data may have moved its clock ahead of the real one.
        self._horizon = min(max(horizon, now - LONGEST_STOP), now)
        always = {"misfire_grace_time": None, "coalesce": True}
        self._scheduler.add_job(self.ring, "interval", minutes=1, **always)
        self._scheduler.add_job(self._tidy, "interval", hours=6, **always)
        self._scheduler.start()
        await self.ring()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)

    @property
    def armed(self) -> int:
        """When it rings next for something that is due; 0 for never."""
        return self._armed

    def due(self, moment: int) -> None:
        """A timer was set: ring then, if that is sooner than what was armed."""
        if not self._armed or moment < self._armed:
            self._arm(moment)

    def replan(self) -> None:
        """A group, its tags or its pauses changed."""
        self._stale = True
        self.due(self._clock.now())

    async def next_due(self) -> int:
        """The next moment at which something falls due; 0 for never."""
        await self._refresh()
        slot = next_due(self._planning.calendars, self._groups, self._horizon, self._planning.since) or 0
        return min((moment for moment in (slot, self._timers.next_timer) if moment), default=0)

    async def ring(self) -> None:
        """Feed all that is due by now, slots and timers, and return when it is committed."""
        async with self._ringing:
            now = self._clock.now()
            await self._refresh()
            due = plan(self._planning.calendars, self._groups, self._horizon, now, self._planning.since)
            self._note_lateness([one.due for one in due[:1]], now)
            fed = [self._timers.feed_slot(one) for one in due] + self._timers.feed_timers(now)
            if None in await asyncio.gather(*fed):
                # Not committed, so it is still due; but not again in the same instant.
                self._arm(self._clock.now() + SECOND)
                return
            if due:
                await self._writer.run(lambda store: store.occurrences.plan_until(now))
            self._horizon = max(self._horizon, now)
        self._arm(await self.next_due())

    async def _tidy(self) -> None:
        """Forget marks that are older than anything a platform replays."""
        before = self._clock.now() - KEEP_MARKS
        await self._writer.run(lambda store: store.marks.forget(before))

    def _note_lateness(self, slots: list[int], now: int) -> None:
        """Keep how late this ring is. What fell due while nobody was there does not count as late."""
        timer = self._timers.next_timer
        if first := min([*slots, timer] if 0 < timer <= now else slots, default=0):
            self.late.add(max(0, now - max(first, self._began)) / SECOND)

    async def _refresh(self) -> None:
        while self._stale:
            self._stale = False
            self._groups = await self._writer.run(self._planning.groups)

    def _arm(self, moment: int) -> None:
        self._armed = moment
        if not moment or not self._scheduler.running:
            return
        wait = max(0, moment - self._clock.now()) / SECOND
        self._scheduler.add_job(
            self.ring,
            "date",
            run_date=datetime.now(UTC) + timedelta(seconds=wait),
            id="next",
            replace_existing=True,
            misfire_grace_time=None,
            # One that comes while another rings waits for it; APScheduler would drop it.
            max_instances=RINGS,
        )
