"""What is known in memory of marks, sign-ins, accounts and packets is what the database says, whatever is undone."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot import collector
from bot.dispatch import parking
from bot.model import Event
from storage import ledger, marks, red_packets, sign_ins
from storage.audit import audit
from tests.faults.trouble import busy, told
from tests.harness import Inside, said

PEOPLE = [f"群友{n}" for n in range(1, 9)]
SHARES = 5


@pytest.fixture(autouse=True)
def _on_both(database: str, tidy: None) -> None:
    """See tests/conftest.py."""


@pytest.fixture
async def inside(tmp_path: Path) -> AsyncIterator[Inside]:
    async with Inside(tmp_path, people=["owner", *PEOPLE]) as inside:
        await inside.say("owner", "开张")
        yield inside
        await inside.agree()
        assert audit(inside.place).clean


async def together(inside: Inside, *events: Event, bad: bool = False) -> list[str]:
    """Have events handled in one batch, with one unit in their midst that takes it down; what is said."""
    before = len(inside.downstream.rows)
    go = await busy(inside.writer)
    half = len(events) // 2
    fed = [inside.dispatcher.feed(event) for event in events[:half]]
    if bad:
        inside.writer.submit(lambda _: 1 // 0, lambda *_: None)
    fed += [inside.dispatcher.feed(event) for event in events[half:]]
    go()
    await asyncio.gather(*(one for one in fed if one is not None))
    return [said(row) for row in inside.downstream.rows[before:]]


def balances(inside: Inside) -> list[int]:
    return sorted(
        balance for (balance,) in inside.read("SELECT balance FROM accounts WHERE kind = 'purse'") if balance
    )


@pytest.mark.parametrize("bad", [False, True])
async def test_what_is_done_over_is_done_once(inside: Inside, bad: bool) -> None:
    """Everybody signs in and grabs in one batch, that is done as one or done over."""
    await inside.say("owner", "签到")
    await inside.say("owner", f"发红包 {SHARES} {SHARES}")
    events = [inside.message(who, text) for who in PEOPLE for text in ("签到", "抢")]
    texts = await together(inside, *events, bad=bad)
    places = sorted(place for (place,) in inside.read("SELECT place FROM sign_ins"))
    assert places == list(range(1, len(PEOPLE) + 2))
    assert sum("签到成功" in text for text in texts) == len(PEOPLE)
    assert inside.read("SELECT COUNT(DISTINCT member_id) FROM shares WHERE member_id IS NOT NULL") == [
        (SHARES,)
    ]
    assert balances(inside) == [5] * (1 + len(PEOPLE) - SHARES) + [6] * SHARES


@pytest.mark.parametrize("wary", [0, marks.WARY])
async def test_messages_that_come_again_with_new_ones_are_handled_once(
    inside: Inside, monkeypatch: pytest.MonkeyPatch, wary: int
) -> None:
    """Whether they are looked at first, or their marks clash at the commit; and nobody hears of it."""
    monkeypatch.setattr(marks, "WARY", wary)
    monkeypatch.setattr(marks, "MANY", 0)
    inside.writer._store.marks._wary = wary
    old, new = ([inside.message(who, "签到") for who in half] for half in (PEOPLE[:4], PEOPLE[4:]))
    assert len(await together(inside, *old)) == len(old)
    with capture_logs() as lines:
        mixed = [message for pair in zip(old, new, strict=True) for message in pair]
        texts = await together(inside, *mixed, new[0])
        assert await together(inside, *old, *new) == []
    assert told(lines) == []
    assert len(texts) == len(new)
    assert all("签到成功" in text for text in texts)
    assert inside.read("SELECT COUNT(*) FROM sign_ins") == [(len(PEOPLE),)]


@pytest.mark.parametrize("slow", [False, True])
async def test_who_stands_beside_a_message_that_comes_again_is_answered(
    inside: Inside, monkeypatch: pytest.MonkeyPatch, slow: bool
) -> None:
    """The mark that clashes is not theirs: in the group, in private, and where a handler counts as slow."""
    monkeypatch.setattr(marks, "MANY", 0)
    if slow:
        monkeypatch.setattr(parking, "LONG", -1.0)
    old = inside.message(PEOPLE[0], "帮助")
    await together(inside, old)
    stranger = inside.message("stranger", "你好")._replace(chat="stranger", private=True)
    board = inside.message(PEOPLE[1], "积分榜")
    for beside, answer in ((board, "回复「签到」就有了"), (stranger, "群")):
        inside.writer._store.marks._wary = 0
        undone = inside.writer._db.undone
        (text,) = await together(inside, old, beside)
        assert answer in text
        assert "岔子" not in text
        assert inside.writer._db.undone > undone or isinstance(inside.place, str)


async def test_memory_that_is_full_is_emptied_and_nothing_is_forgotten(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for nothing, in one batch and one by one."""
    for room in (ledger, red_packets, sign_ins, marks):
        monkeypatch.setattr(room, "MANY", 0)
    await inside.say("owner", "签到")
    await inside.say("owner", f"发红包 {SHARES} {SHARES}")
    events = [inside.message(who, text) for who in PEOPLE for text in ("签到", "抢", "签到")]
    texts = await together(inside, *events)
    assert sum("签到成功" in text for text in texts) == len(PEOPLE)
    assert sum("今天已签到" in text for text in texts) == len(PEOPLE)
    assert await inside.say(PEOPLE[0], "签到") == ["今天已签到，第 2 个，连续 1 天。"]
    assert inside.read("SELECT COUNT(*) FROM shares WHERE member_id IS NOT NULL") == [(SHARES,)]
    assert balances(inside) == [5] * (1 + len(PEOPLE) - SHARES) + [6] * SHARES


def test_the_collector_rests_once_all_is_loaded() -> None:
    """What is there is not looked at any more, and what is new seldom."""
    before, thresholds = gc.get_freeze_count(), gc.get_threshold()
    try:
        collector.rest()
        assert gc.get_freeze_count() > before
        assert gc.get_threshold() == collector.THRESHOLDS
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
