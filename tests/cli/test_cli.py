"""The command line: what it says, and the code that it leaves with."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot import config
from bot.cli import app
from bot.config import DATABASE_URL
from storage.place import FILE
from tests import databases, postgres
from tests.harness import SHIPPED, library


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test works in the folder that the tests were started in, where a real bot may keep its data."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    # Nor does a command that ends leave its log to the tests after it.
    monkeypatch.setattr("bot.logs.configure", lambda *_: None)


def xiaoer(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    databases.blank(tmp_path / "data")
    return tmp_path / "data"


def test_the_shipped_library_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`check` needs no database and no configuration, and leaves with 0; also from elsewhere.

    Years of which nobody can know the days off yet are all that it remarks.
    """
    for words in ((), (SHIPPED,)):
        result = xiaoer("check", *words)
        *remarks, good = result.stdout.splitlines()
        assert (result.exit_code, good.startswith("没有错：")) == (0, True)
        assert all("年的放假安排" in remark for remark in remarks), remarks
        assert int(re.findall(r"(\d+) 道题", result.stdout)[0]) >= 60
    result = xiaoer("check", SHIPPED, "--json")
    assert (result.exit_code, {told["level"] for told in json.loads(result.stdout)} - {"warning"}) == (
        0,
        set(),
    )
    monkeypatch.chdir(tmp_path)
    assert xiaoer("check").exit_code == 0
    assert list(tmp_path.iterdir()) == []


def test_faults_are_told_all_at_once_with_their_place(tmp_path: Path) -> None:
    """`file:line:col` and a sentence for each, exit 1; with --json the same for a program."""
    root = tmp_path / "sop"
    shutil.copytree(SHIPPED, root)
    (root / "activities/money-quiz.yaml").write_text("titel: 题\nkind: quiz\n")
    with (root / "calendars/bank-week.yaml").open("a") as file:
        file.write('  - {id: x, at: "25:00", post: 早}\n')
    result = xiaoer("check", root)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert len(lines) >= 2
    assert all(re.match(r"[^:]+\.yaml:\d+:\d+: .*[\u4e00-\u9fff]", line) for line in lines), lines
    assert any("money-quiz.yaml:1:1" in line and "title" in line for line in lines)
    assert any("25:00" in line for line in lines)
    faults = json.loads(xiaoer("check", root, "--json").stdout)
    assert len(faults) == len(lines)
    assert all(set(fault) == {"file", "line", "col", "message", "level"} for fault in faults)
    assert {fault["level"] for fault in faults} <= {"fault", "warning"}
    missing = xiaoer("check", tmp_path / "nowhere")
    assert (missing.exit_code, "找不到" in missing.stdout) == (1, True)


BAD = """\
timezone: Mars/Base
treasury: -5
tresury: 5
sign_in: {points: {2: 5}, day_starts: "26:00"}
page: {port: 99999}
accounts: [{name: a b, endpoint: nowhere}]
"""


@pytest.mark.parametrize(
    "command",
    [
        ["run"],
        ["status"],
        ["db", "audit"],
        ["db", "upgrade"],
        ["db", "backup", "x"],
        ["outbox", "list"],
        ["outbox", "settle", "1"],
    ],
)
def test_a_wrong_configuration_is_told_fault_by_fault(tmp_path: Path, command: list[str]) -> None:
    """Exit 2, each fault with its place, no traceback, nothing begun."""
    file = tmp_path / "config.yaml"
    file.write_text(BAD)
    result = xiaoer(*command, "--config", file)
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) >= 6
    assert all(re.match(r".*config\.yaml:\d+:\d+: ", line) for line in lines), lines
    assert "Traceback" not in result.output
    for word in ("Mars/Base", "treasury", "points", "26:00", "port", "name", "endpoint", "tresury"):
        assert word in result.stderr
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "content", ["a: [", "- 1\n- 2", "\0", "timezone: *x", "{{{", "a: !!python/object:os.system x"]
)
def test_a_configuration_that_is_no_yaml_is_a_fault(tmp_path: Path, content: str) -> None:
    """Whatever stands in it."""
    file = tmp_path / "config.yaml"
    file.write_text(content)
    result = xiaoer("run", "--config", file)
    assert result.exit_code == 2
    assert "config.yaml:" in result.stderr
    assert "Traceback" not in result.output
    result = xiaoer("check", "--config", file)
    assert result.exit_code == 1
    assert "config.yaml:" in result.stdout


