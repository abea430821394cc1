"""Which questions of a bank come next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random


def unasked_longest(pool: Iterable[str], asked: Mapping[str, int], count: int, chance: Random) -> list[str]:
    """Return so many questions: first those never asked, then those that were asked the longest ago.

    `asked` says when. Among equals chance decides. So none comes again before all others have come, which no
    rule about the time between could do better.
    """
    keys = sorted(pool)
    return sorted(chance.sample(keys, len(keys)), key=lambda key: asked.get(key, 0))[:count]
