"""`xiaoer outbox`: an operator's word on what nobody else can know, with 小二 at work and without."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.config import PAGE_PASSWORD
from bot.console import notes
from storage.place import FILE, take
from tests import databases
from tests.cli.test_watching import running
from tests.fakes import MONDAY


def outbox(*words: object) -> Result:
    return CliRunner().invoke(app, ["outbox", *map(str, words)])


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(PAGE_PASSWORD, raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A post that may have arrived, one that was being sent when 小二 died, and one of every other end."""
    folder = tmp_path / "data"
    databases.blank(folder)
    with opened(folder) as database:
        database.execute("INSERT INTO groups (id, account, chat, title) VALUES (1, 'shop', 'r1', '福利群')")
        database.execute(
            "INSERT INTO occurrences (id, slot, group_id, local, due, late, what, state)"
            " VALUES (5, 's', 1, '2030-01-07T07:00', ?, 600000000, 'post:早', 'unknown')",
            (MONDAY,),
        )
        for key, state in enumerate(("unknown", "sending", "planned", "failed", "stale", "sent"), 1):
            database.execute(
                "INSERT INTO outbox (id, account, chat, kind, body, state, at, send_before, occurrence, reason)"
                " VALUES (?, 'shop', 'r1', 'say', ?, ?, ?, ?, ?, ?)",
                (
                    key,
                    json.dumps({"text": f"{state} {{n}}", "values": {"n": key}}),
                    state,
                    MONDAY,
                    MONDAY + 1,
                    5 if state == "unknown" else 0,
                    "断了" if state == "unknown" else "",
                ),
            )
    return folder


@contextmanager
def opened(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        yield connection


def rows(folder: Path) -> list[Any]:
    with opened(folder) as database:
        found = database.execute("SELECT id, state, reason, send_before FROM outbox ORDER BY id").fetchall()
        return [*found, database.execute("SELECT state FROM occurrences").fetchall()]


def states(folder: Path) -> dict[int, str]:
    return {key: state for key, state, _, _ in rows(folder)[:-1]}


def occurrence(folder: Path) -> str:
    return str(rows(folder)[-1][0][0])


def test_what_is_unknown_is_listed(data: Path) -> None:
    """With what it says and why; another state when it is named; and the same to a program."""
    said = outbox("list", "--data", data).stdout.splitlines()
    assert said == [
        "消息 1，不知道，shop 福利群，01-07 07:00，「unknown 1」：断了",
        "消息 2，正在发，shop 福利群，01-07 07:00，「sending 2」",
    ]
    with take(data):  # while somebody is at work, what is being sent is on its way
        assert outbox("list", "--data", data).stdout.splitlines() == said[:1]
    assert "「failed 4」" in outbox("list", "--data", data, "--state", "failed").stdout
    (one,) = json.loads(outbox("list", "--data", data, "--state", "unknown", "--json").stdout)
    assert one == {
        "id": 1,
        "state": "unknown",
        "reason": "断了",
        "account": "shop",
        "chat": "r1",
        "group": "福利群",
        "kind": "say",
        "text": "unknown 1",
        "at": "2030-01-07T07:00:00+08:00",
        "occurrence": 5,
    }
    with opened(data) as database:
        database.execute("DELETE FROM outbox")
    assert outbox("list", "--data", data).stdout == "没有这样的消息。\n"
    assert json.loads(outbox("list", "--data", data, "--json").stdout) == []


def test_what_arrived_is_settled(data: Path) -> None:
    """And so is its slot; what was being sent when 小二 died is unknown first, as at its next start."""
    assert outbox("settle", 1, "--data", data).stdout == "消息 1 记作已发。\n"
    assert (states(data)[1], states(data)[2], occurrence(data)) == ("sent", "unknown", "sent")
    assert outbox("settle", 2, "--data", data).exit_code == 0
    assert states(data)[2] == "sent"
    assert outbox("list", "--data", data).stdout == "没有这样的消息。\n"


def test_what_did_not_arrive_is_planned_again(data: Path) -> None:
    """To go within ten minutes from now; its slot waits for it."""
    assert outbox("resend", 1, "--data", data).exit_code == 0
    assert (states(data)[1], occurrence(data)) == ("planned", "claimed")
    _, _, reason, before = rows(data)[0]
    assert reason == ""
    assert before > MONDAY + 1 or before > 0


@pytest.mark.parametrize("word", ["resend", "settle"])
@pytest.mark.parametrize("number", ["99", "0", "abc", "1.5", "9" * 30, "３x", "3", "4", "5", "6"])
def test_a_number_that_will_not_do_is_one_sentence(data: Path, word: str, number: str) -> None:
    """It is told, exit 2, and nothing is changed but what the next start changes anyway."""
    before = rows(data)
    result = outbox(word, number, "--data", data)
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
    assert number[:9] in result.stderr
    after = rows(data)
    assert [one for one in after if one != after[1]] == [one for one in before if one != before[1]]


def test_without_a_database_none_is_made(tmp_path: Path) -> None:
    for words in (("list",), ("resend", 1), ("settle", 1)):
        result = outbox(*words, "--data", tmp_path / "none")
        assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert not (tmp_path / "none").exists()


def test_a_folder_in_use_without_an_address_is_one_sentence(data: Path) -> None:
    """Whoever has the lock: nothing is written beside them, nor told to a stranger."""
    before = rows(data)
    with take(data):
        result = outbox("resend", 1, "--data", data)
        assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
        notes.begin(data, notes.AtWork(7, "http://127.0.0.1:9", "2030"))
        result = outbox("resend", 1, "--data", data)
        assert (result.exit_code, "没有答话" in result.stderr) == (2, True)
    assert rows(data) == before


def test_the_process_at_work_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sends again what did not arrive, and settles what did; behind its page's password."""
    folder = tmp_path / "data"
    monkeypatch.setenv(PAGE_PASSWORD, "sesame")
    with running(folder) as (_, address):
        with opened(folder) as database:
            for key in (901, 902):
                body = json.dumps({"text": f"再说一遍 {key}", "values": {}})
                database.execute(
                    "INSERT INTO outbox (id, account, chat, kind, body, state, at)"
                    " VALUES (?, 'sandbox', 'g1', 'say', ?, 'unknown', 1)",
                    (key, body),
                )
        assert len(outbox("list", "--data", folder).stdout.splitlines()) == 2
        assert outbox("settle", 902, "--data", folder).exit_code == 0
        assert outbox("resend", 901, "--data", folder).exit_code == 0
        url = f"{address}/api/sandbox/groups/g1/messages"
        with httpx.Client(auth=("", "sesame"), timeout=30) as http:
            after = 0
            while not (said := [one for one in http.get(url).json() if "再说一遍" in one["text"]]):
                after = http.get(url, params={"after": after, "wait": 20}).json()[-1]["seq"]
            assert [one["text"] for one in said] == ["再说一遍 901"]
            # Nobody else's page can ask for it: no header, or another process's.
            for header in ({}, {"X-Xiaoer-Since": "2030"}):
                assert http.post(f"{address}/api/outbox/901/resend", headers=header).status_code in (409, 422)
        for number, why in ((901, "「已发」|「正在发」"), (77, "没有消息 77")):
            result = outbox("resend", number, "--data", folder)
            assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
            assert re.search(why, result.stderr)
        monkeypatch.delenv(PAGE_PASSWORD)
        result = outbox("settle", 901, "--data", folder)
        assert (result.exit_code, "密码" in result.stderr) == (2, True)
