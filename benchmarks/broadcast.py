"""200 groups get a post at 40 messages a minute while their members sign in, in virtual time.

The slot falls due in all of them at once. From then on somebody signs in somewhere every six seconds, and
in the second minute a hundred members of one group do. What the outbox makes of it is heard by the
adapter: when each was answered, in how many messages, and when each post went out. Once more without a
word: how long until the last group has its post, when the slot leaves it no more than five minutes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from random import Random

from benchmarks.filling import fill
from benchmarks.result import Result, middle, part
from benchmarks.slots import POST, TAG, evening
from benchmarks.stage import Nowhere, Stage, folder, stage
from bot.adapters.sandbox.adapter import ACCOUNT
from bot.clock import MovableClock
from bot.config import Pace, Settings
from bot.model import MINUTE, SECOND, Message, Outgoing, Person, Say
from bot.ports import Clock
from storage.audit import audit

GROUPS, MEMBERS = 200, 101
LATE = 10  # minutes, the slot's by default; longer where there are more groups
REPEATS = 3


def measure() -> Sequence[Result]:
    p95s, messages, late = zip(*(lap() for _ in range(REPEATS)), strict=True)
    return [
        Result("broadcast_reply_p95_s", "s", middle(p95s), "≤ 3"),
        Result("broadcast_messages_for_100", "", middle(messages, 0), "≤ 25"),
        Result("broadcast_posts_late", "", middle(late, 0), "0"),
        Result("broadcast_quiet_min", "min", alone(), "≤ 5"),
    ]


def lap() -> tuple[float, int, int]:
    with folder() as data:
        return on(data, GROUPS)


def on(data: Path, groups: int) -> tuple[float, int, int]:
    """A lap on a database in which there may be other groups, which get no post."""
    first = fill(data, groups, MEMBERS, days=0, now=time.time_ns() // 1000, tag=TAG)
    found = asyncio.run(run(data, range(first, first + groups)))
    report = audit(data)
    assert report.clean, report.faults
    return found


def alone() -> float:
    """Minutes until the last of the 200 groups has its post, and nobody says anything."""
    with folder() as data:
        fill(data, GROUPS, 2, days=0, now=time.time_ns() // 1000, tag=TAG)
        return asyncio.run(quiet(data))


class Ear(Nowhere):
    """Hears when what is said, on the bot's own clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.heard: list[tuple[int, Say]] = []

    async def send(self, outgoing: Outgoing) -> None:
        await super().send(outgoing)
        assert isinstance(outgoing, Say)
        self.heard.append((self._clock.now(), outgoing))


async def run(data: Path, groups: range) -> tuple[float, int, int]:
    """The p95 of a reply in seconds, the messages that answered the hundred, and the posts not in time."""
    late = max(LATE, LATE * len(groups) // GROUPS)
    async with stage(data, Settings(sandbox=True, pace=Pace()), evening(data, late)) as app:
        assert isinstance(app.clock, MovableClock)
        assert app.mover is not None
        app.far_side = app._adapters[ACCOUNT] = ear = Ear(app.clock)
        due = await app.alarm.next_due()
        await app.mover.move(due)
        asked: dict[tuple[str, str], int] = {}
        for moment, chat, person in sign_ins(due, groups):
            await app.mover.move(moment)
            asked[chat, person] = app.clock.now()
            say(app, chat, person)
        await app.mover.move(due + (late + 2) * MINUTE)
        answered = answers(ear.heard)
        end = app.clock.now()
    waits = [answered.get(one, end) - since for one, since in asked.items()]
    posts = [at for at, said in ear.heard if said.text == POST]
    in_hot = sum(said.chat == f"g{groups[0]}" and said.text != POST for _, said in ear.heard)
    in_time = sum(at <= due + late * MINUTE for at in posts)
    return part(waits, 95) / SECOND, in_hot, len(groups) - in_time


async def quiet(data: Path) -> float:
    async with stage(data, Settings(sandbox=True, pace=Pace()), evening(data, 5)) as app:
        assert isinstance(app.clock, MovableClock)
        assert app.mover is not None
        app.far_side = app._adapters[ACCOUNT] = ear = Ear(app.clock)
        due = await app.alarm.next_due()
        await app.mover.move(due + 10 * MINUTE)
    posts = [at for at, said in ear.heard if said.text == POST]
    assert len(posts) == GROUPS, len(posts)
    return round((max(posts) - due) / MINUTE, 2)


def sign_ins(start: int, groups: range) -> list[tuple[int, str, str]]:
    """Who signs in when: one every six seconds in ten minutes, and a hundred in the second minute."""
    hot, others = groups[0], groups[1:]
    some = Random(5).sample(others, min(100, len(others)))
    calm = [(start + n * 6 * SECOND, some[n % len(some)], n // len(some) + 1) for n in range(100)]
    crowd = [(start + MINUTE + n * MINUTE // 100, hot, n + 1) for n in range(100)]
    return [(at, f"g{group}", f"{group}-{member}") for at, group, member in sorted(calm + crowd)]


_ids = count()


def say(app: Stage, chat: str, person: str) -> None:
    name = f"群友{person.partition('-')[2]}"
    message = Message(ACCOUNT, chat, f"sign-{next(_ids)}", Person(person, name), "签到", app.clock.now())
    assert app.dispatcher.feed(message) is not None


def answers(heard: Sequence[tuple[int, Say]]) -> dict[tuple[str, str], int]:
    """When each was answered: by the first message that calls them."""
    found: dict[tuple[str, str], int] = {}
    for at, said in heard:
        for person in said.mentions:
            found.setdefault((said.chat, person.id), at)
    return found
