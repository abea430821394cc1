"""docs/running.md and the files beside it name nothing that is not there."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.config import PAGE_PASSWORD, Account, Settings
from bot.console import asking, notes
from bot.console.books import Books, Next
from bot.console.status import Status
from storage.census import OUTBOX, OUTCOMES
from tests.console.scraped import families
from tests.docs.test_handbook import FENCE, TERMINAL, _configured, document, rows
from tests.harness import World

ROOT = Path(__file__).resolve().parents[2]
RUNNING = document("docs/running.md")
DOCKERFILE = document("docs/deploy/Dockerfile")
UNIT = ROOT / "docs/deploy/xiaoer.service"
HOME = "/srv/xiaoer"


def blocks(language: str) -> list[str]:
    return [block["body"] for block in FENCE.finditer(RUNNING) if block["language"] == language]


def steps(word: str) -> Iterator[str]:
    """What stands behind a word of the Dockerfile."""
    for line in DOCKERFILE.splitlines():
        if line.startswith(f"{word} "):
            yield line.removeprefix(f"{word} ")


async def test_every_number_that_is_told_can_be_scraped(tmp_path: Path) -> None:
    """And every number of ours is told, with the states and outcomes that it has."""
    async with World(tmp_path) as world:
        found = list(families((await world.http.get("/metrics")).text))
    samples = {sample.name for family in found for sample in family.samples}
    named = set(re.findall(r"`?(xiaoer_[a-z_]+|process_[a-z_]+)", RUNNING))
    families_of = {re.sub(r"_(bucket|count|sum)$", "", name) for name in samples}
    assert named - samples - families_of == set()
    ours = {name for name in families_of if name.startswith("xiaoer_")}
    assert ours - named == set()
    table = {cells[0]: cells[1] for cells in rows(RUNNING)}
    for words, name in ((OUTBOX, "xiaoer_outbox_rows"), (OUTCOMES, "xiaoer_occurrences")):
        assert [word for word in words if f"`{word}`" not in table[f"`{name}`"]] == []


def test_every_command_that_is_told_is_there() -> None:
    """In the text and in the files beside it."""
    known = {name for name, _ in TERMINAL}
    text = "\n".join((RUNNING, DOCKERFILE.replace('", "', " "), UNIT.read_text(encoding="utf-8")))
    # It is also the name of a user and of a container.
    text = re.sub(r"(sudo -u|docker exec|useradd .*) xiaoer\b|xiaoer:xiaoer", "", text)
    told = set(re.findall(r"(?<![:=\w])xiaoer ((?:(?:db|outbox) )?[a-z]+)", text))
    assert told - {name.removeprefix("xiaoer ") for name in known} == set()
    assert {"run", "status", "db backup", "db audit"} <= told


def test_its_configurations_are_right() -> None:
    """But for the one that is Prometheus'."""
    ours = [text for text in blocks("yaml") if "scrape_configs" not in text]
    assert len(ours) == 2
    for text in ours:
        _configured(text)


def test_the_status_that_is_shown_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """Line by line."""
    now = datetime(2026, 11, 24, 19, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    outbox = dict.fromkeys(OUTBOX, 0) | {"planned": 3, "unknown": 1}
    books = Books(
        now,
        12,
        11,
        840,
        outbox,
        130.0,
        {"sent": 22, "late": 1},
        0,
        Next(now.replace(hour=20), ["看拼音猜成语"]),
    )
    work = notes.AtWork(4242, "http://127.0.0.1:8642", "2026-11-24T00:00:00+00:00")
    answer = asking.Answer(["账号 shop 等人用手机扫码。"], {"shop": "scan"})
    backup = (datetime.now(UTC) - timedelta(hours=9, minutes=1), f"{HOME}/backups/1124.db")
    Status(books, work, answer, backup, ZoneInfo("Asia/Shanghai")).show()
    shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert blocks("text")[0].splitlines() == shown


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    """Looked at by systemd itself, with a program where ours will be."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("there is no systemd-analyze here")
    program = tmp_path / ".venv/bin/xiaoer"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text(encoding="utf-8").replace(HOME, str(tmp_path)), encoding="utf-8")
    result = subprocess.run([tool, "verify", str(copy)], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_the_unit_and_the_text_agree() -> None:
    """On where it lives and where its secrets are; what it writes is where the data are."""
    unit = UNIT.read_text(encoding="utf-8")
    assert f"ReadWritePaths={HOME}/{Settings().data}\n" in unit
    assert f"WorkingDirectory={HOME}\n" in unit
    assert f"ExecStart={HOME}/.venv/bin/xiaoer run\n" in unit
    (secrets,) = re.findall(r"EnvironmentFile=-(\S+)", unit)
    assert secrets in RUNNING
    for text in (unit, RUNNING):
        assert PAGE_PASSWORD in text
    assert Account(name="shop", endpoint="127.0.0.1:1").token_env in RUNNING


def test_the_container_holds_what_it_needs() -> None:
    """What it copies is there, and is all of the program; its place, port and Python are ours."""
    copied = [source for step in steps("COPY") for source in step.split()[:-1]]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    project = tomllib.loads(document("pyproject.toml"))
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    needed = packages | {"pyproject.toml", "constraints.txt", project["project"]["readme"]}
    assert needed | {"config.yaml", Settings().library} <= set(copied)
    assert list(steps("WORKDIR"))[-1] == HOME
    assert list(steps("VOLUME")) == [f"{HOME}/{Settings().data}"]
    assert list(steps("EXPOSE")) == [str(Settings().page.port)]
    assert list(steps("USER")) == ["xiaoer"]
    (base,) = steps("FROM")
    version = re.fullmatch(r"python:3\.(\d+)-slim", base)
    assert version
    assert project["project"]["requires-python"] == ">=3.11,<3.14"
    assert 11 <= int(version[1]) < 14
    for flag in ("-f docs/deploy/Dockerfile", f"{HOME}/data", f"{HOME}/config.yaml", "10001"):
        assert flag in RUNNING
