"""A rehearsal is the same every time, and what comes of it does not change when the process dies on the way."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from bot.app import kinds, routes
from bot.cli import app
from bot.config import Account, Pace, Settings
from bot.rehearsal.rehearsing import Asked, Rehearsed
from bot.rehearsal.rehearsing import rehearse as run
from bot.sop.library import Library, load
from tests.harness import SHIPPED

SMALL = Asked(days=2, groups=2, members=12)
COMPARED = ("balances", "occurrences", "replies")


@cache
def shipped() -> Library:
    return load(SHIPPED, kinds(routes()))


def rehearse(asked: Asked, settings: Settings | None = None) -> Rehearsed:
    return run(asked, settings or Settings(), shipped(), SHIPPED)


@cache
def small(seed: int = 1, *, crash: bool = False) -> Mapping[str, Any]:
    return rehearse(Asked(days=2, groups=2, members=12, seed=seed, crash=crash)).as_json()


def xiaoer(*words: object) -> Result:
    return CliRunner().invoke(app, ["rehearse", *map(str, words)])


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No configuration of whoever runs the tests is read, and no test sets the log for those after it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.logs.configure", lambda *_: None)
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.configure(**before)


def test_one_seed_is_one_outcome_to_the_byte() -> None:
    """Whatever order Python gives its sets, with and without crashes; another seed is another story."""
    words = (
        sys.executable,
        "-m",
        "bot.cli",
        "rehearse",
        "--days",
        "2",
        "--groups",
        "2",
        "--members",
        "12",
        "--json",
    )
    told = [
        subprocess.run(
            [*words, *more],
            env={**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": str(SHIPPED.parent)},
            capture_output=True,
            check=True,
            timeout=120,
        )
        for hashes, *more in (("1", "--crash"), ("2", "--crash"), ("3",))
    ]
    assert [one.stderr for one in told] == [b""] * 3
    assert told[0].stdout == told[1].stdout
    assert json.loads(told[2].stdout) == json.loads(json.dumps(small()))
    assert small() != small(2)


@pytest.mark.parametrize("seed", range(1, 5))
def test_crashes_change_nothing_that_counts(seed: int) -> None:
    """Balances, occurrences and what was decided to be said are those of the run without; the books are right."""
    calm, cut = small(seed), small(seed, crash=True)
    assert cut["crashes"]["times"] >= 5
    for what in COMPARED:
        assert calm[what] == cut[what], what
    for told in (calm, cut):
        assert told["audit"] == {"clean": True, "faults": [], "parked": []}
        assert set(told["messages"]) == {"sent"}


def test_messages_that_were_on_their_way_are_settled_by_the_operator() -> None:
    """Some had arrived and some had not: what members read is the same in the end, grouped in another way perhaps."""
    crashes = [small(seed, crash=True)["crashes"] for seed in (1, 2)]
    assert sum(one["arrived"] for one in crashes) > 0
    assert sum(one["sent_again"] for one in crashes) > 0


def test_the_calendar_is_carried_out() -> None:
    """Monday and Tuesday of both calendars, each slot once, on the dates that it is asked to start from."""
    occurrences = small()["occurrences"]
    of_the_week = {
        key: state for key, state in occurrences["演练 1 群"].items() if key.startswith("bank-week/")
    }
    assert of_the_week == {
        f"bank-week/{slot}": "sent"
        for slot in (
            "bank-morning 2026-01-05T08:00",
            "bank-note 2026-01-05T12:10",
            "bank-quiz-tue~-1d 20:30 2026-01-05T20:30",
            "bank-morning 2026-01-06T08:00",
            "bank-note 2026-01-06T12:10",
            "bank-quiz-tue 2026-01-06T20:00",
        )
    }
    assert all(key.startswith("shoe-shop-week/") for key in occurrences["演练 2 群"])
    later = rehearse(Asked(days=1, groups=1, members=12, first="2027-03-06")).as_json()
    assert list(later["occurrences"]["演练 1 群"]) == ["bank-weekend/bank-scam-sat 2027-03-06T10:00"]


def test_people_are_as_people_are() -> None:
    """One is always first, one posts ads, one writes traditional characters, one comes back, newcomers say the
    password; and enough take part.
    """
    seen = rehearse(Asked(days=3, groups=3, members=40))
    said: dict[str, list[str]] = {}
    for line in seen.lines:
        if line.key[1] == "g3":
            said.setdefault(line.who, []).append(line.text)
    assert {"簽到", "簽到！", "簽到。", " 簽到", "打卡"} & set(said["港島阿明"])
    assert any("加我微信" in text or "兼职" in text or "链接" in text for text in said["好物推荐"])
    assert said["远行的人"][:2] == ["签到", "好久没来了，大家都还好吗"]
    assert said["新来的1"][:2] == ["芝麻开门", "签到"]
    firsts = [text for text in said["小二"] if re.search(r"抢头香的 签到成功，今天第 1 个", text)]
    assert len(firsts) == 3
    quizzes = {one.title: one for one in seen.books.quizzes}
    assert quizzes["理财小问答"].players >= 12
    assert all(one.took_part >= one.members // 2 for one in seen.books.groups)


def test_the_pace_is_felt() -> None:
    """Who may send three messages a minute keeps people waiting; the audit is clean all the same."""
    pace = Pace(per_minute=3)
    calm, slow = (rehearse(SMALL, settings).waited for settings in (None, Settings(pace=pace)))
    assert slow["reply"].mean > 2 * calm["reply"].mean


def test_one_calendar_can_be_rehearsed_alone() -> None:
    """Every group is one of its audience."""
    seen = rehearse(Asked(days=1, groups=2, members=12, calendar="shoe-shop-week"))
    assert [group.tags for group in seen.groups] == [("福利",), ("福利",)]


def test_a_person_reads_a_transcript_and_a_summary() -> None:
    """Group by group, day by day; then the figures, and the audit."""
    told = xiaoer("--days", 2, "--groups", 2, "--members", 12, "--crash")
    assert told.exit_code == 0, told.output
    for wanted in (
        "演练 1 群（标签：理财）",
        "── 周一 2026-01-05",
        "── 周二 2026-01-06",
        "08:00:0",
        "问答「理财小问答」办了 1 场",
        "日程：已发",
        "中途断电",
        "账是平的，没有重复。",
    ):
        assert wanted in told.stdout, wanted


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--calendar", "bank-weak"), '不认识的日历 "bank-weak"，是不是 "bank-week"？'),
        (
            ("--calendar", "zzz"),
            '不认识的日历 "zzz"，可以写 bank-days、bank-week、bank-weekend、shoe-shop-week、study-week',
        ),
        (("--days", "0"), "--days 要写 1 到 366，现在是 0。"),
        (("--groups", "-1"), "--groups 要写 1 到 500，现在是 -1。"),
        (("--members", "1"), "--members 要写 2 到 500，现在是 1。"),
        (("--from", "明天"), "--from 要写 2026-01-05 这样的日子，现在是「明天」。"),
        (("--from", "2026-02-30"), "--from 要写 2026-01-05 这样的日子，现在是「2026-02-30」。"),
        (("--from", "9999-12-31"), "--from 要写 2026-01-05 这样的日子，现在是「9999-12-31」。"),
    ],
)
def test_what_cannot_be_rehearsed_is_said_in_words(words: tuple[str, ...], told: str) -> None:
    """One sentence on stderr, and 2."""
    result = xiaoer(*words)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"{told}\n")


def test_a_library_without_calendars_is_said_in_words(tmp_path: Path) -> None:
    """What has faults is put aside, and how many there are is told."""
    shutil.copytree(SHIPPED, tmp_path / "sop_library")
    for file in (tmp_path / "sop_library/calendars").iterdir():
        file.write_text("titel: 坏的\n")
    result = xiaoer()
    assert result.exit_code == 2
    assert re.fullmatch(r"活动库里有 \d+ 处错，.*\n活动库里没有能用的日历，.*\n", result.stderr)


def test_json_is_for_programs() -> None:
    """All of it can be read back, and what is to be compared goes by the groups' titles."""
    result = xiaoer("--days", 1, "--groups", 1, "--members", 12, "--json")
    told = json.loads(result.stdout)
    assert set(told["balances"]) == set(told["occurrences"]) == set(told["transcripts"]) == {"演练 1 群"}
    balances = told["balances"]["演练 1 群"]
    assert (
        balances["house"] + balances["treasury"] + balances["packets"] + sum(balances["members"].values())
        == 0
    )
    assert list(told["transcripts"]["演练 1 群"][0]) == ["at", "from", "text"]


