"""Handlers that hold everybody up: told of by name, and asked no more for a while when they do it again.

All handlers run on one thread, so one that takes seconds keeps every group waiting. The first time it is
named in the log; the second time within an hour it is parked. Who asks for it then is told so, a slot
fails with that reason, and a timer is put off until it may ring.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from bot.errors import Refused
from bot.model import HOUR, MINUTE

if TYPE_CHECKING:
    from bot.dispatch.turn import PrivateTurn, Turn

A = TypeVar("A")
R = TypeVar("R")
Handler = Callable[[Any, Any], Any]

LONG = 2.0  # seconds
AGAIN = HOUR
REST = 10 * MINUTE

log = structlog.get_logger()


class Parking:
    """On the writer's thread. `event` is what is being handled: done over, it counts once.

    Over `long` seconds is too long.
    """

    def __init__(self, long: float = LONG) -> None:
        self._long = long
        self.event: object = None
        self._slow: dict[Handler, tuple[object, int]] = {}
        self._until: dict[Handler, int] = {}
        self._raised: tuple[object, Handler, Exception] | None = None
        self._others = 0.0

    def until(self, handler: Handler, now: int) -> int:
        """Until when a handler is parked; 0 when it is not."""
        until = self._until.get(handler, 0)
        return until if until > now else 0

    def run(self, handler: Callable[[A, Any], R], asked: A, turn: Turn | PrivateTurn) -> R:
        """Have a handler do something, and mind how long it takes. Raises Refused when it is parked."""
        if self._until and self.until(handler, turn.now):
            raise Refused("gate.parked")
        return self.watch(handler, asked, turn, parks=True)

    def watch(
        self, handler: Callable[[A, Any], R], asked: A, turn: Turn | PrivateTurn, *, parks: bool = False
    ) -> R:
        """The same for what cannot be parked. What was slow and raised is not asked again for one event."""
        if self._raised is not None and self._raised[:2] == (self.event, handler):
            raise self._raised[2]
        before, self._others = self._others, 0.0
        began = time.perf_counter()
        raised: Exception | None = None
        try:
            return handler(asked, turn)
        except Exception as error:
            raised = error
            raise
        finally:
            took = time.perf_counter() - began
            # One that raised may have waited for a database that had gone.
            if took - self._others > self._long and (raised is None or not turn.store.refuses(raised)):
                self._held_up(handler, took - self._others, turn.now, parks=parks)
                self._raised = (self.event, handler, raised) if raised else None
            self._others = before + took

    def _held_up(self, handler: Handler, seconds: float, now: int, *, parks: bool) -> None:
        event, at = self._slow.get(handler, (None, 0))
        if event == self.event:
            return
        again = parks and event is not None and now - at < AGAIN
        self._slow[handler] = (self.event, now)
        name = f"{handler.__module__}.{handler.__qualname__}"
        if again:
            self._until[handler] = now + REST
            log.error(
                "a handler held everybody up again, and is parked",
                handler=name,
                seconds=round(seconds, 1),
                minutes=REST // MINUTE,
            )
        else:
            log.warning("a handler held everybody up", handler=name, seconds=round(seconds, 1))
