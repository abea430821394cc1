"""The end of a process between two steps, at moments that a seed decides."""

from __future__ import annotations

from random import Random


class Crash(SystemExit):
    """The process is gone. As any SystemExit it goes through tasks and callbacks, right out of the loop."""


class Fate:
    """Counts the steps of a process and of those after it. Without a `chance` it goes well for ever.

    `apart` is how many steps lie between two crashes on average.
    """

    def __init__(self, chance: Random | None = None, apart: int = 1) -> None:
        self._chance = chance
        self._apart = apart
        self.crashes = 0
        self.dead = False
        self._left = self._next()

    def step(self) -> None:
        """Something has just been done, and something else is about to be. Raises Crash."""
        if self.dead or self._left == 0:
            return
        self._left -= 1
        if self._left == 0:
            self.crashes += 1
            self.dead = True
            raise Crash

    def again(self) -> None:
        """Another process begins."""
        self.dead = False
        self._left = self._next()

    def _next(self) -> int:
        """After how many steps; 0 for never."""
        return self._chance.randint(1, 2 * self._apart) if self._chance else 0