NAMED = """title: 晨读
audience: {tags: [学习], groups: [晨读小组, 夜读小组, shop/88@chatroom], except: {groups: [夜读小组]}}
slots:
  - {id: read, at: "07:00", post: 早}
  - {id: new, at: "09:00", day: 2, post: "欢迎 {names}"}
  - {id: miss, at: "19:00", post: "在吗，{names}", segment: active, to: private}
"""


def test_groups_are_those_that_a_calendar_names_and_then_any_with_its_tag(tmp_path: Path) -> None:
    """By title or by account and chat, but for those that it leaves out; crashes change nothing here either."""
    (tmp_path / "lib").mkdir()
    for folder in ("activities", "calendars", "questions", "texts"):
        (tmp_path / "lib" / folder).mkdir()
    (tmp_path / "lib/calendars/reading.yaml").write_text(NAMED)
    library = load(tmp_path / "lib", kinds(routes()))
    assert library.faults == ()
    settings = Settings(accounts=(Account(name="shop", endpoint="127.0.0.1:1"),))
    calm, cut = (
        run(Asked(days=4, groups=4, members=12, crash=crash), settings, library, tmp_path / "lib")
        for crash in (False, True)
    )
    assert [(group.account, group.title, group.tags) for group in calm.groups] == [
        ("rehearsal", "晨读小组", ("学习",)),
        ("shop", "shop/88@chatroom", ("学习",)),
        ("rehearsal", "演练 3 群", ("学习",)),
        ("rehearsal", "演练 4 群", ("学习",)),
    ]
    for told in calm.books.occurrences.values():
        assert told["reading/read 2026-01-08T07:00"] == told["reading/miss 2026-01-08T19:00"] == "sent"
    for what in COMPARED:
        assert calm.as_json()[what] == cut.as_json()[what], what
