"""`xiaoer outbox`: an operator's word on what nobody else can know, with 小二 at work and without."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.config import PAGE_PASSWORD
from bot.console import notes
from storage.database import Owned
from tests import databases
from tests.cli.test_watching import running
from tests.fakes import MONDAY


def outbox(data: Path, *words: object) -> Result:
    return CliRunner().invoke(app, ["outbox", *map(str, words), *databases.words(data)])


@pytest.fixture(autouse=True)
def _elsewhere(database: str, tidy: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On both databases, and with nothing that the tests were started with."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(PAGE_PASSWORD, raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A post that may have arrived, one that was being sent when 小二 died, and one of every other end."""
    folder = tmp_path / "data"
    place = databases.blank(folder)
    databases.rows(place, "INSERT INTO groups (id, account, chat, title) VALUES (1, 'shop', 'r1', '福利群')")
    databases.rows(
        place,
        "INSERT INTO occurrences (id, slot, group_id, local, due, late, what, state)"
        " VALUES (5, 's', 1, '2030-01-07T07:00', ?, 600000000, 'post:早', 'unknown')",
        MONDAY,
    )
    for key, state in enumerate(("unknown", "sending", "planned", "failed", "stale", "sent"), 1):
        databases.rows(
            place,
            "INSERT INTO outbox (id, account, chat, kind, body, state, at, send_before, occurrence, reason)"
            " VALUES (?, 'shop', 'r1', 'say', ?, ?, ?, ?, ?, ?)",
            key,
            json.dumps({"text": f"{state} {{n}}", "values": {"n": key}}),
            state,
            MONDAY,
            MONDAY + 1,
            5 if state == "unknown" else 0,
            "断了" if state == "unknown" else "",
        )
    return folder


@contextmanager
def taken(folder: Path) -> Iterator[None]:
    """Somebody has the lock."""
    owned = Owned(databases.place(folder), as_it_is=True)
    try:
        yield
    finally:
        owned.release()


def rows(folder: Path) -> list[Any]:
    place = databases.place(folder)
    found = databases.rows(place, "SELECT id, state, reason, send_before FROM outbox ORDER BY id")
    return [*found, databases.rows(place, "SELECT state FROM occurrences")]


def states(folder: Path) -> dict[int, str]:
    return {key: state for key, state, _, _ in rows(folder)[:-1]}


def occurrence(folder: Path) -> str:
    return str(rows(folder)[-1][0][0])


def test_what_is_unknown_is_listed(data: Path) -> None:
    """With what it says and why; another state when it is named; and the same to a program."""
    said = outbox(data, "list").stdout.splitlines()
    assert said == [
        "消息 1，不知道，shop 福利群，01-07 07:00，「unknown 1」：断了",
        "消息 2，正在发，shop 福利群，01-07 07:00，「sending 2」",
    ]
    with taken(data):  # while somebody is at work, what is being sent is on its way
        assert outbox(data, "list").stdout.splitlines() == said[:1]
    assert "「failed 4」" in outbox(data, "list", "--state", "failed").stdout
    (one,) = json.loads(outbox(data, "list", "--state", "unknown", "--json").stdout)
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
    databases.rows(databases.place(data), "DELETE FROM outbox")
    assert outbox(data, "list").stdout == "没有这样的消息。\n"
    assert json.loads(outbox(data, "list", "--json").stdout) == []


def test_what_arrived_is_settled(data: Path) -> None:
    """And so is its slot; what was being sent when 小二 died is unknown first, as at its next start."""
    assert outbox(data, "settle", 1).stdout == "消息 1 记作已发。\n"
    assert (states(data)[1], states(data)[2], occurrence(data)) == ("sent", "unknown", "sent")
    assert outbox(data, "settle", 2).exit_code == 0
    assert states(data)[2] == "sent"
    assert outbox(data, "list").stdout == "没有这样的消息。\n"


def test_what_may_be_done_twice_waits_for_the_next_start(data: Path) -> None:
    """An announcement that was being put up when 小二 died needs no word of anybody."""
    databases.rows(databases.place(data), "UPDATE outbox SET kind = 'announce' WHERE id = 2")
    assert outbox(data, "settle", 1).exit_code == 0
    assert states(data)[2] == "planned"


def test_what_did_not_arrive_is_planned_again(data: Path) -> None:
    """To go within ten minutes from now; its slot waits for it."""
    assert outbox(data, "resend", 1).exit_code == 0
    assert (states(data)[1], occurrence(data)) == ("planned", "claimed")
    _, _, reason, before = rows(data)[0]
    assert reason == ""
    assert before > MONDAY + 1 or before > 0


@pytest.mark.parametrize("word", ["resend", "settle"])
@pytest.mark.parametrize("number", ["99", "0", "abc", "1.5", "9" * 30, "３x", "3", "4", "5", "6"])
def test_a_number_that_will_not_do_is_one_sentence(data: Path, word: str, number: str) -> None:
    """It is told, exit 2, and nothing is changed but what the next start changes anyway."""
    before = rows(data)
    result = outbox(data, word, number)
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
    assert number[:9] in result.stderr
    after = rows(data)
    assert [one for one in after if one != after[1]] == [one for one in before if one != before[1]]


def test_without_a_database_none_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    for words in (("list",), ("resend", 1), ("settle", 1)):
        result = outbox(folder, *words)
        assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
        assert not folder.exists()


def test_a_folder_in_use_without_an_address_is_one_sentence(data: Path) -> None:
    """Whoever has the lock: nothing is written beside them, nor told to a stranger."""
    before = rows(data)
    with taken(data):
        result = outbox(data, "resend", 1)
        assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
        notes.begin(data, notes.AtWork(7, "http://127.0.0.1:9", "2030"))
        result = outbox(data, "resend", 1)
        assert (result.exit_code, "没有答话" in result.stderr) == (2, True)
    assert rows(data) == before


def test_the_process_at_work_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sends again what did not arrive, and settles what did; behind its page's password."""
    folder = tmp_path / "data"
    monkeypatch.setenv(PAGE_PASSWORD, "sesame")
    databases.blank(folder)
    with running(folder) as (_, address):
        for key in (901, 902):
            databases.rows(
                databases.place(folder),
                "INSERT INTO outbox (id, account, chat, kind, body, state, at)"
                " VALUES (?, 'sandbox', 'g1', 'say', ?, 'unknown', 1)",
                key,
                json.dumps({"text": f"再说一遍 {key}", "values": {}}),
            )
        assert len(outbox(folder, "list").stdout.splitlines()) == 2
        assert outbox(folder, "settle", 902).exit_code == 0
        assert outbox(folder, "resend", 901).exit_code == 0
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
            result = outbox(folder, "resend", number)
            assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
            assert re.search(why, result.stderr)
        monkeypatch.delenv(PAGE_PASSWORD)
        result = outbox(folder, "settle", 901)
        assert (result.exit_code, "密码" in result.stderr) == (2, True)
