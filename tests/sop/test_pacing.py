"""Whether slots can go out in time, as `xiaoer check` tells it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.app import kinds, routes
from bot.model import DAY, MINUTE, Group
from bot.outbox.pace import each_post
from bot.sop.library import Library, load
from bot.sop.pacing import reach, too_slow
from tests.fakes import picture
from tests.harness import library

EACH = each_post(40)
TODAY = date(2026, 11, 25)


def made(root: Path, *slots: str) -> Library:
    return load(library(root, slots=slots), kinds(routes()))


def told(found: Library, groups: int, each: int = EACH) -> list[str]:
    return [
        str(fault).partition("calendars/")[2] for fault in too_slow(found, [{"week": groups}], each, TODAY)
    ]


def test_a_slot_that_cannot_reach_its_last_group_is_told(tmp_path: Path) -> None:
    """At its `late`, or at the slot where none is written; 40 a minute are 200 groups in 5 minutes."""
    found = made(tmp_path, 'id: a, at: "08:00", post: 早, late: 5m', 'id: b, at: "12:00", post: 午')
    assert EACH == 1_500_000
    assert told(found, 200) == []
    (said,) = told(found, 240)
    assert said == (
        "week.yaml:4:41: 240 个群，轮到最后一个要 6 分钟，late 只有 5 分钟，轮不到的会错过。"
        "一个账号一分钟一共发 40 条，回话也算在里面"
    )
    assert [one.partition(":")[2].partition(":")[0] for one in told(found, 401)] == ["4", "5"]
    assert told(found, 401, each_post(400)) == []


def test_what_is_still_going_out_holds_up_the_next(tmp_path: Path) -> None:
    """Also over midnight on Sunday; a quiz begins with two messages."""
    busy = made(
        tmp_path / "a", 'id: a, at: "08:00", post: 早, late: 1h', 'id: b, at: "08:05", post: 午, late: 10m'
    )
    assert len(told(busy, 300)) == 0
    assert len(told(busy, 310)) == 1
    week = made(
        tmp_path / "b",
        'id: a, at: "23:59", on: sun, post: 早, late: 2h',
        'id: b, at: "00:00", on: mon, post: 午, late: 10m',
    )
    assert [one[:11] for one in told(week, 310)] == ["week.yaml:5"]
    quiz = made(tmp_path / "c", 'id: a, at: "08:00", do: quick', 'id: b, at: "12:00", do: call')
    assert [one[:11] for one in told(quiz, 201)] == ["week.yaml:4"]


def test_a_long_text_is_several_messages(tmp_path: Path) -> None:
    found = made(tmp_path, f'id: a, at: "08:00", post: {"早" * 2100}')
    assert (len(told(found, 200)), len(told(found, 201))) == (0, 1)


def test_a_picture_is_a_message_of_its_own(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "texts/p.yaml": "poster: {text: 看, picture: a.png}\n",
        "a.png": picture(),
    }
    root = library(tmp_path, files, ['id: a, at: "08:00", post: poster'])
    found = load(root, kinds(routes()))
    assert (len(told(found, 200)), len(told(found, 201))) == (0, 1)


@pytest.mark.parametrize("accounts", [1, 2])
def test_groups_are_counted_by_account(tmp_path: Path, accounts: int) -> None:
    """Those that are open and have the tag; each account has its own minute."""
    found = made(tmp_path, 'id: a, at: "08:00", post: 早')
    groups = [Group(n, f"x{n % accounts}", str(n), opened_at=DAY if n < 402 else 0) for n in range(1, 502)]
    counted = reach(found, groups, {group.id: ("试",) for group in groups if group.id != 1})
    assert sum(sum(each.values()) for each in counted.values()) == 400
    assert len(counted) == accounts
    assert len(too_slow(found, counted.values(), EACH + MINUTE // 1000, TODAY)) == (1 if accounts == 1 else 0)
