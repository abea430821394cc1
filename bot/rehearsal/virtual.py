"""Virtual time: an event loop that never waits. When nothing is left to do, it is the next timer's moment."""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from collections.abc import Callable
from contextvars import Context
from selectors import SelectorKey, SelectSelector
from typing import Any, TypeVarTuple

from bot.model import SECOND

Given = TypeVarTuple("Given")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time is a whole number of microseconds, `now`, and goes on in jumps. Nothing may come from outside."""

    def __init__(self, now: int) -> None:
        self._began = self.now = now
        super().__init__(_Jumps(self._jump))
        # asyncio's own nanosecond is less than what lies between two floats after some months.
        self._clock_resolution = 0.5 / SECOND

    def time(self) -> float:
        return (self.now - self._began) / SECOND

    def call_at(
        self,
        when: float,
        callback: Callable[[*Given], object],
        *args: *Given,
        context: Context | None = None,
    ) -> TimerHandle:
        """As any loop does; at a whole microsecond, so that nothing rings a moment too soon."""
        return super().call_at(round(when * SECOND) / SECOND, callback, *args, context=context)

    def run_in_executor(
        self, _executor: object, work: Callable[[*Given], Any], *args: *Given
    ) -> asyncio.Future[Any]:
        """At once, for threads have no virtual time."""
        done = self.create_future()
        try:
            done.set_result(work(*args))
        except Exception as error:  # noqa: BLE001 - it is the caller's
            done.set_exception(error)
        return done

    def at(self, moment: int, callback: Callable[[*Given], object], *args: *Given) -> TimerHandle:
        """Call something at a moment; soon, when it is past."""
        return self.call_at((moment - self._began) / SECOND, callback, *args)

    def _jump(self, seconds: float) -> None:
        self.now += max(1, round(seconds * SECOND))


class _Jumps(SelectSelector):
    """Looks at no file: a wait is a jump in time."""

    def __init__(self, jump: Callable[[float], None]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing will ever happen any more")
        if timeout > 0:
            self._jump(timeout)
        return []


class VirtualClock:
    """The clock of whoever runs on such a loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> int:
        return self._loop.now

    async def sleep_until(self, moment: int) -> None:
        while (left := moment - self._loop.now) > 0:
            await asyncio.sleep(left / SECOND)
