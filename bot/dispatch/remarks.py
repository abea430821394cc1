"""What a turn has for the operator's eyes: told after its commit, once.

A turn may be done several times before it is committed; what is logged in its midst would be told as often.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import structlog

SELDOM = 60.0  # seconds

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Remark:
    """One line of the log. Of those with the same `like`, one a minute is told, with how many were not."""

    words: str
    facts: Mapping[str, object]
    error: BaseException | None = None
    like: Hashable = None


class Remarks:
    """Tells them. Each kind of failure is told with its traceback, but a flood of it is not."""

    def __init__(self) -> None:
        self._told: dict[Hashable, tuple[float, int]] = {}

    def tell(self, remarks: Sequence[Remark]) -> None:
        for one in remarks:
            kept = 0
            if one.like is not None:
                at, kept = self._told.get(one.like, (-SELDOM, 0))
                if time.monotonic() - at < SELDOM:
                    self._told[one.like] = (at, kept + 1)
                    continue
                self._told[one.like] = (time.monotonic(), 0)
            more = {"not_told": kept} if kept else {}
            if one.error is not None:
                log.error(one.words, **one.facts, **more, exc_info=one.error)
            else:
                log.warning(one.words, **one.facts, **more)
