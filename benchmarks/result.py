"""One number, as it is kept and printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


class Skipped(Exception):
    """What a benchmark needs is not there; the message says what."""


@dataclass(frozen=True, slots=True)
class Result:
    """`peers` is what others need for the same.

    `wanted` is the target, and `skipped` who could not be measured and why: only the table shows them.
    """

    name: str
    unit: str
    ours: float
    wanted: str = ""
    peers: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def kept(self) -> dict[str, Any]:
        return {"name": self.name, "unit": self.unit, "ours": self.ours, "peers": self.peers}


def middle(values: Sequence[float], digits: int = 2) -> float:
    """The median, rounded."""
    return round(median(values), digits)


def part(values: Sequence[float], percent: int) -> float:
    """So many of 100 are no larger."""
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def p99(values: Sequence[float]) -> float:
    """99 of 100 are no larger."""
    return part(values, 99)
