"""`xiaoer status`: right whether 小二 is at work, was killed, or hangs; and it disturbs nobody."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.console import asking, notes
from bot.errors import Unsure
from storage.database import Owned
from storage.place import FILE, server_of
from tests import databases
from tests.harness import World, library

SINCE = "2030-01-07T00:00:00+00:00"


def status(data: Path, *words: object) -> Result:
    return CliRunner().invoke(app, ["status", *databases.words(data), *map(str, words)])


def told(data: Path, *words: object) -> dict[str, Any]:
    """What --json says; the exit code must say the same."""
    result = status(data, "--json", *words)
    found: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (0 if found["healthy"] else 1)
    assert found["healthy"] == (found["reasons"] == [])
    return found


@pytest.fixture(autouse=True)
def _on_both(database: str, tidy: None) -> None:
    """See tests/conftest.py."""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with empty tables; the folder that the tests were started in plays no part."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XIAOER_PAGE_PASSWORD", raising=False)
    folder = tmp_path / "data"
    databases.blank(folder)
    return folder


@contextmanager
def page(answer: Mapping[str, object], code: int = 200, password: str = "") -> Iterator[str]:
    """Somebody who answers /healthz; the address is given."""
    body = json.dumps(answer).encode()
    wanted = f"Basic {base64.b64encode(f':{password}'.encode()).decode()}"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = not password or self.headers["Authorization"] == wanted
            assert self.path == "/healthz"
            self.send_response(code if allowed else 401)
            self.end_headers()
            self.wfile.write(body if allowed else b"")

        def log_message(self, *_: object) -> None:
            """Nothing is said."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def at_work(data: Path, address: str) -> None:
    """A process of the same database notes that it is at work."""
    notes.begin(data, notes.AtWork(7, address, SINCE, server_of(databases.place(data))))


def health(**changed: object) -> dict[str, object]:
    said = {"status": "ok", "reasons": [], "accounts": {"shop": "online"}, "pid": 7, "since": SINCE}
    return {**said, **changed}


def test_who_answers_as_the_one_at_work_is_at_work(data: Path) -> None:
    """Exit 0 and everything about it; in words too."""
    with page(health()) as address:
        at_work(data, address)
        found = told(data)
        words = status(data)
    assert (found["running"], found["pid"], found["address"]) == (True, 7, address)
    assert found["accounts"] == {"shop": "online"}
    assert (words.exit_code, found["library"]) == (0, None)
    for said in ("在当差，01-07 08:00 开工，进程 7", address, "shop 在线", "没有要发的", "还没有到点的"):
        assert said in words.stdout


def test_the_library_that_it_runs_is_told(data: Path) -> None:
    """With its faults, what runs instead, and when it last changed."""
    library = {"faults": 2, "kept": 1, "changed": "2030-01-07T02:30:00+00:00"}
    with page(health(library=library)) as address:
        at_work(data, address)
        assert told(data)["library"] == library
        assert "2 处错，看 xiaoer check；1 个文件用着上一个好的版本；01-07 10:30 改过" in status(data).stdout


def test_reasons_of_its_own_are_told(data: Path) -> None:
    """Exit 1: it is at work, and not well."""
    unwell = health(status="unwell", reasons=["账号 shop 退出登录了。"], accounts={"shop": "logged_out"})
    with page(unwell, 503) as address:
        at_work(data, address)
        found, words = told(data), status(data)
    assert (found["running"], found["reasons"]) == (True, ["账号 shop 退出登录了。"])
    assert "不对劲  账号 shop 退出登录了。" in words.stdout
    assert "账号    shop 退出登录了" in words.stdout


@pytest.mark.parametrize("changed", [{"pid": 8}, {"since": "2030-01-08T00:00:00+00:00"}])
def test_another_one_on_the_same_port_is_somebody_else(data: Path, changed: dict[str, object]) -> None:
    """The one that left the note was killed, and its port went to a bot on other data."""
    with page(health(**changed)) as address:
        at_work(data, address)
        found = told(data)
    assert (found["running"], found["reasons"], found["pid"]) == (False, ["没有开工。"], None)


@pytest.mark.parametrize("answer", [[], {}, {"pid": 7}, "hello"])
def test_another_program_on_the_same_port_is_somebody_else(data: Path, answer: Any) -> None:
    """Whatever it says."""
    with page(answer) as address:
        at_work(data, address)
        assert told(data)["running"] is False


def test_one_that_was_killed_is_not_at_work(data: Path) -> None:
    """Its note is still there, and nobody answers at the address."""
    with page(health()) as address:
        pass
    at_work(data, address)
    assert told(data)["running"] is False
    assert status(data).stdout.startswith("小二    没有开工。")


