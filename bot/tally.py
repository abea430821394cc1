"""Plain numbers that busy code adds to and somebody may look at: no locks, no labels, no library."""

from __future__ import annotations

from bisect import bisect_left


class Histogram:
    """How many values fell into each bucket. `bounds` are the buckets' upper ends, in order.

    One thread adds; who reads meanwhile may miss the value that is being added, and no more.
    """

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, *bounds: float) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value
