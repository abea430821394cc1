"""Talk, sign-ins and red packets in so many groups, on files or on a server."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from random import Random

from pydantic import SecretStr

from benchmarks.full import copied
from benchmarks.grab import race
from benchmarks.growth.ground import Ground, more
from benchmarks.sign_in import call
from benchmarks.stage import Stage, folder, line, say, stage
from benchmarks.stream import CHATTER
from bot.adapters.sandbox.adapter import ACCOUNT
from bot.app import settle
from bot.config import Settings
from bot.model import Message, Person, Roster
from storage.audit import audit

TALK = 20_000
SIGN_INS = 5_000
PACKETS, RACE, SHARES = 1_000, 20, 5

People = dict[int, list[Person]]


def on_files(ground: Ground, groups: int) -> dict[str, float]:
    each = max(RACE, SIGN_INS // groups)
    with copied(ground.data) as data:
        found = asyncio.run(run(data, more(data, groups, each), each))
        report = audit(data)
        assert report.clean, report.faults
    return found


def on_server(ground: Ground, groups: int) -> dict[str, float]:
    with ground.on_server() as url, folder() as data:
        rate = asyncio.run(run_on_server(data, url, range(ground.others, ground.others + groups)))
        report = audit(url)
        assert report.clean, report.faults
    return {"sign_in_pg_per_s": rate}


async def run(data: Path, groups: range, each: int) -> dict[str, float]:
    people = names(groups, each)
    async with stage(data) as app:
        return {
            "chatter_us": chatter(app, people),
            "sign_in_per_s": await sign_in(app, people),
            "grab_per_s": await grab(app, people),
        }


async def run_on_server(data: Path, url: str, groups: range) -> float:
    async with stage(data, Settings(sandbox=False, database_url=SecretStr(url))) as app:
        people = names(groups, SIGN_INS // len(groups))
        await open_groups(app, people)
        return await sign_in(app, people)


async def open_groups(app: Stage, people: People) -> None:
    """All at once: after each of them, or after them all, the calendars are planned anew for every group."""
    fed = []
    for group, members in people.items():
        roster = Roster(ACCOUNT, f"g{group}", f"群{group}", members[0].id, tuple(members), app.clock.now())
        fed.append(app.dispatcher.feed(roster))
    await asyncio.gather(*(one for one in fed if one is not None))
    await asyncio.gather(*(say(app, group, members[0], "开张", "open") for group, members in people.items()))
    await settle(app)


def chatter(app: Stage, people: People) -> float:
    chance, where = Random(7), list(people)
    talk = []
    for number in range(TALK):
        group = chance.choice(where)
        text = CHATTER[number % len(CHATTER)]
        talk.append(line(app, group, chance.choice(people[group]), text[:1] + text[1:], str(number)))
    feed = app.dispatcher.feed
    began = time.perf_counter()
    queued = [message for message in talk if feed(message) is not None]
    took = time.perf_counter() - began
    assert not queued, queued[0].text
    return took / TALK * 1e6


async def sign_in(app: Stage, people: People) -> float:
    work = everybody(app, people, SIGN_INS // len(people), "签到", "sign")
    began = time.perf_counter()
    await call(app, work)
    await settle(app)
    return SIGN_INS / (time.perf_counter() - began)


async def grab(app: Stage, people: People) -> float:
    chance, taken = Random(3), 0.0
    for number in range(PACKETS // len(people)):
        # The same order again within 5 seconds would be refused.
        order = f"发红包 {RACE + number} {SHARES}"
        for group, members in people.items():
            await say(app, group, members[0], order, f"give-{number}")
        await settle(app)
        work = everybody(app, people, RACE, "抢", f"grab-{number}")
        chance.shuffle(work)
        decided, _ = await race(app, work, SHARES * len(people))
        taken += decided
    return PACKETS * SHARES / taken


def names(groups: range, each: int) -> People:
    return {group: [Person(f"{group}-{one}", f"群友{one}") for one in range(each)] for group in groups}


def everybody(app: Stage, people: People, each: int, text: str, key: str) -> list[Message]:
    """So many of each group say it, the groups in turn."""
    return [line(app, group, people[group][one], text, key) for one in range(each) for group in people]
