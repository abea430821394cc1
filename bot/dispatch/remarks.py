"""What a turn has for the operator's eyes: told after its commit, once.

A turn may be done several times before it is committed; what is logged in its midst would be told as often.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from traceback import walk_tb

import structlog

# In seconds: how long what is alike is gathered. A failure goes on until somebody mends it.
SELDOM, FAILURES = 60.0, 3600.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Remark:
    """One line of the log. Of those with the same `like`, the first is told at once, and the others together."""

    words: str
    facts: Mapping[str, object]
    error: BaseException | None = None
    like: Hashable = None


def failure(words: str, facts: Mapping[str, object], error: Exception, what: str) -> Remark:
    """Somebody's code raised. Failures are alike when it is the same error at the same place."""
    place = tuple((frame.f_code, line) for frame, line in walk_tb(error.__traceback__))
    return Remark(words, facts, error, (words, what, type(error), place))


class Remarks:
    """Tells them, on the event loop. Each kind of failure is told with its traceback, but a flood of it is not."""

    def __init__(self) -> None:
        # Of what was told a while ago: how often it came since, and the last of them.
        self._since: dict[Hashable, tuple[int, Remark]] = {}

    def tell(self, remarks: Sequence[Remark]) -> None:
        for one in remarks:
            if one.like in self._since:
                self._since[one.like] = (self._since[one.like][0] + 1, one)
                continue
            _write(one)
            if one.like is not None:
                self._wait(one)

    def _wait(self, told: Remark) -> None:
        self._since[told.like] = (0, told)
        wait = SELDOM if told.error is None else FAILURES
        asyncio.get_running_loop().call_later(wait, self._sum_up, told.like)

    def _sum_up(self, like: Hashable) -> None:
        times, last = self._since.pop(like)
        if times:
            _write(last, times=times)
            self._wait(last)


def _write(one: Remark, **more: object) -> None:
    if one.error is not None:
        log.error(one.words, **one.facts, **more, exc_info=one.error)
    else:
        log.warning(one.words, **one.facts, **more)
