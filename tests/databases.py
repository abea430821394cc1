"""The database of a test's folder: a file in it, or one on a server, as the fixture `database` chose.

A test names a folder, as it would for SQLite; here the folder leads to the place.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.numeric import IntLoader
from sqlalchemy import Engine, event

from storage.db import connect
from storage.migrate import upgrade
from storage.place import FILE, Place, engine_of
from tests.postgres import Server

# For a test that has nothing to show of a server, in a module that is on both databases.
SQLITE_ALONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

# Tests that run side by side may share a server that was given.
TEMPLATE = f"xiaoer_blank_{os.getpid()}"

# The server that the tests are on now; None for files.
_server: Server | None = None
_made: list[str] = []
_old: list[str] = []


@contextmanager
def on(server: Server | None) -> Iterator[None]:
    """All databases are here until the end, where those that are left are dropped."""
    global _server  # noqa: PLW0603
    _server = server
    try:
        yield
    finally:
        _drop(_made, _old)
        _server = None


@contextmanager
def tidy() -> Iterator[None]:
    """What is made meanwhile is dropped, one turn later: the server waits for sessions that just end."""
    before = len(_made)
    try:
        yield
    finally:
        _drop(_old)
        _old.extend(_made[before:])
        del _made[before:]


def place(folder: Path) -> Place:
    """Where the database of a folder is, made or not."""
    return _server.url(name(folder)) if _server else folder


def empty(folder: Path) -> Place:
    """A database without tables."""
    folder.mkdir(parents=True, exist_ok=True)
    if _server is None:
        (folder / FILE).unlink(missing_ok=True)
        return folder
    return _make(folder, "template0")


def blank(folder: Path) -> Place:
    """A database with all tables and nothing in them."""
    folder.mkdir(parents=True, exist_ok=True)
    if _server is None:
        (folder / FILE).write_bytes(_file())
        return folder
    return _make(folder, _template(_server))


def copied(source: Path, folder: Path) -> Place:
    """A copy of a folder's database in another folder. Nobody may be at work on it."""
    folder.mkdir(parents=True, exist_ok=True)
    if _server is None:
        shutil.copy(source / FILE, folder / FILE)
        return folder
    return _make(folder, name(source))


def words(folder: Path) -> tuple[str, ...]:
    """How a command is told of a folder with its database: by name, or by a configuration beside it."""
    if _server is None:
        return "--data", str(folder)
    file = folder.with_name(f"{folder.name}.yaml")
    file.write_text(f"data: {json.dumps(str(folder))}\ndatabase_url: {json.dumps(place(folder))}\n")
    return "--config", str(file)


def rows(place: Place, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """What a statement with `?` for its values gives or does, beside whoever is at work."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place / FILE, timeout=10)) as file, file:
            return file.execute(sql, values).fetchall()
    sql = sql.replace("%", "%%").replace("?", "%s")
    with psycopg.connect(place.replace("+psycopg", "", 1), autocommit=True) as server:
        server.adapters.register_loader("numeric", IntLoader)
        cursor = server.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


async def left_alone(url: str) -> None:
    """Wait until the server has ended the sessions of a process that was killed."""
    others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    while rows(url, others):
        # Nothing tells us; it takes the server a moment.
        await asyncio.sleep(0.01)


def quick(made: Engine) -> None:
    """Do without fsync: these tests kill nothing. The tests' server does so by itself."""
    if made.dialect.name != "sqlite":
        return

    @event.listens_for(made, "connect")
    def unsafe(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF").close()


def _drop(*lists: list[str]) -> None:
    for names in lists:
        while names:
            assert _server is not None
            _server.drop(names.pop())


def name(folder: Path) -> str:
    """What a folder's database is called on the server."""
    return "xiaoer_" + hashlib.sha256(str(folder).encode()).hexdigest()[:16]


def _make(folder: Path, template: str) -> str:
    assert _server is not None
    called = name(folder)
    if called in _made:
        _server.drop(called)
    else:
        _made.append(called)
    return _server.make(called, template)


@cache
def _file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        migrate(Path(folder))
        return (Path(folder) / FILE).read_bytes()


@cache
def _template(server: Server) -> str:
    migrate(server.make(TEMPLATE))
    return TEMPLATE


def migrate(place: Place) -> None:
    """Bring the tables of a place up to date."""
    made = engine_of(place)
    db = connect(made)
    upgrade(db)
    db.close()
    made.dispose()
