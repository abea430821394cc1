"""The page for a newcomer, followed to the letter in an empty folder."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from bot.cli import app
from tests.docs.test_handbook import FENCE, document
from tests.importing.sheets import sheet
from tests.page import stage

PAGE = document("docs/first-week.md")
# What a person does by hand before they go on, and what only ends with Ctrl-C.
BY_HAND = ("mkdir my-groups", "cd my-groups")
RUN = "xiaoer run"


def test_a_newcomer_gets_from_an_empty_folder_to_a_running_week(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every table, file and command of the page in turn; what it says comes out, comes out."""
    monkeypatch.setattr("bot.logs.configure", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    table = [line for line in PAGE.splitlines() if line.startswith("|") and "---" not in line]
    head, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table)
    sheet(Path("plan.xlsx"), *rows, head=head)
    said, ran = "", []
    for block in FENCE.finditer(PAGE):
        body = block["body"]
        if block["language"] == "yaml":
            path = Path(re.findall(r"^# (\S+)$", body, re.MULTILINE)[0])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body, encoding="utf-8")
        elif block["language"] == "text":
            assert set(body.splitlines()) <= {line.rstrip() for line in said.splitlines()}, said
        else:
            commands = [line for line in body.splitlines() if line not in BY_HAND]
            said = "".join(run(command, tmp_path) for command in commands)
            ran += commands
    assert ran[0].startswith("xiaoer import")
    assert RUN in ran


def run(command: str, home: Path) -> str:
    if command == RUN:
        with stage.bot(home / "data", home=home, PYTHONPATH=str(stage.ROOT)) as bot:
            assert httpx.get(f"{bot.url}/report.xlsx").status_code == 200
            assert bot.end()[0] == 0
        return ""
    result = CliRunner().invoke(app, command.split()[1:])
    # Nobody is at work by the time that the page asks for the status.
    assert result.exit_code == (1 if command == "xiaoer status" else 0), (command, result.output)
    return result.stdout
