"""What happens when there is more of everything: 10, 100 and 1,000 groups, in an empty and in a full database.

The same work each time, spread over the groups: 20,000 messages of talk, 5,000 sign-ins, and 1,000 red
packets for each of which 20 members race for 5 shares. The full database has 10,000 other groups and a
million ledger entries. `python -m benchmarks growth` measures, keeps the numbers in growth.json and draws
docs/images/growth.png.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from benchmarks.filling import fill
from benchmarks.full import DAYS, EACH, GROUPS, copied
from benchmarks.grab import race
from benchmarks.result import middle
from benchmarks.sign_in import call
from benchmarks.stage import ROOT, Stage, folder, line, say, stage
from benchmarks.stream import CHATTER
from bot.app import settle
from bot.model import Message, Person
from storage.audit import audit

PLACES = (10, 100, 1_000)
TALK = 20_000
SIGN_INS = 5_000
PACKETS, RACE, SHARES = 1_000, 20, 5
REPEATS = 3
# On the picture, which must not need a Chinese font.
FIGURES = {
    "chatter_us": "chatter, µs a message",
    "sign_in_per_s": "sign-ins a second",
    "grab_per_s": "winners a second",
}
KEPT = Path(__file__).with_name("growth.json")
PICTURE = ROOT / "docs" / "images" / "growth.png"

Point = dict[str, float]


def measure() -> None:
    """All points, in turn; the median of each."""
    found: dict[str, dict[str, list[Point]]] = {
        kind: {str(groups): [] for groups in PLACES} for kind in ("empty", "full")
    }
    with folder() as nothing, folder() as grown:
        fill(grown, GROUPS, EACH, days=DAYS, now=time.time_ns() // 1000)
        for _ in range(REPEATS):
            for kind, before in (("empty", nothing), ("full", grown)):
                for groups in PLACES:
                    print(f"{groups} groups, {kind} database …", flush=True)
                    with copied(before) as data:
                        found[kind][str(groups)].append(lap(data, groups))
    kept = {
        kind: {groups: middles(points) for groups, points in places.items()} for kind, places in found.items()
    }
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    draw(kept)
    for kind, places in kept.items():
        for where, figures in places.items():
            print(kind, where, figures)


def middles(points: Sequence[Point]) -> Point:
    return {name: middle([one[name] for one in points]) for name in FIGURES}


def lap(data: Path, groups: int) -> Point:
    each = max(RACE, SIGN_INS // groups)
    first = fill(data, groups, each, days=0, now=time.time_ns() // 1000)
    point = asyncio.run(run(data, range(first, first + groups), each))
    report = audit(data)
    assert report.clean, report.faults
    return point


async def run(data: Path, groups: range, each: int) -> Point:
    people = {group: [Person(f"{group}-{one}", f"群友{one}") for one in range(each)] for group in groups}
    async with stage(data) as app:
        return {
            "chatter_us": chatter(app, people),
            "sign_in_per_s": await sign_in(app, people),
            "grab_per_s": await grab(app, people),
        }


People = dict[int, list[Person]]


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


def everybody(app: Stage, people: People, each: int, text: str, key: str) -> list[Message]:
    """So many of each group say it, the groups in turn."""
    return [line(app, group, people[group][one], text, key) for one in range(each) for group in people]


def draw(kept: dict[str, dict[str, Point]]) -> None:
    """One small picture for each figure, the two databases in each."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(FIGURES), figsize=(10, 3.2), layout="constrained")
    for panel, (name, title) in zip(panels, FIGURES.items(), strict=True):
        for kind, colour in (("empty", "#2f6f9f"), ("full", "#c2571a")):
            values = [kept[kind][str(groups)][name] for groups in PLACES]
            panel.plot(range(len(PLACES)), values, "o-", color=colour, label=f"{kind} database")
        panel.set_title(title, fontsize=10, loc="left")
        panel.set_xticks(range(len(PLACES)), [f"{groups:,}" for groups in PLACES])
        panel.set_xlabel("groups")
        panel.set_ylim(bottom=0)
        panel.grid(axis="y", alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False, fontsize=9)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=130)
    plt.close(figure)
