"""The JSON Schemas that editors read: fresh, complete, and of one mind with the loader."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from bot import config
from bot.app import kinds, routes
from bot.config import Settings
from bot.errors import Faults
from bot.sop.library import load
from bot.sop.schemas import SUFFIX, properties, schemas
from tests.harness import SHIPPED, SMALL
from tests.sop.fakes import write

ROOT = SHIPPED.parent
KINDS = kinds(routes())
SCHEMAS = schemas(KINDS, Settings)
READ = {name.removesuffix(SUFFIX): json.loads(text) for name, text in SCHEMAS.items()}
FOLDERS = {"activities": "activity", "calendars": "calendar", "questions": "questions", "texts": "texts"}
FILES = [path for folder in FOLDERS for path in sorted((SHIPPED / folder).glob("*.yaml"))]
FILES += [path for path in (SHIPPED / "holidays.yaml", ROOT / "config.yaml") if path.is_file()]


# YAML 1.2's core schema, which editors read: numbers, true, false and null, and all else is text.
Typed: Any = type("Typed", (yaml.SafeLoader,), {"yaml_implicit_resolvers": {}})

for tag, pattern, first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    Typed.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))


def as_an_editor_reads(text: str) -> Any:
    return _keyed(yaml.load(text, Loader=Typed))


def _keyed(data: Any) -> Any:
    """Keys are text in JSON."""
    if isinstance(data, dict):
        return {str(key): _keyed(value) for key, value in data.items()}
    return [_keyed(each) for each in data] if isinstance(data, list) else data


def complaints(kind: str, text: str) -> list[str]:
    return [error.message for error in Draft7Validator(READ[kind]).iter_errors(as_an_editor_reads(text))]


def kind_of(path: Path) -> str:
    return FOLDERS.get(path.parent.name, path.stem)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_no_schema_is_stale(name: str) -> None:
    """What stands in the library is what the models say today."""
    Draft7Validator.check_schema(json.loads(SCHEMAS[name]))
    path = SHIPPED / "schema" / name
    assert path.is_file(), "请运行 xiaoer schema"
    assert path.read_text(encoding="utf-8") == SCHEMAS[name], "请运行 xiaoer schema"


def test_no_schema_is_left_over() -> None:
    """Nor does one stand there that nobody makes."""
    assert {path.name for path in (SHIPPED / "schema").iterdir()} == set(SCHEMAS)


@pytest.mark.parametrize("kind", sorted(READ))
def test_every_key_is_explained_in_chinese(kind: str) -> None:
    """What an editor shows beside a key."""
    keys = dict(properties(READ[kind]))
    assert keys
    told = {key: schema.get("description", "") for key, schema in keys.items() if "/if/" not in key}
    assert [key for key, said in told.items() if not re.search("[\u3400-\u9fff]", said)] == []


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_shipped_file_names_its_schema_and_agrees_with_it(path: Path) -> None:
    """In its first line, where it is found from there."""
    text = path.read_text(encoding="utf-8")
    first = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert first, f"{path} 的第一行要写它的 schema"
    schema = (path.parent / first[1]).resolve()
    assert schema == (SHIPPED / "schema" / f"{kind_of(path)}{SUFFIX}").resolve()
    assert complaints(kind_of(path), text) == []


@pytest.mark.parametrize(("name", "text"), [(name, str(text)) for name, text in SMALL.items()])
def test_the_library_of_the_tests_agrees_too(name: str, text: str) -> None:
    """It has other shapes than the shipped one."""
    assert complaints(FOLDERS[name.partition("/")[0]], text) == []


HEAD = "title: 群\naudience: {tags: [群]}\n"
QUIZ = (
    "title: 夜\nkind: quiz\ngame: choice\nquestions: {from: q, pick: 1}\nround: {open: 3m}\nwinners: all\n"
    "reward: {winners: 4}\nposts: {opening: 好}\n"
)
PACKET = "title: 包\nkind: red_packet\npoints: 30\nshares: 3\nposts: {opening: 好}\n"
QUESTIONS = "title: 题\ngame: choice\nquestions:\n- {ask: 几, options: [1, 2, 3, 4], answer: A}\n"


def slots(*lines: str) -> str:
    return HEAD + "slots:\n" + "".join(f"- {{{line}}}\n" for line in lines)


# What both take: written in every way that the loader knows.
GOOD = [
    ("calendars/c.yaml", slots("at: 08:00, post: 好")),
    ("calendars/c.yaml", slots('at: "08:00", post: 好').replace("群\n", "2026\n", 1)),
    ("calendars/c.yaml", slots("id: 7, at: '08:00', on: Mon-fri, post: 好, late: 1h30m, priority: '3'")),
    (
        "calendars/c.yaml",
        slots("at: 08:00, on: [mon, 周二, wed-thu], post: 好", "at: 08:00, on: 周六 - 周日, post: 早"),
    ),
    ("calendars/c.yaml", slots("at: 08:00, on: workdays, post: 好", "at: 08:00, on: 每天, post: 早")),
    (
        "calendars/c.yaml",
        slots("at: 08:00, once: 2026-12-24, post: 好", "at: 08:00, once: ['2026-12-24'], post: 早"),
    ),
    (
        "calendars/c.yaml",
        slots("at: 08:00, date: 12-24, post: 好", "at: 08:00, date: [12-24, 1-1], post: 早"),
    ),
    (
        "calendars/c.yaml",
        slots("at: 08:00, monthly: 15, post: 好", "at: 08:00, monthly: ['1', last], post: 早"),
    ),
    (
        "calendars/c.yaml",
        slots("at: 08:00, lunar: 8-15, post: 好", "at: 08:00, festival: [中秋, 冬至], post: 早"),
    ),
    ("calendars/c.yaml", slots("at: 08:00, day: 3, to: private, post: '{names} 好'")),
    ("calendars/c.yaml", slots("at: 08:00, segment: silent-7d, most: 20, post: 好")),
    ("calendars/c.yaml", slots("at: 08:00, post: 好, warm_up: [-1d 18:00, {at: -30m, post: 快了}]")),
    (
        "calendars/c.yaml",
        HEAD + "days: workdays\nquiet: 22:00-07:00\nposts_a_day: 6\nslots:\n- {at: 08:00, post: 好}\n",
    ),
    (
        "calendars/c.yaml",
        slots("id: a, at: 08:00, post: 好").replace("[群]}", "[群], groups: [甲, 7], except: {tags: [乙]}}")
        + "overrides:\n- {slot: a, groups: [甲], at: '19:30'}\n- {slot: a, tags: [新], skip: yes}\n",
    ),
    ("activities/a.yaml", QUIZ),
    (
        "activities/a.yaml",
        QUIZ.replace("winners: 4", "winners: [10, '6'], everyone: 1").replace("from: q", "from: [q]"),
    ),
    (
        "activities/a.yaml",
        QUIZ.replace("all", "{first: 3}").replace("kind", "goal:\nkind").replace("夜", "2026"),
    ),
    ("activities/a.yaml", PACKET),
    ("activities/a.yaml", PACKET.replace("30", "'30'").replace("好", "第 1 天")),
    ("questions/q.yaml", QUESTIONS),
    ("questions/q.yaml", QUESTIONS.replace("ask: 几", "why: 3.5, ask: true")),
    ("texts/t.yaml", "a: 好\nb: 3\nc: {text: 好}\nd: |\n  好\n"),
    ("texts/t.yaml", "sign_in.again: 签过了\n"),
    ("holidays.yaml", "holidays: {2027-02-06: 春节}\nworkdays: [2027-02-14]\n"),
]

# What neither takes.
BAD = [
    ("calendars/c.yaml", slots("at: 25:00, post: 好")),
    ("calendars/c.yaml", slots("at: 8, post: 好")),
    ("calendars/c.yaml", slots("at: 08:00, on: funday, post: 好")),
    ("calendars/c.yaml", slots("at: 08:00, on: [mon, funday], post: 好")),
    ("calendars/c.yaml", slots("at: 08:00, once: 12-24, post: 好")),
    ("calendars/c.yaml", slots("at: 08:00, monthly: 32, post: 好")),
    ("calendars/c.yaml", slots("at: 08:00, post: 好, late: 90")),
    ("calendars/c.yaml", slots("at: 08:00, post: 好, late: 3分钟")),
    ("calendars/c.yaml", slots("at: 08:00, post: 好, priority: high")),
    ("calendars/c.yaml", slots("at: 08:00, pots: 好")),
    ("calendars/c.yaml", slots("post: 好")),
    ("calendars/c.yaml", HEAD + "slots: []\n"),
    ("calendars/c.yaml", HEAD + "titel: 群\nslots:\n- {at: 08:00, post: 好}\n"),
    ("calendars/c.yaml", slots("at: 08:00, post: 好").replace("tags: [群]", "tags: 群")),
    ("activities/a.yaml", QUIZ + "points: 3\n"),
    ("activities/a.yaml", QUIZ.replace("kind: quiz", "kind: quizz")),
    ("activities/a.yaml", QUIZ.replace("kind: quiz\n", "")),
    ("activities/a.yaml", QUIZ.replace("pick: 1", "pick: many")),
    ("activities/a.yaml", QUIZ.replace("winners: all", "winners: most")),
    ("activities/a.yaml", PACKET.replace("points: 30", "points: 0")),
    ("activities/a.yaml", PACKET + "round: {open: 3m}\n"),
    ("activities/a.yaml", PACKET.replace("opening", "openning")),
    ("questions/q.yaml", QUESTIONS.replace("answer", "anwser")),
    ("questions/q.yaml", QUESTIONS.replace("choice", "chioce")),
    ("questions/q.yaml", "title: 题\ngame: choice\nquestions: []\n"),
    ("texts/t.yaml", "Evening: 好\n"),
    ("texts/t.yaml", "sign_in.dnoe: 好\n"),
    ("texts/t.yaml", "a: [好]\n"),
    ("texts/t.yaml", "a: {text: 好, picture: a.exe}\n"),
    ("texts/t.yaml", "a: {txet: 好}\n"),
    ("holidays.yaml", "holidays: {春节: 2027-02-06}\n"),
    ("holidays.yaml", "holiday: {2027-02-06: 春节}\n"),
]


def told(tmp_path: Path, name: str, text: str) -> list[str]:
    """What the loader has to say of a file in a library that has all else."""
    write(tmp_path, {"questions/q.yaml": QUESTIONS, name: text})
    return [str(fault) for fault in load(tmp_path, KINDS).faults]


@pytest.mark.parametrize(("name", "text"), GOOD)
def test_a_schema_takes_what_the_loader_takes(tmp_path: Path, name: str, text: str) -> None:
    """Though one reads numbers and words where the other reads text."""
    assert told(tmp_path, name, text) == []
    assert complaints(kind_of(Path(name)), text) == []


@pytest.mark.parametrize(("name", "text"), BAD)
def test_a_schema_refuses_what_the_loader_refuses(tmp_path: Path, name: str, text: str) -> None:
    """As far as it can be seen without the rest of the library."""
    assert told(tmp_path, name, text) != []
    assert complaints(kind_of(Path(name)), text) != []


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("treasury: '5'\nsign_in: {points: {1: 5}, day_starts: 04:00}\npace: {per_minute: 20}\n", True),
        ("sandbox: yes\nlog: {level: debug}\naccounts: [{name: 7, endpoint: '127.0.0.1:8788'}]\n", True),
        ("pace:\n", True),
        ("tresury: 5\n", False),
        ("page: {port: 99999}\n", False),
        ("sandbox: maybe\n", False),
        ("sign_in: {points: {one: 5}}\n", False),
        ("accounts: [{name: a}]\n", False),
    ],
)
def test_the_schema_of_the_configuration_agrees_with_its_reader(
    tmp_path: Path, text: str, good: bool
) -> None:
    """On what is a number, what is true, and what is not known."""
    write(tmp_path, {config.NAME: text})
    try:
        config.load(tmp_path / config.NAME, required=True)
    except Faults:
        assert not good
    else:
        assert good
    assert (complaints("config", text) == []) is good
