"""Trouble to order: a disk that is full, a lock that somebody else holds, a clock that jumps, a slow hand."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from storage.place import FILE, Place
from storage.store import Store
from storage.writer import Writer
from tests import databases

# The SQLSTATE of a server whose disk is full.
DISK_FULL = "53100"
_TRIGGER = (
    "CREATE TABLE disk AS SELECT false AS is_full",
    """CREATE FUNCTION disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT is_full FROM disk) THEN
            RAISE 'could not extend file: No space left on device' USING ERRCODE = '{code}';
        END IF;
        RETURN NULL;
    END $$""",
    "CREATE TRIGGER disk BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION disk()",
)

Lines = list[MutableMapping[str, Any]]

PATIENCE = 30
REFUSES, TAKES = "the database takes nothing: what comes is kept, and tried again", "the database takes again"


async def until(so: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not so():
            await asyncio.sleep(0.002)


async def busy(writer: Writer) -> Callable[[], None]:
    """The writer is at work, so that what is submitted now meets in one batch; the answer lets it go on."""
    begun, gate = threading.Event(), threading.Event()

    def work(_: Store) -> None:
        begun.set()
        gate.wait(PATIENCE)

    writer.submit(work, lambda *_: None)
    await until(begun.is_set)
    return gate.set


def told(lines: Lines, *levels: str) -> list[str]:
    """What was logged at these levels, warnings and worse unless others are named; not how slow we are."""
    wanted = levels or ("warning", "error", "critical")
    return [one["event"] for one in lines if one["log_level"] in wanted and one["event"] != "slow turn"]


class Disk:
    """The room that a database has. SQLite itself says when there is none.

    On a server a trigger says so of one table: of the one that every COMMIT writes to, or another.
    """

    def __init__(self, place: Place, writer: Writer, table: str = "commits", code: str = DISK_FULL) -> None:
        self._place = place
        self._writer = writer
        if isinstance(place, str):
            for sql in _TRIGGER:
                databases.rows(place, sql.format(table=table, code=code))

    def fill(self) -> None:
        """From now on nothing grows."""
        self._set(full=True)

    def make_room(self) -> None:
        self._set(full=False)

    def _set(self, *, full: bool) -> None:
        if isinstance(self._place, str):
            databases.rows(self._place, "UPDATE disk SET is_full = ?", full)
        else:
            self._pages(1 if full else 1_000_000)

    def _pages(self, most: int) -> None:
        connection: Any = self._writer._db._connection.connection.driver_connection
        connection.execute(f"PRAGMA max_page_count={most}").close()


@contextmanager
def held(folder: Path, how: str = "IMMEDIATE") -> Iterator[Callable[[], None]]:
    """Another program begins to write and does not end; what is given lets go."""
    other = sqlite3.connect(folder / FILE, isolation_level=None)
    other.execute(f"BEGIN {how}")
    other.execute("UPDATE groups SET title = title")

    def let_go() -> None:
        if other.in_transaction:
            other.execute("ROLLBACK")

    yield let_go
    let_go()
    other.close()


class Hands:
    """Time that passes only in a handler: `work(5)` takes five seconds, as far as anybody can tell."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._worked = 0.0
        real = time.perf_counter
        monkeypatch.setattr(time, "perf_counter", lambda: real() + self._worked)

    def work(self, seconds: float) -> None:
        self._worked += seconds


class Machine:
    """The machine's clock, which somebody sets; its ticks go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._set = 0
        self._ticked = 0
        wall, ticks = time.time_ns, time.monotonic_ns
        monkeypatch.setattr(time, "time_ns", lambda: wall() + 1000 * (self._set + self._ticked))
        monkeypatch.setattr(time, "monotonic_ns", lambda: ticks() + 1000 * self._ticked)

    def set(self, by: int) -> None:
        """Set the clock forward or back."""
        self._set += by

    def pass_by(self, span: int) -> None:
        """Let so much time really go by."""
        self._ticked += span
