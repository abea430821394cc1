"""`xiaoer run` on a disk that is really full: the machine's own limit on how long its files may grow."""

from __future__ import annotations

import errno
import io
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO, cast

import httpx
import pytest
import structlog

from bot.logs import Unfailing
from storage.audit import audit
from storage.place import FILE
from tests.faults.trouble import REFUSES, TAKES
from tests.page import stage

API = "/api/sandbox/groups"
MEMBERS = [f"群友{n}" for n in range(60)]


class Full:
    """The disk of one process: its files may grow no longer than the longest that there is."""

    def __init__(self, process: int, data: Path) -> None:
        self._process = process
        self._data = data

    def fill(self) -> None:
        longest = max(path.stat().st_size for path in self._data.glob(f"{FILE}*"))
        self._limit(longest + 4_000)

    def make_room(self) -> None:
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        _, hard = resource.prlimit(self._process, resource.RLIMIT_FSIZE)
        resource.prlimit(self._process, resource.RLIMIT_FSIZE, (size, hard))


@contextmanager
def signing_in(client: httpx.Client, group: str) -> Iterator[list[int]]:
    """Everybody signs in, one after the other; the answers as they come."""
    answers: list[int] = []

    def go() -> None:
        with suppress(httpx.TransportError):  # when it ends
            for who in MEMBERS:
                said = {"from": who, "text": "签到"}
                answers.append(client.post(f"{API}/{group}/messages", json=said).status_code)

    thread = threading.Thread(target=go)
    thread.start()
    yield answers
    thread.join(60)
    assert not thread.is_alive()


def wait_for(log: Path, words: str) -> None:
    deadline = time.monotonic() + stage.PATIENCE
    while words not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


def test_a_full_disk_is_lived_through(tmp_path: Path) -> None:
    """Members wait, readers do not; with room again everybody is signed in once, told of in two lines."""
    data = tmp_path / "data"
    with stage.bot(data) as bot, httpx.Client(base_url=bot.url, timeout=60) as client:
        new = {"title": "一群", "owner": "掌柜", "members": MEMBERS, "tags": ["试"]}
        group = client.post(API, json=new).json()["id"]
        disk = Full(bot.process.pid, data)
        disk.fill()
        with signing_in(client, group) as answers:
            wait_for(bot.log, REFUSES)
            with httpx.Client(base_url=bot.url, timeout=5) as other:
                assert other.get(API).status_code == 200
                assert other.get(f"{API}/{group}/messages").status_code == 200
            assert len(answers) < len(MEMBERS)
            disk.make_room()
        assert answers == [202] * len(MEMBERS)
        places: set[str] = set()
        seq = 0
        while len(places) < len(MEMBERS):
            lines = client.get(f"{API}/{group}/messages", params={"after": seq, "wait": 20}).json()
            assert lines
            seq = lines[-1]["seq"]
            places |= {line["text"].partition(" ")[0] for line in lines if "签到成功" in line["text"]}
        assert bot.end()[0] == 0
        told = bot.troubles()
        assert [REFUSES in told[0], TAKES in told[-1], len(told)] == [True, True, 2]
    assert audit(data).clean


def test_a_stop_on_a_full_disk_is_prompt_and_nothing_confirmed_is_lost(tmp_path: Path) -> None:
    """The next start finishes what was taken in."""
    data = tmp_path / "data"
    with stage.bot(data) as bot, httpx.Client(base_url=bot.url, timeout=60) as client:
        new = {"title": "一群", "owner": "掌柜", "members": MEMBERS, "tags": ["试"]}
        group = client.post(API, json=new).json()["id"]
        Full(bot.process.pid, data).fill()
        with signing_in(client, group) as answers:
            wait_for(bot.log, REFUSES)
            code, seconds = bot.end()
            assert (code, seconds < 8) == (0, True), bot.log.read_text()
    assert "Traceback" not in bot.log.read_text()
    confirmed = answers.count(202)
    with stage.bot(data) as bot, httpx.Client(base_url=bot.url, timeout=60) as client:
        found: list[str] = []
        while len(found) < confirmed:
            lines = client.get(f"{API}/{group}/messages", params={"wait": 1}).json()
            found = [line["text"] for line in lines if "签到成功" in line["text"]]
        assert len(found) == len(set(found)) == confirmed
        assert bot.end()[0] == 0
    assert audit(data).clean


def test_a_log_on_the_full_disk_ends_nothing() -> None:
    """Not a line of it can be written; what logs goes on, and is heard again when there is room."""

    class Disk(io.StringIO):
        full = True

        def write(self, text: str) -> int:
            if self.full:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(text)

        def flush(self) -> None:
            if self.full:
                raise OSError(errno.ENOSPC, "No space left on device")

    disk = Disk()
    with pytest.raises(OSError, match="No space"):
        structlog.PrintLogger(disk).msg("lost")
    log = structlog.PrintLogger(cast("TextIO", Unfailing(disk)))
    log.msg("lost")
    disk.full = False
    log.msg("there")
    assert disk.getvalue() == "there\n"


if not hasattr(resource, "prlimit"):  # macOS has none for another process
    pytestmark = pytest.mark.skip(reason="要有 Linux 的 prlimit")
