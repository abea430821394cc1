"""The memory of `xiaoer run` when nobody says anything, with 200 groups of 7 in its database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from benchmarks.process import running
from benchmarks.result import Result, middle
from benchmarks.stage import folder

GROUPS, MEMBERS = 200, 7
REPEATS = 3
STILL = 3  # seconds


def measure() -> Sequence[Result]:
    with folder() as data:
        with running(data) as (_, address, _):
            asyncio.run(fill(address))
        taken = []
        for _ in range(REPEATS):
            with running(data) as (process, address, _):
                assert len(httpx.get(f"{address}/api/sandbox/groups").json()) == GROUPS
                taken.append(at_rest_mb(process.pid))
    return [Result("idle_mb", "MB", middle(taken, 1), "≤ 200")]


async def fill(address: str) -> None:
    """Groups with tags; one is there already."""
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        for number in range(1, GROUPS):
            names = [f"群友{one}" for one in range(1, MEMBERS)]
            new = {"title": f"群{number}", "owner": "群主", "members": names, "tags": ["理财"]}
            (await client.post("/api/sandbox/groups", json=new)).raise_for_status()


def at_rest_mb(process: int) -> float:
    """What a process holds when it has come to rest."""
    time.sleep(STILL)
    return resident_mb(process)


def resident_mb(process: int) -> float:
    """As Linux tells it; 10^6 bytes to a megabyte."""
    for told in Path(f"/proc/{process}/status").read_text().splitlines():
        if told.startswith("VmRSS:"):
            return int(told.split()[1]) * 1024 / 1e6
    raise LookupError(process)
