"""Group commit: one thread, one connection, one COMMIT for all that waits.

The thread takes what is waiting (up to 256 units), runs each in order inside one transaction,
commits once and answers them all with a single call into the event loop. A unit that fails takes the
batch down with it, so the batch is then done again, each unit with care: in a transaction of its own,
with real savepoints, and with nothing put off to its end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

import structlog
from sqlalchemy import Engine

from bot.errors import XiaoerError
from bot.tally import Histogram
from storage.db import Again, Db
from storage.store import Store

T = TypeVar("T")
Done = Callable[[Any, BaseException | None], None]
BATCH = 256

log = structlog.get_logger()


class Writer:
    """The only one who writes. `submit` and `run` are called on the event loop's thread."""

    def __init__(self, engine: Engine, on_rollback: Callable[[], None] = lambda: None) -> None:
        self.on_rollback = on_rollback
        self._engine = engine
        self._queue: SimpleQueue[tuple[Callable[[Store], Any], Done] | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._serve, name="writer", daemon=True)
        self._waiting = 0
        # For /metrics: units in a batch, seconds until a COMMIT was durable, units that were given up.
        self.batches = Histogram(1, 2, 4, 8, 16, 32, 64, 128, BATCH)
        self.commits = Histogram(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
        self.failed = 0
        self._thread.start()

    def submit(self, work: Callable[[Store], Any], done: Done) -> None:
        """Queue a unit; `done(result, error)` is called on the loop after its commit."""
        self._waiting += 1
        self._queue.put((work, done))

    async def run(self, work: Callable[[Store], T]) -> T:
        """Queue a unit and wait for its commit."""
        future: asyncio.Future[T] = self._loop.create_future()

        def done(result: T, error: BaseException | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        self.submit(work, done)
        return await future

    @property
    def idle(self) -> bool:
        """Whether all that was submitted has been answered."""
        return self._waiting == 0

    async def close(self) -> None:
        """Commit what waits, then end the thread."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.sleep(0)

    def _serve(self) -> None:
        with self._engine.connect() as connection:
            self._db = Db(connection)
            self._store = Store(self._db)
            last = False
            while not last:
                batch = [self._queue.get()]
                try:
                    while len(batch) < BATCH:
                        batch.append(self._queue.get_nowait())
                except Empty:
                    pass
                last = None in batch
                units = [unit for unit in batch if unit is not None]
                if units:
                    results = self._commit(units)
                    self._loop.call_soon_threadsafe(self._answer, units, results)

    def _commit(
        self, units: list[tuple[Callable[[Store], Any], Done]], *, careful: bool = False
    ) -> list[tuple[Any, BaseException | None]]:
        self._db.careful = careful
        try:
            self._db.begin()
            results = [(work(self._store), None) for work, _ in units]
            began = time.perf_counter()
            self._db.commit()
            self.commits.add(time.perf_counter() - began)
            self.batches.add(len(units))
        except (Exception, Again) as error:
            self._undo()
            if not careful:
                return [one for unit in units for one in self._commit([unit], careful=True)]
            if not isinstance(error, XiaoerError):
                self.failed += 1
                log.exception("a unit of work failed and was undone")
            return [(None, error)]
        return list(results)

    def _undo(self) -> None:
        try:
            self._db.rollback()
        except Exception:
            log.exception("could not roll back")
            time.sleep(0.1)
        self.on_rollback()

    def _answer(
        self,
        units: list[tuple[Callable[[Store], Any], Done]],
        results: list[tuple[Any, BaseException | None]],
    ) -> None:
        self._waiting -= len(units)
        for (_, done), (result, error) in zip(units, results, strict=True):
            done(result, error)
