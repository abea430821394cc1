"""Moving a clock: every due moment on the way is stepped on, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.clock import MovableClock
from bot.model import SECOND


class Rings(Protocol):
    async def next_due(self) -> int: ...

    async def ring(self) -> None: ...

    async def look(self) -> None: ...


class Mover:
    """`busy` says whether queue or outbox hold anything that will go on without the clock.

    `save` keeps how far the clock is ahead, so that it does not go back after a crash.
    """

    def __init__(
        self,
        clock: MovableClock,
        alarm: Rings,
        busy: Callable[[], bool],
        save: Callable[[int], Awaitable[None]],
    ) -> None:
        self._clock = clock
        self._alarm = alarm
        self._busy = busy
        self._save = save
        self._moving = asyncio.Lock()

    async def move(self, target: int) -> None:
        """Go forward to a moment, and return when all that fell due by then is handled and sent.

        Raises ValueError for a moment that is past; the second that is running is not.
        """
        if target < self._clock.now() - SECOND:
            raise ValueError(target)
        async with self._moving:
            await self._seen()
            while (moment := await self._next()) and moment <= target:
                await self._step(moment)
            await self._step(target)

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._busy():
            await asyncio.sleep(0.002)

    async def _next(self) -> int:
        moments = (await self._alarm.next_due(), self._clock.next_wake())
        return min((moment for moment in moments if moment), default=0)

    async def _step(self, moment: int) -> None:
        await self._save(self._clock.ahead + max(0, moment - self._clock.now()))
        self._clock.set(moment)
        await self._alarm.ring()
        await self._seen()

    async def _seen(self) -> None:
        """Wait until nothing is under way, and what became of it is known to those who tell of it."""
        await self.settled()
        await self._alarm.look()
        await self.settled()
