"""The clocks: the machine's, and one that can be moved forward. Neither goes back."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from bot.model import SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SystemClock:
    """The machine's time, held still while the machine's clock is set back."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        self._last = max(self._last, time.time_ns() // 1000)
        return self._last

    async def sleep_until(self, moment: int) -> None:
        while (left := moment - self.now()) > 0:
            await asyncio.sleep(left / SECOND)


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
                await asyncio.wait_for(sleeper.wait(), left / SECOND)
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
