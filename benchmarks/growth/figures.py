"""What is measured in so many groups, on the empty or on the full database, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import broadcast, slots, wechaty
from benchmarks.full import copied
from benchmarks.growth import at_work
from benchmarks.growth.ground import Ground, more
from benchmarks.idle import at_rest_mb
from benchmarks.process import running
from benchmarks.race import Contender, race
from benchmarks.stream import MESSAGES


@dataclass(frozen=True, slots=True)
class Lap:
    """One way to measure some figures, in so many rounds."""

    figures: tuple[str, ...]
    rounds: int
    run: Callable[[Ground, int], dict[str, float]]


def dispatch(ground: Ground, groups: int) -> dict[str, float]:
    return {"dispatch_us": ours("dispatch", "--groups", str(groups), "--others", str(ground.others))}


def message(ground: Ground, groups: int) -> dict[str, float]:
    with copied(ground.data) as data:
        return {"message_us": ours("message", "--groups", str(groups), "--data", str(data))}


def ours(*options: str) -> float:
    """What the contender that is ours prints, in a process of its own."""
    done = race([Contender("ours", "ours", (str(MESSAGES), *options))], 1)
    return done.printed["ours"][0]["us"]


def slot(ground: Ground, groups: int) -> dict[str, float]:
    with copied(ground.data) as data:
        more(data, groups, 1, slots.TAG)
        took = asyncio.run(slots.run(data))
        slots.check(data, groups)
    return {"slot_ms": took * 1000}


def posts(ground: Ground, groups: int) -> dict[str, float]:
    with copied(ground.data) as data:
        p95, messages, late = broadcast.on(data, groups)
    assert messages <= 25, messages
    assert not late, late
    return {"broadcast_reply_p95_s": p95}


def gateway(ground: Ground, groups: int) -> dict[str, float]:
    env = wechaty.node()
    with copied(ground.data) as data:
        rate, _ = asyncio.run(wechaty.run(env, groups, data))
    return {"wechaty_per_s": rate}


def start(ground: Ground, groups: int) -> dict[str, float]:
    with copied(ground.data) as data:
        more(data, groups)
        with running(data) as (process, _, took):
            return {"start_s": took, "idle_mb": at_rest_mb(process.pid)}


LAPS = (
    Lap(("dispatch_us",), 3, dispatch),
    Lap(("message_us",), 3, message),
    Lap(("chatter_us", "sign_in_per_s", "grab_per_s"), 3, at_work.on_files),
    Lap(("sign_in_pg_per_s",), 1, at_work.on_server),
    Lap(("slot_ms",), 3, slot),
    Lap(("broadcast_reply_p95_s",), 1, posts),
    Lap(("wechaty_per_s",), 1, gateway),
    Lap(("start_s", "idle_mb"), 1, start),
)
