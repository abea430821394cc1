"""What an operator may write wrong in an activity of the real kinds, and what is known of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.app import kinds, routes
from bot.sop.library import Library, load
from tests.harness import SMALL
from tests.sop.fakes import write

HALF = """\
title: 半日题
kind: quiz
length: 4h30m
game: choice
questions: {from: sums, pick: 2, not_again_within: 30d}
round: {at: ["10:00", "14:00"], open: 30m}
winners: all
reward: {winners: 5}
posts: {opening: "半日题，{times}"}
"""


def loaded(root: Path, *changes: tuple[str, str], files: dict[str, str | bytes] | None = None) -> Library:
    half = HALF
    for change in changes:
        assert change[0] in half
        half = half.replace(*change)
    write(root, {**SMALL, "activities/half.yaml": half, **(files or {})})
    return load(root, kinds(routes()))


@pytest.mark.parametrize(
    ("wrong", "instead", "said"),
    [
        (
            "pick: 2",
            "pick: 3",
            "5:31: 要抽 3 题，题库里只有 2 题",
        ),
        (
            "pick: 2",
            "pick: 1",
            "6:8: at 写了 2 个时刻，questions 的 pick 是 1：一题一个时刻，把 pick 写成 2，或者写 1 个时刻",
        ),
        ('"14:00"', '"09:00"', "6:13: 10:00 和 09:00 次序不对：从早到晚写，一个时刻一题"),
        ('"14:00"', '"10:00"', "6:13: 10:00 和 10:00 次序不对：从早到晚写，一个时刻一题"),
        (
            '"14:00"',
            '"10:20"',
            "6:13: 10:00 和 10:20 只隔 20 分钟，一题要开放 30 分钟：把时刻隔开，或者把 open 写短",
        ),
        ("open: 30m", "open: 30m, gap: 5m", "6:13: 写了 at，几点出题就定了，请去掉 gap"),
        ('"14:00"', '"25:00"', '6:23: "25:00" 不是一天里的时刻，要写成 00:00 到 23:59，比如 08:00'),
        ('["10:00", "14:00"]', "[]", '6:13: "at" 不能空着'),
        ("at: [", "at_: [", '6:9: 不认识的键 "at_"，是不是 "at"？'),
        (
            '{at: ["10:00", "14:00"], open: 30m}',
            "{open: 30m}",
            "9:8: opening 里的 {times} 是每题几点出，要 round 里写了 at 才有",
        ),
        ("30d", "12h", "5:52: 时长太短，至少 1d"),
        ("30d", "三天", '5:52: "三天" 不是时长，要写成 90s、3m、1h30m 或 2d 这样'),
        ("4h30m", "10s", "3:9: 时长太短，至少 1m"),
        (
            "length: 4h30m",
            "materials: [files/a.pdf]",
            '3:13: 找不到文件 "files/a.pdf"，路径从 {root} 算起',
        ),
        ("length: 4h30m", "materials: ../a.pdf", '3:12: 找不到文件 "../a.pdf"，路径从 {root} 算起'),
    ],
)
def test_what_is_written_wrong_is_told(tmp_path: Path, wrong: str, instead: str, said: str) -> None:
    """By its place, and with what to write instead."""
    found = [str(one).partition("half.yaml:")[2] for one in loaded(tmp_path, (wrong, instead)).faults]
    assert said.replace("{root}", tmp_path.name) in found


def test_what_there_is_to_know_of_an_activity(tmp_path: Path) -> None:
    """How long it takes, what must be at hand, and when its rounds are."""
    change = ("length: 4h30m", "length: 4h30m\nmaterials: [files/a.pdf, files/b.png]")
    library = loaded(tmp_path, change, files={"files/a.pdf": "x", "files/b.png": "x"})
    assert library.faults == ()
    facts = {name: activity.facts for name, activity in library.activities.items() if activity.facts}
    assert facts == {"half": ["约 4 小时 30 分钟", "备好 files/a.pdf、files/b.png", "出题 10:00、14:00"]}
