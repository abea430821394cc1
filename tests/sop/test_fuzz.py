"""1,000 files of the shipped library, each spoilt somewhere: faults in words, or a good library."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from bot.app import kinds, routes
from bot.errors import Fault
from bot.model import DAY, SECOND
from bot.sop.library import Library, load
from bot.sop.planner import GroupPlan, plan
from tests.harness import SHIPPED

KINDS = kinds(routes())
FOLDERS = ("activities", "calendars", "questions", "texts")
# What the shipped calendars may not have: every key there is.
RICH = """\
title: 样样都有
audience: {tags: [试], groups: [街坊群, sandbox/g1], except: {tags: [停]}}
days: workdays
quiet: "22:00-07:00"
posts_a_day: 6
slots:
  - {id: a, at: "08:00", on: workdays, do: money-quiz, late: 30m, priority: 3}
  - {id: b, at: "09:00", date: [12-24, 2-29], post: 早上好。}
  - {id: c, at: "10:00", once: 2026-12-24, rotate: [money-quiz, life-quiz], warm_up: [-1d 18:00, {at: -30m}]}
  - {id: d, at: "11:00", monthly: [15, last], post: 月中。}
  - {id: e, at: "12:00", lunar: 8-15, post: 团圆。}
  - {id: f, at: "13:00", festival: [元宵节, 冬至], post: 过节好。}
  - {id: g, at: "14:00", day: 3, to: private, post: "{names} 好。"}
  - {id: h, at: "15:00", on: sun, segment: silent-7d, most: 20, post: 想您了。}
overrides:
  - {slot: a, groups: [街坊群], at: "19:30"}
  - {slot: b, tags: [新], skip: true}
""".encode()
HOLIDAYS = "holidays: {2027-02-06: 春节}\nworkdays: [2027-02-14]\n".encode()
WHOLE = {
    path.relative_to(SHIPPED).as_posix(): path.read_bytes()
    for folder in FOLDERS
    for path in sorted((SHIPPED / folder).glob("*.yaml"))
} | {"calendars/rich.yaml": RICH}
TURN = 1_798_000_000 * SECOND  # 2026-12-23
IN_ALL, AT_ONCE = 1000, 50

ODD = (
    """
