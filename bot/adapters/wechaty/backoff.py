"""How long to wait between attempts to reach a gateway."""

from __future__ import annotations

import random


class Backoff:
    """Twice as long after each attempt, from `shortest` up to `longest` seconds, with jitter.

    Many bots must not come back to a gateway in the same moment, so up to half of a wait is left out.
    """

    def __init__(self, shortest: float, longest: float) -> None:
        self._shortest = shortest
        self._longest = longest
        self._next = shortest

    def after(self, held: float) -> float:
        """How long to wait now. A connection that held longer than the longest wait begins it anew."""
        if held > self._longest:
            self._next = self._shortest
        wait = self._next
        self._next = min(2 * wait, self._longest)
        return wait * random.uniform(0.5, 1.0)