def test_a_check_tells_of_configuration_and_library_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In words and as JSON, and exits 1."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(BAD)
    (tmp_path / "sop_library" / "activities").mkdir(parents=True)
    (tmp_path / "sop_library" / "activities" / "broken.yaml").write_text("a: [")
    result = xiaoer("check", "--json")
    assert result.exit_code == 1
    assert {Path(fault["file"]).name for fault in json.loads(result.stdout)} == {"config.yaml", "broken.yaml"}
    words = xiaoer("check")
    assert words.exit_code == 1
    assert "config.yaml:" in words.stdout
    assert "broken.yaml:" in words.stdout


def test_a_configuration_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """When it was named; a folder is none either."""
    for path in (tmp_path / "none.yaml", tmp_path):
        result = xiaoer("run", "--config", path)
        assert result.exit_code == 2
        assert len(result.stderr.splitlines()) == 1


def test_an_account_without_its_token_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named, and the data folder can be used again."""
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    file = tmp_path / "config.yaml"
    file.write_text(
        'accounts: [{name: shop, endpoint: "127.0.0.1:1", token_env: SHOP_TOKEN}]\npage: {port: 0}\n'
    )
    result = xiaoer("run", "--config", file, "--data", tmp_path / "data")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "SHOP_TOKEN" in result.stderr


def test_a_page_for_others_needs_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off loopback, 小二 does not start without one."""
    monkeypatch.delenv("XIAOER_PAGE_PASSWORD", raising=False)
    file = tmp_path / "config.yaml"
    file.write_text("page: {host: 0.0.0.0, port: 0}\n")
    result = xiaoer("run", "--config", file, "--data", tmp_path / "data")
    assert (result.exit_code, "XIAOER_PAGE_PASSWORD" in result.stderr) == (2, True)


def test_an_upgrade_makes_the_database_and_may_be_repeated(tmp_path: Path) -> None:
    """Its folder too; the audit of an empty one is clean."""
    for _ in range(2):
        assert xiaoer("db", "upgrade", "--data", tmp_path / "new" / "data").exit_code == 0
    assert xiaoer("db", "audit", "--data", tmp_path / "new" / "data").exit_code == 0


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """Here because its parent is a file; root may write anywhere else."""
    (tmp_path / "file").write_text("")
    for words in (("run", "--port", 0), ("db", "upgrade")):
        result = xiaoer(*words, "--data", tmp_path / "file" / "data")
        assert result.exit_code == 2
        assert len(result.stderr.splitlines()) == 1
        assert "不能写" in result.stderr


