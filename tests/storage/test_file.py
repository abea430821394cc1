"""What a database in a data folder is besides: durable, backed up while it works, refused when it is none."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.errors import Unusable
from storage.audit import audit
from storage.database import Database, backup
from storage.place import FILE
from tests.harness import World


def test_an_audit_needs_a_database(tmp_path: Path) -> None:
    """One that is not there, or is no database, is one sentence."""
    with pytest.raises(Unusable, match="没有数据库"):
        audit(tmp_path)
    (tmp_path / FILE).write_bytes(b"nonsense" * 1000)
    with pytest.raises(Unusable, match="打不开"):
        audit(tmp_path)


async def test_a_backup_while_the_writer_works_is_clean_and_can_be_used(tmp_path: Path) -> None:
    """It holds what was answered before it, and a new 小二 starts on it."""
    async with World(tmp_path / "data") as world:
        group = await world.group(members=[f"群友{n}" for n in range(20)])
        address = f"/api/sandbox/groups/{group.id}/messages"
        await group.say("群友0", "签到")
        busy = [
            asyncio.create_task(world.http.post(address, json={"from": f"群友{n}", "text": "签到"}))
            for n in range(20)
        ]
        (tmp_path / "copy").mkdir()
        await asyncio.to_thread(backup, tmp_path / "data", tmp_path / "copy" / FILE)
        await asyncio.gather(*busy)
        with pytest.raises(Unusable, match="已经存在"):
            backup(tmp_path / "data", tmp_path / "copy" / FILE)
        with pytest.raises(Unusable, match="不存在"):
            backup(tmp_path / "data", tmp_path / "nowhere" / FILE)
        assert audit(tmp_path / "data").clean
    copy = audit(tmp_path / "copy")
    assert copy.clean
    assert copy.counts["sign_ins"] >= 1
    second = World(tmp_path / "second")
    shutil.copy(tmp_path / "copy" / FILE, tmp_path / "second" / FILE)
    async with second as world:
        restored = (await world.http.get("/api/sandbox/groups")).json()
        assert [one["title"] for one in restored] == ["街坊理财群", "试验群"]


def test_a_backup_needs_a_database(tmp_path: Path) -> None:
    """An empty folder has nothing to copy."""
    with pytest.raises(Unusable, match="没有数据库"):
        backup(tmp_path, tmp_path / "copy.db")


async def test_every_commit_is_durable(tmp_path: Path) -> None:
    """The connections are WAL, synchronous=FULL, with foreign keys on."""
    database = await Database.open(tmp_path)
    with database._engine.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    await database.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"x" * 5000])
async def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    """And the lock is let go."""
    (tmp_path / FILE).write_bytes(content)
    for _ in range(2):
        with pytest.raises(Unusable, match="打不开数据库"):
            await Database.open(tmp_path)
