"""When a group is at its liveliest: the moment to show people what the activity was about.

People look at a chat while it moves. So a product's post is best seen at the peak of the talk, and
nobody knows a peak before it is over; what can be known is that the rate begins to fall.

The messages of the last `window` are compared with the most that any window had so far. People who
write each for themselves make counts that scatter by about the root of their number (a Poisson
count), so a fall counts once it is larger than that; after a handful of messages nothing counts. A
window must hold a whole round of a game, or else the quiet before each answer would pass for the end.
Falling may never begin, or nobody talk at all: `latest` keeps the post from waiting for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

HANDFUL = 6


def past_peak(counts: Sequence[int], window: int, earliest: int, latest: int) -> bool:
    """Whether the post should go now.

    `counts` is how many messages came in each step since the activity began, the last one complete;
    the others are numbers of steps: how many a window has, before how many nothing is decided, and
    after how many it goes in any case.
    """
    steps = len(counts)
    if steps >= latest:
        return True
    if steps < max(earliest, window + 1):
        return False
    here = sum(counts[:window])
    most = here
    for step in range(window, steps):
        here += counts[step] - counts[step - window]
        most = max(most, here)
    return most >= HANDFUL and most - here > sqrt(most)