def test_an_audit_leaves_with_0_or_1_and_without_a_database_with_2(data: Path, tmp_path: Path) -> None:
    """In words and in JSON."""
    assert xiaoer("db", "audit", "--data", data).stdout.splitlines()[-1] == "账是平的，没有重复。"
    report = json.loads(xiaoer("db", "audit", "--json", "--data", data).stdout)
    assert (report["clean"], report["faults"], report["unknown"]) == (True, [], [])
    with closing(sqlite3.connect(data / FILE)) as connection, connection:
        connection.execute("INSERT INTO groups (account, chat) VALUES ('sandbox', 'g')")
        connection.execute(
            "INSERT INTO accounts (group_id, kind, subject, balance) VALUES (1, 'treasury', 0, 5)"
        )
    result = xiaoer("db", "audit", "--data", data)
    assert (result.exit_code, "不平" in result.stdout) == (1, True)
    result = xiaoer("db", "audit", "--data", data, "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["clean"], len(report["faults"])) == (1, False, 2)
    result = xiaoer("db", "audit", "--data", tmp_path)
    assert (result.exit_code, len(result.stderr.splitlines()), result.stdout) == (2, 1, "")


def test_a_backup_is_written_once(data: Path, tmp_path: Path) -> None:
    """A file that is there is left alone."""
    target = tmp_path / "copy.db"
    assert xiaoer("db", "backup", target, "--data", data).exit_code == 0
    before = target.read_bytes()
    again = xiaoer("db", "backup", target, "--data", data)
    assert (again.exit_code, "已经存在" in again.stderr) == (2, True)
    assert target.read_bytes() == before
    (tmp_path / "second").mkdir()
    shutil.copy(target, tmp_path / "second" / FILE)
    assert xiaoer("db", "audit", "--data", tmp_path / "second").exit_code == 0


URL = "postgresql://shop:s3cret@127.0.0.1:1/db"


@pytest.mark.parametrize(
    ("command", "code"), [(["run"], 1), (["db", "audit"], 2), (["db", "upgrade"], 2), (["outbox", "list"], 2)]
)
@pytest.mark.parametrize("where", ["file", "environment"])
def test_a_server_that_is_not_there_is_one_sentence_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], code: int, where: str
) -> None:
    """Whether the URL stands in the configuration or in the environment, which goes first.

    A start is tried again by whoever watches over it, which 2 would tell it not to do.
    """
    file = tmp_path / "config.yaml"
    file.write_text(f"page: {{port: 0}}\ndatabase_url: {URL if where == 'file' else URL + '-not'}\n")
    if where == "environment":
        monkeypatch.setenv(DATABASE_URL, URL)
    result = xiaoer(*command, "--config", file)
    assert result.exit_code == code
    assert len(result.stderr.splitlines()) == 1
    assert "连不上数据库 127.0.0.1:1/db：" in result.stderr
    assert "s3cret" not in result.output


def test_a_url_of_something_else_is_told_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in the file with its place, or a sentence about the variable; and settings do not show it."""
    file = tmp_path / "config.yaml"
    for wrong in ("mysql://shop:s3cret@host/db", "[s3cret]", "{a: s3cret}"):
        file.write_text(f"database_url: {wrong}\n")
        result = xiaoer("db", "audit", "--config", file)
        assert (result.exit_code, "s3cret" in result.output) == (2, False)
        assert "config.yaml:1:" in result.stderr
    file.write_text(f"database_url: {URL}\n")
    assert "s3cret" not in repr(config.load(file, required=True))
    monkeypatch.setenv(DATABASE_URL, "mysql://shop:s3cret@host/db")
    result = xiaoer("db", "audit", "--config", file)
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert DATABASE_URL in result.stderr
    assert "s3cret" not in result.output


def test_who_names_a_data_folder_means_the_database_in_it(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever server there is."""
    monkeypatch.setenv(DATABASE_URL, URL)
    assert xiaoer("db", "audit", "--data", data).exit_code == 0
    assert xiaoer("status", "--data", data).exit_code == 1
    assert xiaoer("db", "backup", tmp_path / "copy.db", "--data", data).exit_code == 0
    result = xiaoer("db", "backup", tmp_path / "other.db")
    assert (result.exit_code, "pg_dump" in result.stderr) == (2, True)
    assert not (tmp_path / "other.db").exists()


