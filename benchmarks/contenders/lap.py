"""The laps that everybody runs: the stream in bursts, until the last reply is at the far side.

`python -m benchmarks.contenders.NAME` runs one and prints its microseconds a message.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import TypeVar

from benchmarks.stream import BURST, GROUPS, Said, replies, stream

T = TypeVar("T")
LAPS = 3
LONGEST = 60  # seconds


class FarSide:
    """The stub that sends. It counts, and knows when the last one came."""

    def __init__(self) -> None:
        self.count = 0
        self.wanted = 0
        self.last = 0.0
        self.all = asyncio.Event()

    def expect(self, many: int) -> None:
        self.wanted = self.count + many
        self.all.clear()

    def took(self, _text: object = None) -> None:
        self.count += 1
        if self.count == self.wanted:
            self.last = time.perf_counter()
            self.all.set()


async def laps(
    far: FarSide,
    make: Callable[[Said], T],
    feed: Callable[[Sequence[T]], Awaitable[None]],
    many: int,
    groups: int = GROUPS,
) -> float:
    """Microseconds a message, the median of the laps. Every command is answered exactly once."""
    await _lap(far, make, feed, stream(many // 20, groups))
    return median([await _lap(far, make, feed, stream(many, groups)) for _ in range(LAPS)])


async def _lap(
    far: FarSide, make: Callable[[Said], T], feed: Callable[[Sequence[T]], Awaitable[None]], said: list[Said]
) -> float:
    many = len(said)
    made = [make(one) for one in said]
    before, wanted = far.count, replies(said)
    far.expect(wanted)
    began = time.perf_counter()
    for start in range(0, many, BURST):
        await feed(made[start : start + BURST])
        await asyncio.sleep(0)
    await asyncio.wait_for(far.all.wait(), LONGEST)
    await asyncio.sleep(0.05)  # one reply too many would come now
    assert far.count - before == wanted, (far.count - before, wanted)
    return (far.last - began) / many * 1e6


def run(contender: Callable[[int], Awaitable[float]]) -> None:
    """Print what laps of so many messages took, as JSON on a line of its own."""

    async def main() -> float:
        return await contender(int(sys.argv[1]))

    print(json.dumps({"us": asyncio.run(main())}), flush=True)
