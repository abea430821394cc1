"""A burst of 4,000 messages in 10 groups, through a real Wechaty gateway to their replies.

小二 as `xiaoer run` starts it, and the stock `Wechaty` class with one `on_message`; each in a process of
its own, behind the gateway of tests/wechaty. A hundred members of each group ask four times, one after
the other; within a group 小二 must answer in that order. Both have met everybody before. Where there are
more groups, each has fewer members.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.process import running
from benchmarks.result import Result, Skipped, middle
from benchmarks.stage import ROOT, folder
from tests.wechaty.gateway import HERE, TOKEN, Gateway, GatewayHost, Line

GROUPS, PLACES = 10, 1_000  # of members in all groups together
# Whose answers each go as a message of their own, at both.
ASKED = ("积分榜", "排行榜", "積分榜", "排行榜。")
MESSAGES = PLACES * len(ASKED)
REPEATS = 3
LONGEST = 120
CONFIG = """accounts:
  - {{name: shop, endpoint: "{endpoint}", token_env: BENCH_TOKEN}}
pace: {{chat_gap: 0s, per_minute: 100000}}
"""


def measure() -> Sequence[Result]:
    env = node()
    ours: list[float] = []
    stock: list[float] = []
    strayed: list[int] = []
    for _ in range(REPEATS):
        with folder() as data:
            rate, _ = asyncio.run(run(env, GROUPS, data))
        ours.append(rate)
        rate, astray = asyncio.run(run(env, GROUPS))
        stock.append(rate)
        strayed.append(astray)
    theirs = middle(stock, 0)
    return [
        Result("wechaty_per_s", "1/s", middle(ours, 0), f"≥ {2 * theirs:g}", {"Wechaty": theirs}),
        Result("wechaty_out_of_order", "", 0, "0", {"Wechaty": middle(strayed, 0)}),
    ]


def node() -> Mapping[str, str]:
    """The environment for the gateway, its packages installed. Raises Skipped."""
    import pytest

    from tests.wechaty import conftest

    try:
        env = conftest._node_on_path()
        if not (HERE / "node_modules").is_dir():
            conftest._install(env)
    except pytest.skip.Exception as error:
        raise Skipped(str(error)) from None
    return env


async def run(env: Mapping[str, str], groups: int, data: Path | None = None) -> tuple[float, int]:
    """Replies a second, and how many came after the reply to a later message of their group.

    小二 works on a data folder; without one it is the stock class.
    """
    host = GatewayHost(env)
    try:
        async with host.gateway() as gateway:
            await people(gateway, groups)
            with xiaoer(gateway.endpoint, data) if data else wechaty(gateway.endpoint):
                await gateway.wait("start", within=20)
                await gateway.do("login", id="bot")
                await at_work(gateway, groups)
                before = len(gateway.sent)
                began = time.perf_counter()
                await gateway.do("crowd", messages=crowd(groups, ASKED))
                taken = await last_reply(gateway, before + MESSAGES) - began
                sent = gateway.sent[before:]
    finally:
        host.close()
    if data:
        for group in range(groups):
            asked = [f"p{member}" for _ in ASKED for member in range(PLACES // groups)]
            answered = [one for line in sent if line["to"] == room(group) for one in line["mentions"]]
            assert answered == asked, f"out of order in group {group}"
        return MESSAGES / taken, 0
    return MESSAGES / taken, astray(sent, groups)


async def people(gateway: Gateway, groups: int) -> None:
    await gateway.do("contact", id="bot", name="小二")
    members = ["bot"]
    for member in range(PLACES // groups):
        await gateway.do("contact", id=f"p{member}", name=f"群友{member}")
        members.append(f"p{member}")
    for group in range(groups):
        await gateway.do("room", id=room(group), topic=f"群{group}", owner="p0", members=members)


async def at_work(gateway: Gateway, groups: int) -> None:
    """Everybody says something once, and then each group's owner until they are answered."""
    await gateway.do("crowd", messages=crowd(groups, ("早上好",)))
    deadline = time.monotonic() + LONGEST
    while missing := {room(group) for group in range(groups)} - {line["to"] for line in gateway.sent}:
        assert time.monotonic() < deadline, missing
        for one in missing:
            await gateway.do("say", **{"from": "p0"}, to=one, text="开张")
            await gateway.do("say", **{"from": "p0"}, to=one, text="积分")
        await quiet(gateway)


async def quiet(gateway: Gateway) -> None:
    """Wait until nothing was sent for two seconds: a burst is fetched before it is answered."""
    still = -1
    while still != (still := len(gateway.reports)):
        await asyncio.sleep(2)


def crowd(groups: int, texts: Sequence[str]) -> list[Line]:
    """Every member of every group says each of these, the groups in turn."""
    return [
        {"from": f"p{member}", "to": room(group), "text": text}
        for text in texts
        for member in range(PLACES // groups)
        for group in range(groups)
    ]


async def last_reply(gateway: Gateway, wanted: int) -> float:
    """The moment at which so many have been sent."""
    deadline = time.monotonic() + LONGEST
    while len(gateway.sent) < wanted:
        assert time.monotonic() < deadline, (len(gateway.sent), wanted)
        await asyncio.sleep(0.01)
    return time.perf_counter()


def astray(sent: Sequence[Line], groups: int) -> int:
    """How many replies came after the reply to a later message of their group."""
    order = [(text, f"p{member}") for text in ASKED for member in range(PLACES // groups)]
    places = {one: place for place, one in enumerate(order)}
    latest: dict[str, int] = {}
    late = 0
    for line in sent:
        text = line["body"].rpartition("：")[0].rpartition(" ")[2]
        place = places[text, line["mentions"][0]]
        late += place < latest.get(line["to"], -1)
        latest[line["to"]] = max(place, latest.get(line["to"], -1))
    return late


def room(group: int) -> str:
    return f"r{group}@chatroom"


@contextmanager
def xiaoer(endpoint: str, data: Path) -> Iterator[None]:
    os.environ["BENCH_TOKEN"] = TOKEN
    config = data / "config.yaml"
    config.write_text(CONFIG.format(endpoint=endpoint), "utf-8")
    with running(data, "--config", str(config)):
        yield


@contextmanager
def wechaty(endpoint: str) -> Iterator[None]:
    command = [sys.executable, "-m", "benchmarks.contenders.stock_gateway", endpoint, TOKEN]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.kill()