def test_one_that_hangs_is_at_work_and_not_well(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its port takes the call, and nobody answers."""
    monkeypatch.setattr(asking, "LONGEST", 0.05)
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as silent:
        at_work(data, f"http://127.0.0.1:{silent.server_address[1]}")
        found = told(data)
    assert found["running"] is True
    assert "没有答话" in found["reasons"][0]


def test_behind_a_password_it_is_asked_with_it(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the same variable; without it, it says what is missing."""
    with page(health(), password="芝麻") as address:
        at_work(data, address)
        found = told(data)
        assert (found["running"], found["accounts"]) == (True, {})
        assert "XIAOER_PAGE_PASSWORD" in found["reasons"][0]
        monkeypatch.setenv("XIAOER_PAGE_PASSWORD", "芝麻")
        assert told(data)["accounts"] == {"shop": "online"}


@pytest.mark.parametrize("content", ["", "[]", "{", '{"pid": "x", "address": "y", "since": 1}', "\0"])
def test_a_note_that_is_broken_is_no_note(data: Path, content: str) -> None:
    """Of who is at work, and of the last backup."""
    for name in (notes.RUN, notes.BACKUP):
        (data / name).write_text(content)
    found = told(data)
    assert (found["running"], found["backup"]) == (False, None)


def test_an_address_that_is_none_is_nobody(data: Path) -> None:
    """Somebody edited the note."""
    for address in ("", "nowhere", "http://127.0.0.1:99999"):
        at_work(data, address)
        assert told(data)["running"] is False


async def test_it_says_what_the_database_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without anybody at work: groups, the outbox with its oldest, today's slots, what is next."""
    monkeypatch.chdir(tmp_path)
    slots = ['id: a, at: "08:00", do: call', 'id: b, at: "09:00", post: 好', 'id: c, at: "21:00", do: quick']
    root = library(tmp_path / "sop_library", slots=slots)
    data = tmp_path / "data"
    async with World(data, library=root) as world:
        group = await world.group()
        await world.advance("61m")
        world.between(lambda _: Unsure("断了"))
        await group.post("阿强", "签到")
    databases.rows(world.place, "UPDATE timers SET parked = 1")
    databases.rows(
        world.place,
        "INSERT INTO outbox (id, account, chat, kind, body, state, at)"
        " VALUES (900, 'sandbox', 'g', 'say', '{}', 'planned', 1)",
    )
    found = told(data)
    assert (found["groups"], found["groups_open"], found["members"]) == (2, 2, 11)
    assert found["outbox"] == {"planned": 1, "sending": 0, "failed": 0, "stale": 0, "unknown": 1}
    assert found["outbox_oldest_seconds"] > 1e9
    assert found["occurrences_today"]["sent"] == 1
    assert found["next"] == {"at": "2030-01-07T09:00:00+08:00", "what": ["好"]}
    words = status(data).stdout
    for said in ("开张的 2 个", "等着发 1；不知道 1；最早的等了", "xiaoer outbox list", "已发 1", "09:00 好"):
        assert said in words


def test_the_next_thing_may_be_a_timer(data: Path) -> None:
    """Or be due on another day, which is said then."""
    for sql in (
        "INSERT INTO groups (account, chat) VALUES ('sandbox', 'g')",
        "INSERT INTO timers (group_id, kind, subject, due) VALUES (1, 'packet.expire', 3, 4102444800000000)",
        "INSERT INTO timers (group_id, kind, subject, due, parked) VALUES (1, 'slot', 3, 1, 1)",
    ):
        databases.rows(databases.place(data), sql)
    assert told(data)["next"] == {"at": "2100-01-01T08:00:00+08:00", "what": ["packet.expire"]}
    words = status(data).stdout
    assert "01-01 08:00 packet.expire" in words
    assert "1 件定时的事" in words


@databases.SQLITE_ALONE
def test_a_backup_is_remembered(data: Path, tmp_path: Path) -> None:
    """When, and where it is."""
    assert "还没有，用 xiaoer db backup" in status(data).stdout
    target = tmp_path / "copy.db"
    assert CliRunner().invoke(app, ["db", "backup", str(target), "--data", str(data)]).exit_code == 0
    assert told(data)["backup"]["file"] == str(target)
    assert f"秒前，{target}" in status(data).stdout


def test_it_takes_no_lock_and_leaves_nothing_behind(data: Path) -> None:
    """The lock may be held or free: it is not even looked at."""
    before = sorted(data.iterdir())
    assert told(data)["running"] is False
    assert sorted(data.iterdir()) == before
    owned = Owned(databases.place(data), as_it_is=True)
    assert told(data)["running"] is False
    owned.release()


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder, no database in it, no database at all in the file: exit 2. A server may just be away."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / FILE).write_bytes(b"not a database" * 1000)
    databases.rows(databases.empty(tmp_path / "older"), "CREATE TABLE something (x INT)")
    for name in ("nowhere", "empty", "wrong", "older"):
        result = status(tmp_path / name)
        assert result.exit_code == 2, result.output
        if isinstance(databases.place(tmp_path / name), Path):
            assert (result.stdout, len(result.stderr.splitlines())) == ("", 1), result.output
        else:
            assert "没有开工" in result.output or len(result.stderr.splitlines()) == 1, result.output
        assert "Traceback" not in result.output
    assert not (tmp_path / "nowhere").exists()