|~|null|no|yes|true|-1|0|1e9|007|0x1F|99999999999999999999|1_000|.inf|2026-02-30|25:00|08:00|8:00|
funday|mon-fri|mon-funday|[]|{}|[a, b]|{a: b}|[[[]]]|"|'|&a|*a|!!int 3|!x|%|@|`|- a|a: b|# no|
{rounds}|{nobody}|{|}|{0}|{a.b}|{points!r}|../../secret.png|/etc/passwd|pictures/none.png|
12-24|2-30|13-1|2026-12-24|9999-12-31|0000-01-01|8-15|元宵节|中秋|last|-1d 18:00|-30m|-99d 18:00|
22:00-07:00|07:00-07:00|workdays|holidays|[workdays, mon]|silent-7d|active|private|[a, a]|365|1000000000|
3m|-3m|0s|366d|367d|1h30m|999999999d|💥|\u3000|\u202e|\x07|\ufeff|a\tb|=1+1|<b>|%s|$(x)|last|31|2-30|
""".strip("\n")
    .replace("\n", "")
    .split("|")
)

_KEYS = """
titel at do post on kind slots date once monthly lunar festival day segment rotate to most late priority
warm_up overrides audience tags groups except quiet posts_a_day days skip slot text picture from pick
"""
KEYS = _KEYS.split()

Mutation = Callable[[Random, bytes], bytes]


def flipped(chance: Random, raw: bytes) -> bytes:
    """Some bytes are others."""
    made = bytearray(raw)
    for _ in range(chance.randint(1, 4)):
        made[chance.randrange(len(made))] = chance.randrange(256)
    return bytes(made)


def cut(chance: Random, raw: bytes) -> bytes:
    """It ends in the middle, or begins there."""
    at = chance.randrange(len(raw))
    return raw[:at] if chance.random() < 0.5 else raw[at:]


def reordered(chance: Random, raw: bytes) -> bytes:
    """A line is gone, there twice, or somewhere else."""
    lines = raw.splitlines(keepends=True)
    at, to = chance.randrange(len(lines)), chance.randrange(len(lines))
    what = chance.choice(("drop", "twice", "swap"))
    if what == "drop":
        del lines[at]
    elif what == "twice":
        lines.insert(to, lines[at])
    else:
        lines[at], lines[to] = lines[to], lines[at]
    return b"".join(lines)


def indented(chance: Random, raw: bytes) -> bytes:
    """A line begins with more or less space, or a tab."""
    lines = raw.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    lines[at] = chance.choice((b"", b" ", b"   ", b"\t", b"  - ", b"#")) + lines[at].lstrip()
    return b"".join(lines)


def renamed(chance: Random, raw: bytes) -> bytes:
    """A key is called otherwise."""
    return _replaced(chance, raw, r"[\w.-]+(?=: )", [*ODD, *KEYS, *KEYS])


def revalued(chance: Random, raw: bytes) -> bytes:
    """A value is an odd one."""
    return _replaced(chance, raw, r"(?<=: )[^\n,{}\[\]]+", ODD)


def stuffed(chance: Random, raw: bytes) -> bytes:
    """There is something in it that does not belong there."""
    at = chance.randrange(len(raw))
    inside = chance.choice(
        (*ODD, "[" * 100, "{a: " * 50, "\n---\n", "\r", "\x00", "\u2028", "<<: *a", "? ", "a" * 5000)
    )
    return raw[:at] + inside.encode() + raw[at:]


def _replaced(chance: Random, raw: bytes, pattern: str, by: list[str]) -> bytes:
    text = raw.decode()
    places = list(re.finditer(pattern, text))
    if not places:
        return raw
    found = chance.choice(places)
    return (text[: found.start()] + chance.choice(by) + text[found.end() :]).encode()


MUTATIONS: tuple[Mutation, ...] = (flipped, cut, reordered, indented, renamed, revalued, revalued, stuffed)


def spoilt(seed: int) -> tuple[str, bytes]:
    """The folder and the content of one spoilt file, by its number."""
    chance = Random(seed)
    path = chance.choice([*WHOLE, *["calendars/rich.yaml"] * 5])
    raw = WHOLE[path]
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        raw = chance.choice(MUTATIONS)(chance, raw) or b" "
        try:
            raw.decode()
        except UnicodeDecodeError:
            break
    return path.partition("/")[0], raw


@pytest.mark.parametrize("first", range(0, IN_ALL, AT_ONCE))
def test_a_spoilt_file_ends_in_faults_or_in_a_good_library(first: int, tmp_path: Path) -> None:
    """Beside the whole ones, which stay whole: no traceback, no long wait, and each fault has its place."""
    names = {}
    _write(tmp_path / "holidays.yaml", HOLIDAYS)
    for path, content in WHOLE.items():
        _write(tmp_path / path, content)
    whole = load(tmp_path, KINDS)
    assert whole.faults == ()
    for seed in range(first, first + AT_ONCE):
        folder, raw = spoilt(seed)
        names[seed] = f"{folder}/zz-{seed}.yaml"
        _write(tmp_path / names[seed], raw)
    begun = time.monotonic()
    loaded = load(tmp_path, KINDS)
    assert time.monotonic() - begun < 30
    for fault in loaded.faults:
        _well_said(fault)
        # A spoilt text may have the name of a whole one, and is the second of the two.
        assert "/zz-" in fault.file, fault
    assert whole.activities.items() <= loaded.activities.items()
    assert whole.calendars.items() <= loaded.calendars.items()
    told = {fault.file for fault in loaded.faults}
    for name in names.values():
        assert str(tmp_path / name) in told or _good(loaded, name), name
    # What is good can be carried out: two weeks of it, around the turn of a year.
    tags = {tag: 0 for calendar in loaded.calendars.values() for tag in calendar.audience.tags}
    group = GroupPlan(1, tags, "Asia/Shanghai", 0, names=("街坊群",), joined=(TURN,))
    assert plan(loaded.calendars, [group], TURN, TURN + 14 * DAY, {}, loaded.holidays)


def _write(path: Path, raw: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(raw)


def _well_said(fault: Fault) -> None:
    assert fault.line >= 1, fault
    assert fault.col >= 1, fault
    assert "\n" not in fault.message, fault
    assert re.search("[\u3400-\u9fff]", fault.message), fault


def _good(loaded: Library, name: str) -> bool:
    """Whether what a file holds is in the library; the posts of a text are found by their own names."""
    folder, _, file = name.partition("/")
    held = {"activities": loaded.activities, "calendars": loaded.calendars, "questions": loaded.banks}
    return folder == "texts" or file.removesuffix(".yaml") in held[folder]
