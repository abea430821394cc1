"""Commands beside a 小二 whose database is on a server: which database they work on, and what they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.config import DATABASE_URL
from bot.console import notes
from storage.migrate import newest
from tests import databases, postgres
from tests.cli.test_cli import URL, xiaoer
from tests.cli.test_process import ready, start
from tests.console.test_status import SINCE, health, page

SERVER = "127.0.0.1:1/db"
NAME = "xiaoer_commands"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.logs.configure", lambda *_: None)
    monkeypatch.delenv(DATABASE_URL, raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of the configuration here, with the file that was left behind in it."""
    databases.blank(tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.parametrize(
    "command",
    [
        ["run", "--port", "0"],
        ["status"],
        ["db", "audit"],
        ["db", "upgrade"],
        ["db", "backup", "x"],
        ["outbox", "list"],
        ["outbox", "resend", "1"],
        ["outbox", "settle", "1"],
    ],
)
def test_a_command_that_would_take_another_database_than_the_one_at_work_is_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """As without the variable that the process has; one sentence names both databases."""
    with page(health()) as address:
        notes.begin(data, notes.AtWork(7, address, SINCE, SERVER))
        for words in ([], ["--data", str(data)]):
            result = xiaoer(*command, *words)
            assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
            for word in ("进程 7", SERVER, str(Path("data", "xiaoer.db")), DATABASE_URL):
                assert word in result.stderr
        notes.begin(data, notes.AtWork(7, address, SINCE))
        monkeypatch.setenv(DATABASE_URL, URL)
        result = xiaoer(*command)
        assert (result.exit_code, SERVER in result.stderr, "s3cret" in result.output) == (2, True, False)


def test_a_note_of_one_that_was_killed_refuses_nothing(data: Path) -> None:
    """Nor does a note of one that works on the very file."""
    with page(health()) as address:
        notes.begin(data, notes.AtWork(7, address, SINCE))
        assert xiaoer("db", "audit").exit_code == 0
    notes.begin(data, notes.AtWork(7, address, SINCE, SERVER))
    assert xiaoer("db", "audit").exit_code == 0


def test_without_its_server_the_status_tells_whether_somebody_is_at_work(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that the server is away; exit 2, for the database could not be read."""
    monkeypatch.setenv(DATABASE_URL, URL)
    nobody = xiaoer("status")
    assert (nobody.exit_code, nobody.stderr) == (2, "")
    assert "没有开工" in nobody.stdout
    with page(health()) as address:
        notes.begin(data, notes.AtWork(7, address, SINCE, SERVER))
        words, found = xiaoer("status"), xiaoer("status", "--json")
    assert (words.exit_code, found.exit_code) == (2, 2)
    for word in ("在当差", "进程 7", f"连不上数据库 {SERVER}：", "pg_dump"):
        assert word in words.stdout
    told = json.loads(found.stdout)
    assert (told["running"], told["healthy"], len(told["reasons"])) == (True, False, 1)
    assert "s3cret" not in words.output + found.output


def test_a_process_notes_its_server_and_a_second_one_is_told(
    tmp_path: Path, postgresql: postgres.Server | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second leaves with 1: it may be the new machine, that waits for the old one's session to end."""
    if postgresql is None:
        pytest.skip(postgres.MISSING)
    url = postgresql.make(NAME)
    files = []
    for name in ("one", "two"):
        files.append(tmp_path / f"{name}.yaml")
        files[-1].write_text(f"data: {tmp_path / name}\npage: {{port: 0}}\n")
    first = start("run", "--config", files[0], **{DATABASE_URL: url})
    try:
        ready(first)
        note = notes.at_work(tmp_path / "one")
        assert note is not None
        assert note.database.endswith(f"/{NAME}")
        second = start("run", "--config", files[1], **{DATABASE_URL: url})
        out, err = second.communicate(timeout=30)
        assert (second.returncode, out, "正被另一个小二使用" in err) == (1, "", True)
        assert xiaoer("db", "audit", "--config", files[0]).exit_code == 2
        monkeypatch.setenv(DATABASE_URL, url)
        assert xiaoer("db", "audit", "--config", files[0]).exit_code == 0
        assert "在服务器上，用 pg_dump" in xiaoer("status", "--config", files[0]).stdout
        first.terminate()
        first.communicate(timeout=30)
        assert first.returncode == 0
    finally:
        first.kill()
        first.communicate()
        postgresql.drop(NAME)


def test_an_empty_database_is_told_as_one(
    postgresql: postgres.Server | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one of another version as that; what helps is the same."""
    if postgresql is None:
        pytest.skip(postgres.MISSING)
    monkeypatch.setenv(DATABASE_URL, url := postgresql.make(NAME))
    try:
        told = xiaoer("db", "audit").stderr
        assert "里面还没有小二的表，请先运行 xiaoer db upgrade" in told
        assert xiaoer("db", "upgrade").exit_code == 0
        assert databases.rows(url, "SELECT version_num FROM alembic_version") == [(newest(),)]
        databases.rows(url, "UPDATE alembic_version SET version_num = '0000'")
        assert "版本和程序不一致" in xiaoer("db", "audit").stderr
    finally:
        postgresql.drop(NAME)
