"""The clocks: the machine's, and one that can be moved forward. Neither goes back."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import structlog

from bot.model import MINUTE, SECOND

# A sleeper looks at the clock so often, in case it was set; a step of so much is worth a line in the log.
LOOK = MINUTE
STEP = 10 * SECOND

log = structlog.get_logger()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SystemClock:
    """The machine's time. While the machine's clock is set back, ours goes on at half its pace until
    the machine's has caught up: it neither goes back nor stands still, for rounds must close.
    """

    def __init__(self) -> None:
        self._last = 0
        self._apart = 0  # the machine's time less its ticks, which nobody sets, at the last look
        self._in_step = (0, 0)  # its time and its ticks when ours last was the machine's

    def now(self) -> int:
        wall, ticks = time.time_ns() // 1000, time.monotonic_ns() // 1000
        apart = wall - ticks
        if not -STEP <= apart - self._apart <= STEP and self._last:
            log.warning("the machine's clock was set", seconds=round((apart - self._apart) / SECOND))
        self._apart = apart
        was, then = self._in_step
        if not was == self._last <= wall:
            self._last = max(self._last, was + (ticks - then) // 2)
        if wall >= self._last:
            self._last = wall
            self._in_step = (wall, ticks)
        return self._last

    async def sleep_until(self, moment: int) -> None:
        while (left := moment - self.now()) > 0:
            await asyncio.sleep(min(left, LOOK) / SECOND)


class MovableClock(SystemClock):
    """The machine's time and an offset that only grows; who sleeps is woken when it does."""

    def __init__(self, ahead: int = 0) -> None:
        super().__init__()
        self.ahead = ahead
        self._sleepers: dict[asyncio.Event, int] = {}

    def now(self) -> int:
        return super().now() + self.ahead

    def set(self, moment: int) -> None:
        """Move forward to a moment; one that is past changes nothing."""
        self.ahead += max(0, moment - self.now())
        # Who sleeps on has less left than it thought.
        for sleeper in self._sleepers:
            sleeper.set()

    def next_wake(self) -> int:
        """When the first of those who sleep wants to be woken; 0 when nobody sleeps."""
        return min(self._sleepers.values(), default=0)

    async def sleep_until(self, moment: int) -> None:
        while (left := moment - self.now()) > 0:
            sleeper = asyncio.Event()
            self._sleepers[sleeper] = moment
            try:
                # Not wait_for, which may take the end of the sleep for an answer to a cancellation.
                async with asyncio.timeout(min(left, LOOK) / SECOND):
                    await sleeper.wait()
            except TimeoutError:
                pass
            finally:
                del self._sleepers[sleeper]


def as_datetime(moment: int) -> datetime:
    """A moment in microseconds as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=moment)


def as_moment(when: datetime) -> int:
    """An aware datetime as microseconds."""
    return (when - _EPOCH) // timedelta(microseconds=1)
