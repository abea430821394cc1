"""The database of a rehearsal: nothing runs beside it, nothing is durable, and it may end at any step."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from storage.database import Database, Owned, read
from storage.db import Db
from storage.store import Store
from storage.writer import Ahead, Answer, Done, Unit, Writer

T = TypeVar("T")


class InlineWriter(Writer):
    """The writer without its thread: what waits is committed as soon as the event loop gets to it.

    `step` is called before and after each commit, and may raise a BaseException, after which nothing of
    this writer is done any more; `sealed` is called as soon as what was submitted so far is committed.
    """

    long = math.inf  # what is one batch must not hang on how fast the machine is

    def __init__(self, db: Db, step: Callable[[], None], sealed: Callable[[], None]) -> None:
        self._step = step
        self._sealed = sealed
        self._units: list[Unit] = []
        self.cut = False
        super().__init__(db)

    def submit(self, work: Callable[[Store], Any], done: Done, ahead: Ahead = None) -> None:
        if self.cut:
            return
        self._waiting += 1
        if not self._units:
            asyncio.get_running_loop().call_soon(self._write)
        self._units.append((work, done, ahead))

    def look(self, work: Callable[[Store], T]) -> T:
        """Read what is committed."""
        return work(self._store)

    async def close(self) -> None:
        while self._units and not self.cut:
            self._write()
        self._look_no_more()

    def _begin(self) -> None:
        """There is no thread."""

    def _write(self) -> None:
        if not self.cut:
            units, self._units = self._units, []
            self._commit(units)

    def _seal(self) -> None:
        self._take_step()
        super()._seal()
        self._sealed()
        self._take_step()

    def _take_step(self) -> None:
        try:
            self._step()
        except BaseException:
            self.cut = True
            raise

    def _answer(self, units: Sequence[Unit], results: Sequence[Answer]) -> None:
        self._tell(units, results)


class InlineDatabase(Database):
    """A database in a folder, opened for a rehearsal. `cut` is what a crash does to it."""

    def __init__(
        self, folder: Path, step: Callable[[], None], sealed: Callable[[], None] = lambda: None
    ) -> None:
        self.writer: InlineWriter
        self._gone = False
        self._owned = Owned(folder)
        self._owned.db.ask("PRAGMA synchronous=OFF")
        self.writer = InlineWriter(self._owned.db, step, sealed)

    async def read(self, work: Callable[[Store], T]) -> T:
        return read(self._owned.engine, work)

    async def close(self) -> None:
        await self.writer.close()
        self.cut()

    def cut(self) -> None:
        """Let go of the file; what was not committed is undone."""
        self.writer.cut = True
        if not self._gone:
            self._gone = True
            # A connection that is closed in the middle of a statement would hold its lock.
            self._owned.db.rollback()
            self._owned.release()
