"""`xiaoer run` as a process: ready, one at a time, and gone when it is told to go."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

XIAOER = [sys.executable, "-W", "error", "-m", "bot.cli"]
POLL = """
import sys, urllib.request
print("asking", flush=True)
urllib.request.urlopen(sys.argv[1]).read()
"""
ROOT = Path(__file__).resolve().parents[2]


def start(*words: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*XIAOER, *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )


def ready(process: subprocess.Popen[str]) -> str:
    """The address, once it says that it answers."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.fullmatch(r"ready (http://\S+)\n", line):
            return found[1]
    raise AssertionError(process.communicate())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_process_from_ready_to_sigterm(folder: Path, tmp_path: Path) -> None:
    """It answers, keeps its port and its folder from a second one, is audited and saved while it
    runs, and leaves promptly with 0 while somebody waits in a long poll."""
    process = start("run", "--port", 0, "--data", folder)
    try:
        address = ready(process)
        api = f"{address}/api/sandbox"
        with httpx.Client() as client:
            assert client.get(f"{api}/groups").json()[0]["tags"] == ["理财"]
            said = client.post(f"{api}/groups/g1/messages", json={"from": "阿强", "text": "签到"})
            assert said.status_code == 202
            lines = client.get(f"{api}/groups/g1/messages", params={"after": 3, "wait": 5}).json()
            assert "签到成功" in lines[0]["text"]

        port = address.rpartition(":")[2]
        second = start("run", "--port", 0, "--data", folder)
        taken = start("run", "--port", port, "--data", tmp_path / "other")
        audit = start("db", "audit", "--data", folder)
        backup = start("db", "backup", tmp_path / "copy.db", "--data", folder)
        for other, words in ((second, "正被另一个小二使用"), (taken, f"端口 {port} 用不了")):
            out, err = other.communicate(timeout=30)
            assert (other.returncode, out, len(err.splitlines())) == (2, "", 1), err
            assert words in err
        for beside in (audit, backup):
            out, err = beside.communicate(timeout=30)
            assert (beside.returncode, err) == (0, ""), out

        poll = subprocess.Popen(
            [
                sys.executable,
                "-c",
                POLL,
                f"{api}/groups/g1/messages?after=99999&wait=30",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert poll.stdout is not None
        assert poll.stdout.readline() == "asking\n"
        with httpx.Client() as client:  # its turn came after the poll's
            client.get(f"{api}/clock")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert time.monotonic() - began < 10  # the poll would wait for 30
        assert "Traceback" not in err
        poll.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_is_no_traceback_and_a_restart_knows_everything(folder: Path) -> None:
    """SIGINT leaves with 0; a wrong configuration leaves with 2, both without a traceback."""
    wrong = folder.parent / "config.yaml"
    wrong.write_text("prot: 5\n")
    refused = start("run", "--config", wrong)
    process = start("run", "--port", 0, "--data", folder)
    try:
        ready(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert (process.returncode, "Traceback" in err) == (0, False)
        out, err = refused.communicate(timeout=30)
        assert (refused.returncode, out) == (2, "")
        assert f"{wrong}:1:1: " in err
        assert "prot" in err
        assert "Traceback" not in err
    finally:
        process.kill()
        process.communicate()
