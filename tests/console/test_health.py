"""/healthz: 200 while 小二 can do its work, 503 with the reasons while it cannot."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from bot.config import Page, Settings
from bot.console import health
from bot.ports import State
from bot.serve import face
from storage.place import FILE
from tests.harness import World, hold


async def reasons(world: World) -> Sequence[str]:
    """Why not; status and words must not contradict each other."""
    answer = await world.http.get("/healthz")
    body = answer.json()
    assert (answer.status_code, body["status"]) == ((503, "unwell") if body["reasons"] else (200, "ok"))
    assert body["pid"] == os.getpid()
    assert set(body["accounts"]) == {"sandbox"}
    return list(body["reasons"])


async def test_an_account_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    """Its state and what more is known of it are the reason."""
    async with World(tmp_path) as world:
        assert await reasons(world) == []
        wire = world.between(lambda _: None)
        for state, note, said in (
            (State.GONE, "", "账号 sandbox 连不上网关。"),
            (State.CONNECTING, "", "账号 sandbox 正在连网关。"),
            (State.SCAN, "码在这里", "账号 sandbox 等人用手机扫码：码在这里"),
            (State.LOGGED_OUT, "", "账号 sandbox 退出登录了。"),
        ):
            wire.state, wire.note = state, note
            assert await reasons(world) == [said]
        wire.state = State.ONLINE
        assert await reasons(world) == []


async def test_a_writer_that_is_stuck_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe goes the way of every event, so it is not answered either."""
    async with World(tmp_path) as world:
        monkeypatch.setattr(health, "PATIENCE", 0.05)
        go = hold(world.app.database.writer)
        try:
            assert await reasons(world) == ["数据库 0.05 秒没有答话。"]
        finally:
            go()
        monkeypatch.setattr(health, "PATIENCE", 10)
        await world.settle()
        assert await reasons(world) == []


async def test_a_database_that_another_program_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can write then, 小二 neither; it goes on when the other lets go."""
    async with World(tmp_path) as world:
        monkeypatch.setattr(health, "PATIENCE", 0.05)
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            (reason,) = await reasons(world)
            assert reason.startswith("数据库")
            other.execute("ROLLBACK")
        monkeypatch.setattr(health, "PATIENCE", 10)
        await world.settle()
        assert await reasons(world) == []


@pytest.mark.parametrize("address", ["/healthz", "/metrics"])
async def test_it_stands_behind_the_pages_password(tmp_path: Path, address: str) -> None:
    """Basic, whoever asks; the password is in no answer."""
    async with World(tmp_path, Settings(page=Page(host="192.0.2.1"))) as world:
        transport = httpx.ASGITransport(app=face(world.app, "芝麻-sesame"))
        async with httpx.AsyncClient(transport=transport, base_url="http://anywhere") as http:
            assert (await http.get(address)).status_code == 401
            assert (await http.get(address, auth=("prometheus", "wrong"))).status_code == 401
            answer = await http.get(address, auth=("prometheus", "芝麻-sesame"))
            assert answer.status_code == 200
            assert "sesame" not in answer.text


@pytest.mark.parametrize("address", ["/healthz", "/metrics"])
async def test_a_page_elsewhere_cannot_read_it(tmp_path: Path, address: str) -> None:
    """On loopback without a password, a name that was made to point here is refused."""
    async with World(tmp_path) as world:
        answer = await world.http.get(address, headers={"Host": "evil.example"})
        assert answer.status_code == 400