def test_a_data_folder_moves_onto_a_server(
    data: Path, postgresql: postgres.Server | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the URL that is named, or else to that of the configuration; the second time it is not empty."""
    if postgresql is None:
        pytest.skip(postgres.MISSING)
    assert "搬到哪里" in xiaoer("db", "copy", data).stderr
    for words in ((), ("named",)):
        url = postgresql.make("xiaoer_moved")
        try:
            monkeypatch.setenv(DATABASE_URL, URL if words else url)
            result = xiaoer("db", "copy", data, *(url for _ in words))
            assert result.exit_code == 0, result.stderr
            assert "搬好了" in result.stdout.splitlines()[-1]
            monkeypatch.setenv(DATABASE_URL, url)
            assert xiaoer("db", "audit").exit_code == 0
            again = xiaoer("db", "copy", data)
            assert (again.exit_code, again.stdout) == (0, result.stdout), "nothing was in it"
            databases.rows(url, "INSERT INTO groups (account, chat) VALUES ('a', 'g')")
            again = xiaoer("db", "copy", data)
            assert (again.exit_code, len(again.stderr.splitlines())) == (2, 1)
            assert "不是空的" in again.stderr
        finally:
            postgresql.drop("xiaoer_moved")


def test_a_command_that_is_not_there_is_a_usage_error() -> None:
    """Exit 2, and help with 0."""
    assert xiaoer("brew").exit_code == 2
    assert xiaoer("run", "--port", "70000").exit_code == 2
    for words in (("--help",), ("run", "--help"), ("db", "--help"), ("check", "--help")):
        assert xiaoer(*words).exit_code == 0


def test_slots_that_cannot_go_out_in_time_are_a_warning(data: Path, tmp_path: Path) -> None:
    """With their place, and exit 0; for so many groups as are named, or as the database has."""
    root = library(tmp_path / "lib", slots=['id: a, at: "08:00", post: 早, late: 5m'])
    result = xiaoer("check", root, "--groups", 240)
    assert result.exit_code == 0
    slow, fine = result.stdout.splitlines()
    assert re.match(r".*week\.yaml:4:\d+: 提醒：240 个群，轮到最后一个要 6 分钟", slow)
    assert fine.startswith("没有错：1 本日历")
    (one,) = json.loads(xiaoer("check", root, "--groups", 240, "--json").stdout)
    assert (one["level"], one["line"]) == ("warning", 4)
    with closing(sqlite3.connect(data / FILE)) as connection, connection:
        for number in range(1, 241):
            connection.execute(
                "INSERT INTO groups (id, account, chat, opened_at) VALUES (?, 'shop', ?, 1)",
                (number, f"g{number}"),
            )
            connection.execute("INSERT INTO tags (group_id, tag, since) VALUES (?, '试', 1)", (number,))
    assert "240 个群" in xiaoer("check", root, "--data", data).stdout
    with closing(sqlite3.connect(data / FILE)) as connection, connection:
        connection.execute("UPDATE groups SET account = 'sandbox'")
    assert "个群" not in xiaoer("check", root, "--data", data).stdout
    assert xiaoer("check", root, "--data", tmp_path / "none").exit_code == 0
    assert not (tmp_path / "none").exists()
    assert xiaoer("check", root, "--groups", 0).exit_code == 2


def test_a_library_elsewhere_is_checked_at_the_pace_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one here, or the one that is named; one that is broken is a fault, and the library is checked."""
    root = library(tmp_path / "lib", slots=['id: a, at: "08:00", post: 早, late: 5m'])
    words = ("check", root, "--groups", 240)
    (tmp_path / "quick.yaml").write_text("pace: {per_minute: 400}\n")
    assert "240 个群" not in xiaoer(*words, "--config", tmp_path / "quick.yaml").stdout
    monkeypatch.chdir(tmp_path)
    assert "要 6 分钟，late" in xiaoer(*words).stdout
    (tmp_path / "config.yaml").write_text("pace: {per_minute: 20}\n")
    assert "要 12 分钟，late" in xiaoer(*words).stdout
    (tmp_path / "config.yaml").write_text("pace: {per_minute: 0}\n")
    result = xiaoer(*words)
    fault, slow = result.stdout.splitlines()
    assert (result.exit_code, "config.yaml:1:" in fault, "要 6 分钟，late" in slow) == (1, True, True)


def test_a_small_library_of_ones_own_is_checked_alike(tmp_path: Path) -> None:
    """PATH is any library's root."""
    root = library(tmp_path, slots=['id: a, at: "08:00", post: 早'])
    result = xiaoer("check", root)
    assert (result.exit_code, "1 本日历" in result.stdout) == (0, True)
