"""`xiaoer preview`: what the calendars hold, and what does not run and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner, Result

from bot.app import kinds, routes
from bot.cli import app
from bot.config import Settings
from bot.console.preview import reading, table
from bot.sop.library import load
from tests.harness import World, library
from tests.sop.fakes import write

CALENDAR = """\
title: 一周
audience: {tags: [试]}
quiet: "22:00-07:00"
posts_a_day: 5
slots:
  - {id: call, at: "08:00", do: call}
  - {id: off, at: "12:00", on: workdays, post: 上班了}
  - {id: turns, at: "20:00", rotate: [quick, gift], warm_up: [-30m]}
  - {id: both, at: "20:00", post: 一起, priority: 3}
  - {id: night, at: "23:00", post: 晚安}
  - {id: new, at: "09:00", day: 2, post: "{names}，第二天好"}
"""
FILES: dict[str, str | bytes] = {
    "calendars/week.yaml": CALENDAR,
    "holidays.yaml": "holidays: {2030-01-08: 休整}\n",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.logs.configure", lambda *_: None)
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")


def xiaoer(root: Path, world: World | None, *words: object) -> Result:
    server = world.settings.database_url if world else None
    where = f'\ndatabase_url: "{server.get_secret_value()}"\n' if server else ""
    write(root.parent, {"config.yaml": f'library: "{root}"{where}'})
    folder = ("--data", root.parent / "data") if not server else ()
    named = ("preview", *words, "--config", root.parent / "config.yaml", *folder)
    return CliRunner().invoke(app, [str(word) for word in named])


def slots(told: dict[str, Any], day: int, group: int = 0) -> list[tuple[str, str, str]]:
    there = told["groups"][group]["days"][day]["slots"]
    return [(one["slot"].partition("/")[2], one["state"], one["note"]) for one in there]


async def test_the_preview_is_what_will_run_and_what_ran(tmp_path: Path) -> None:
    """Of yesterday what became of it, of today both, of tomorrow what the planner says, with its reasons."""
    root = library(tmp_path / "lib", FILES)
    async with World(tmp_path / "data", None, root) as world:
        group = await world.group()
        await world.to("2030-01-08T10:00")
        await group.say("掌柜", "改期 20:00 20:30 快问")
        await group.say("掌柜", "改期 20:00 20:30 小红包")
        await world.to("2030-01-08T12:30")
        before = json.loads(
            xiaoer(root, world, "--json", "--from", "2030-01-07", "--days", "3", "--group", "试验群").stdout
        )
        await world.to("2030-01-09T21:00")
        after = json.loads(
            xiaoer(root, world, "--json", "--from", "2030-01-07", "--days", "3", "--group", "试验群").stdout
        )
    assert (before["from"], before["to"], before["imagined"]) == ("2030-01-07", "2030-01-09", False)
    assert [day["weekday"] + day["kind"] for day in before["groups"][0]["days"]] == [
        "周一",
        "周二休整放假",
        "周三",
    ]
    monday, tuesday, wednesday = (slots(before, day) for day in range(3))
    assert ("call", "sent", "已发") in monday
    assert ("night", "skipped", "跳过了（安静时间 22:00-07:00）") in monday
    assert tuesday[0] == ("call", "sent", "已发")
    assert ("turns", "planned", "原定 20:00") in tuesday
    assert ("night", "skipped", "跳过（安静时间 22:00-07:00）") in tuesday
    assert wednesday[-3:] == [
        ("both", "planned", "同一时刻 2 件，第 1 个"),
        ("turns", "planned", "同一时刻 2 件，第 2 个"),
        ("night", "skipped", "跳过（安静时间 22:00-07:00）"),
    ]
    went = {name: state for name, state, _ in slots(after, 2)}
    assert went == {name: "skipped" if name == "night" else went[name] for name, _, _ in wednesday}
    assert set(went.values()) <= {"sent", "late", "skipped", "missed"}
    turns = [day["slots"] for day in after["groups"][0]["days"]]
    names = [one["title"] for day in turns for one in day if one["slot"] == "week/turns"]
    assert sorted(names[:2]) == ["小红包", "快问"]
    assert names == [
        one["title"]
        for day in before["groups"][0]["days"]
        for one in day["slots"]
        if one["slot"] == "week/turns"
    ]


def test_without_a_database_there_is_one_group_for_each_audience(tmp_path: Path) -> None:
    """Somebody joins as the first day begins, so that what newcomers get is seen; faulty files are named."""
    root = library(tmp_path / "lib", FILES)
    other = "title: 点名\naudience: {groups: [街坊群]}\nslots: [{at: '07:30', post: 早}]\n"
    write(root, {"calendars/named.yaml": other, "calendars/bad.yaml": "title: 坏\nslots: 3\n"})
    told = xiaoer(root, None, "--from", "2030-01-08", "--days", "2")
    assert told.exit_code == 0, told.stderr
    for line in (
        "下面的群是假想的",
        "周二 2030-01-08  休整放假",
        "标签「试」的群",
        "街坊群",
        "某某，第二天好",
        "跳过（安静时间 22:00-07:00）",
        "同一时刻 2 件，第 2 个",
        "提醒：还不知道 2030 年的放假安排" if "还不知道" in told.stdout else "周三",
        "这些地方有错，没有排进来：",
        "calendars/bad.yaml:",
    ):
        assert line in told.stdout, line
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_terminals_width_is_kept(tmp_path: Path, width: int) -> None:
    """What is longer goes on in the next line of its column, and nothing is cut off."""
    lib = load(library(tmp_path / "lib", FILES), kinds(routes()))
    day = reading.asked("2030-01-07", 7)
    out = StringIO()
    table.show(reading.imagine(Settings(), lib, day, 7), Console(file=out, width=width, highlight=False))
    lines = out.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    flat = "".join("".join(lines).split())
    assert "…" not in flat
    assert flat.count("预告：") == 7
    assert flat.count("安静时间") == 7


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("--group", "试验裙"), '没有叫 "试验裙" 的群，是不是 "试验群"？'),
        (("--group", "没开张"), "群「没开张」还没有开张，没有安排。请群主在群里说一声「开张」。"),
        (("--from", "12-24"), "--from 要写 2026-12-24 这样的日子，现在是「12-24」。"),
        (("--from", "2026-02-30"), "--from 要写 2026-12-24 这样的日子，现在是「2026-02-30」。"),
        (("--days", "0"), "--days 要写 1 到 92，现在是 0。"),
    ],
)
async def test_a_mistake_is_one_sentence(tmp_path: Path, words: Sequence[str], answer: str) -> None:
    """And exit 2, with nothing printed beside it."""
    root = library(tmp_path / "lib", FILES)
    async with World(tmp_path / "data", None, root) as world:
        await world.group()
        await world.group("没开张", tags=None)
    told = xiaoer(root, world, *words)
    assert (told.exit_code, told.stdout, told.stderr.strip()) == (2, "", answer)
