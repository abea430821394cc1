"""What goes wrong again and again is told at once, and then seldom; how often it did is not lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.dispatch.remarks import FAILURES, SELDOM, Remark, Remarks
from bot.dispatch.turn import Turn
from bot.model import Message, Reply
from tests.faults.trouble import Lines
from tests.harness import Inside

Later = Callable[[float], Any]


@pytest.fixture
async def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Have so many seconds go by on the event loop."""
    loop = asyncio.get_running_loop()
    now, ahead = loop.time, 0.0

    async def go(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds
        for _ in range(3):  # who waited for this moment has their turn
            await asyncio.sleep(0)

    monkeypatch.setattr(loop, "time", lambda: now() + ahead)
    return go


def failures(lines: Lines) -> list[tuple[object, object]]:
    """Who failed, and how often where that is told."""
    return [(one["member"], one.get("times")) for one in lines if one["event"] == "a handler failed"]


@pytest.mark.usefixtures("database", "tidy")
async def test_a_handler_that_raises_for_every_message_is_told_once_an_hour(
    tmp_path: Path, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its traceback, and with how often it raised meanwhile; when it is mended, nothing comes."""

    def broken(message: Message, turn: Turn) -> Reply:
        raise RuntimeError(message.id)

    async with Inside(tmp_path) as inside:
        await inside.say("owner", "开张")
        command = inside.frame.routes.commands["抢"]
        monkeypatch.setitem(inside.frame.routes.commands, "抢", type(command)("broken", broken))
        with capture_logs() as lines:
            for _ in range(3):
                await inside.say("a", "抢")
                await later(10 * 60)
            await inside.say("b", "抢")
            assert failures(lines) == [(2, None)]
            await later(FAILURES)
            assert failures(lines) == [(2, None), (3, 3)]
            assert str(lines[-1]["exc_info"]) == "n5"
            await inside.say("a", "抢")
            await later(FAILURES)
            await later(FAILURES)
            assert failures(lines)[2:] == [(2, 1)]
            await inside.say("c", "抢")
            assert failures(lines)[3:] == [(4, None)]


@pytest.mark.usefixtures("database", "tidy")
async def test_another_failure_of_the_same_handler_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would look for it while the first is known."""

    def broken(message: Message, turn: Turn) -> Reply:
        if message.sender.id == "a":
            raise LookupError("one")
        raise LookupError("another")

    async with Inside(tmp_path) as inside:
        await inside.say("owner", "开张")
        command = inside.frame.routes.commands["抢"]
        monkeypatch.setitem(inside.frame.routes.commands, "抢", type(command)("broken", broken))
        with capture_logs() as lines:
            for who in "aabbaabb":
                await inside.say(who, "抢")
        assert failures(lines) == [(2, None), (3, None)]


async def test_what_is_no_failure_is_told_once_a_minute(later: Later) -> None:
    remarks = Remarks()
    with capture_logs() as lines:
        for ms in (30, 40, 50):
            remarks.tell([Remark("slow turn", {"ms": ms}, like="slow"), Remark("a slot was missed", {})])
        await later(SELDOM)
        await later(SELDOM)
        remarks.tell([Remark("slow turn", {"ms": 60}, like="slow")])
    slow = [(one["ms"], one.get("times")) for one in lines if one["event"] == "slow turn"]
    assert slow == [(30, None), (50, 2), (60, None)]
    assert len(lines) == 3 + len(slow)
