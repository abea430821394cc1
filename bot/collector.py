"""Python's collector of reference cycles, for a process that keeps much in memory and makes few cycles."""

from __future__ import annotations

import gc

# How many new objects it takes for a look at them, and how many looks for one at older ones, and at all.
# With Python's own 700, 10, 10 every few thousand messages had a pause of 50 to 100 ms.
THRESHOLDS = (10_000, 20, 50)


def rest() -> None:
    """Called once all is loaded: that stays, so it is not looked at any more; and what is new, seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
