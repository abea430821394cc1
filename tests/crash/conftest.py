"""What the crash tests share: how often, when, and what the groups live by."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random

import pytest

from tests.harness import SMALL, library

SLOTS = (
    *(f'id: post-{hour}, at: "{hour:02}:30", post: 播报{hour}点, late: 3h' for hour in range(0, 22, 3)),
    'id: call, at: "08:00", do: call, late: 1h',
    'id: gift, at: "12:00", do: gift, late: 1h',
    'id: quick-day, at: "14:00", do: quick, late: 1h',
    'id: quick-night, at: "20:00", do: quick, late: 1h',
)
# Every quiz has a hook, which goes out in the middle or at the end, once a day at most.
HOOKED = {
    "activities/quick.yaml": str(SMALL["activities/quick.yaml"]) + "hook: {post: 钩子, earliest: 30s}\n"
}


@pytest.fixture
def crashes(request: pytest.FixtureRequest) -> int:
    asked: int = request.config.getoption("--crashes")
    return asked


@pytest.fixture(autouse=True)
def _quick_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """httpcore looks for a sniffio that is not there on every request, for half of its time."""
    monkeypatch.setitem(sys.modules, "sniffio", None)


@pytest.fixture
def chance() -> Random:
    """Printed, so that a failure tells the seed; XIAOER_CRASH_SEED gives one."""
    seed = int(os.environ.get("XIAOER_CRASH_SEED", "0")) or int.from_bytes(os.urandom(4))
    print(f"XIAOER_CRASH_SEED={seed}")  # noqa: T201
    return Random(seed)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    root = library(tmp_path / "library", HOOKED, SLOTS)
    path = tmp_path / "config.yaml"
    # A folder of its own, also for who has its database on a server: others are at work beside it.
    path.write_text(f"data: {tmp_path / 'data'}\nlibrary: {root}\nred_packet: {{expires: 6h}}\n", "utf-8")
    return path
