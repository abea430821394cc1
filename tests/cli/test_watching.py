"""Watching a real process: while it is well, while its gateway is away, when it was killed; and a
backup that becomes a bot again."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.config import PAGE_PASSWORD
from bot.console import asking, notes
from storage.place import FILE
from tests import databases
from tests.cli.test_process import ready, start
from tests.console.scraped import numbers

PATIENCE = 30
TOKEN, PASSWORD = "tok-3f9a77", "sesame-5c1d"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@contextmanager
def running(data: Path, *words: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that is at work, and its address; killed when the block ends, if it is still there."""
    process = start("run", *databases.words(data), *(words or ("--port", 0)))
    try:
        yield process, ready(process)
    finally:
        process.kill()
        process.communicate()


def ended(*words: object) -> tuple[int, str, str]:
    """A command's exit code, and what it said and complained of."""
    process = start(*words)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def status(data: Path, *words: object) -> dict[str, Any]:
    """What it says to a program; the exit code must say the same."""
    result = CliRunner().invoke(app, ["status", "--data", str(data), "--json", *map(str, words)])
    found: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (0 if found["healthy"] else 1)
    return found


def say(address: str, who: str, text: str) -> str:
    """What 小二 answers them, whatever else it says."""
    url = f"{address}/api/sandbox/groups/g1/messages"
    with httpx.Client(timeout=PATIENCE) as http:
        after = max((line["seq"] for line in http.get(url).json()), default=0)
        assert http.post(url, json={"from": who, "text": text}).status_code == 202
        while True:
            lines = http.get(url, params={"after": after, "wait": PATIENCE}).json()
            assert lines
            if answers := [line["text"] for line in lines if line["text"].startswith(f"@{who} ")]:
                return str(answers[0])


def shout(address: str) -> None:
    """Say what is no HTTP, of which the server's own library tells in the log."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        connection.sendall(b"hello?\r\n\r\n")
        connection.recv(1000)


def test_from_its_start_until_it_is_killed(data: Path) -> None:
    """It is seen to be at work, with what it did; after a kill its note is there, and it is not."""
    with running(data) as (process, address):
        assert "签到成功" in say(address, "阿强", "签到")
        code, out, err = ended("status", "--data", data, "--json")
        found = json.loads(out)
        assert (code, err) == (0, "")
        assert (found["running"], found["pid"], found["address"]) == (True, process.pid, address)
        assert (found["accounts"], found["groups_open"], found["members"]) == ({"sandbox": "online"}, 1, 7)
        health = httpx.get(f"{address}/healthz")
        assert (health.status_code, health.json()["since"]) == (200, found["since"])
        seen = numbers(httpx.get(f"{address}/metrics").text)
        assert seen("xiaoer_events_total", kind="message", outcome="handled") == 2  # 开张 and 签到
        assert seen("xiaoer_outbox_ended_total", state="sent") == 2
        assert seen("process_resident_memory_bytes") > 10_000_000
        process.kill()
        process.wait(PATIENCE)
        assert (data / notes.RUN).exists()
        found = status(data)
        assert (found["running"], found["reasons"]) == (False, ["没有开工。"])
        assert (found["groups_open"], found["members"]) == (1, 7)


def test_a_gateway_that_is_away_is_seen_and_no_secret_is(data: Path, tmp_path: Path) -> None:
    """Behind a password: what is wrong is in /healthz, the status and the log, whose every line is JSON;
    token and password are nowhere. When it is told to stop, nothing says that it is at work."""
    config = tmp_path / "config.yaml"
    config.write_text(
        'accounts: [{name: shop, endpoint: "127.0.0.1:9", token_env: SHOP_TOKEN}]\n'
        "sandbox: true\npage: {port: 0}\nlog: {format: json, level: debug}\n"
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SHOP_TOKEN", TOKEN)
        environment.setenv(PAGE_PASSWORD, PASSWORD)
        with running(data, "--config", config) as (process, address):
            found = status(data, "--config", config)
            assert (found["running"], found["accounts"]["sandbox"]) == (True, "online")
            assert found["accounts"]["shop"] != "online"
            assert "账号 shop" in found["reasons"][0]
            assert httpx.get(f"{address}/healthz").status_code == 401
            known = httpx.Client(auth=("prometheus", PASSWORD))
            with known:
                health, metrics = known.get(f"{address}/healthz"), known.get(f"{address}/metrics")
            assert health.status_code == 503
            seen = numbers(metrics.text)
            assert seen("xiaoer_account_online", account="shop") == 0
            assert seen("xiaoer_account_online", account="sandbox") == 1
            shout(address)
            environment.delenv(PAGE_PASSWORD)
            assert PAGE_PASSWORD in status(data, "--config", config)["reasons"][0]
            note = (data / notes.RUN).read_text()
            process.terminate()
            out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert not (data / notes.RUN).exists()
    lines = [json.loads(line) for line in err.splitlines()]
    assert any(line["event"] == "wechaty_gateway_gone" and line["account"] == "shop" for line in lines)
    assert any("Invalid HTTP" in line["event"] for line in lines)
    handled = [line for line in lines if line["event"] == "handled" and line["kind"] == "message"]
    assert handled
    assert all({"group", "member", "handler", "ms"} <= set(line) for line in handled)
    for text in (out, err, note, health.text, metrics.text):
        assert TOKEN not in text
        assert PASSWORD not in text


def test_a_bot_that_hangs_holds_up_no_one_who_asks(data: Path) -> None:
    """Stopped in mid-air: the status still comes, says so, and takes nothing from it."""
    with running(data) as (process, address):
        process.send_signal(signal.SIGSTOP)
        try:
            with pytest.MonkeyPatch.context() as impatient:
                impatient.setattr(asking, "LONGEST", 0.5)
                found = status(data)
        finally:
            process.send_signal(signal.SIGCONT)
        assert (found["running"], found["groups_open"]) == (True, 1)
        assert "没有答话" in found["reasons"][0]
        assert "签到成功" in say(address, "阿强", "签到")
        assert status(data)["healthy"]


def test_a_backup_becomes_a_bot_again(data: Path, tmp_path: Path) -> None:
    """As docs/running.md has it: backed up while it works, put into a new folder, audited, started; a
    member's points, the group and what they may do are there, and what came after the backup is not."""
    backup, restored = tmp_path / "backup.db", tmp_path / "restored"
    with running(data) as (process, address):
        assert "共 5 分" in say(address, "阿强", "签到")
        assert ended("db", "backup", backup, "--data", data)[0] == 0
        assert "共 5 分" in say(address, "小美", "签到")
        assert status(data)["backup"]["file"] == str(backup)
        process.kill()  # the machine is gone
    restored.mkdir()
    shutil.copy(backup, restored / FILE)
    code, said, _ = ended("db", "audit", "--data", restored)
    assert (code, said.splitlines()[-1]) == (0, "账是平的，没有重复。")
    with running(restored) as (_, address):
        assert "今天已签到" in say(address, "阿强", "签到")
        assert say(address, "阿强", "我的积分").endswith("你有 5 分。")
        assert say(address, "小美", "我的积分").endswith("你有 0 分。")
        assert "早就开张了" in say(address, "陈经理", "开张 理财")
        found = status(restored)
        assert (found["healthy"], found["groups_open"], found["members"]) == (True, 1, 7)
    assert ended("db", "audit", "--data", restored)[0] == 0
