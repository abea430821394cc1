"""Group commit: one thread, one connection, one COMMIT for all that waits.

The thread takes what is waiting (up to 256 units), runs each in order inside one transaction,
commits once and answers them all with a single call into the event loop. A unit that fails takes the
batch down with it, so those before it are then done again together, it alone with care (in a
transaction of its own, with real savepoints, and with nothing put off to its end), and those behind it
together; where the commit itself failed, all are done again, and if that fails, each alone. A database that takes nothing now (a full disk, a lock that another program holds) is told of
once and asked again until it does: nothing is lost, and nothing overtakes. So is a server that goes away;
and what it had committed all the same is not done again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, TypeVar

import structlog
from sqlalchemy import Engine

from bot.errors import Away, XiaoerError
from bot.model import Spoken
from bot.tally import Histogram
from storage.db import Again, Db, Lost, connect
from storage.store import Store

T = TypeVar("T")
Answer = tuple[Any, BaseException | None]
Ahead = Callable[[], Spoken | None] | None
Done = Callable[[Any, BaseException | None], None]
Unit = tuple[Callable[[Store], Any], Done, Ahead]
BATCH = 256
# Seconds after which a batch is committed as far as it is, so that no unit behind it has a slow one done again.
LONG = 1.0
# Seconds between two tries while the database takes nothing, the last again and again.
PATIENCE = (0.05, 0.1, 0.2, 0.5, 1, 2, 5)
# Seconds without an answer to anybody after which who wants to end waits no longer for a silent server.
SILENT = 10.0
# So many transactions in a row break their connection before it is the unit that is blamed, and not the server.
LOSSES = 3

log = structlog.get_logger()


class Writer:
    """The only one who writes. `submit` and `run` are called on the event loop's thread."""

    long = LONG

    def __init__(self, opened: Engine | Db, on_rollback: Callable[[], None] = lambda: None) -> None:
        """`opened` is the connection that writes, or an engine that has one."""
        self.on_rollback = on_rollback
        self._db = opened if isinstance(opened, Db) else connect(opened)
        self._store = Store(self._db)
        self._queue: SimpleQueue[Unit | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._waiting = 0
        self._hurry = Event()
        self._tries = 0
        self._given_up = 0
        self._answered = 0
        self._begun = False
        self._looking: asyncio.TimerHandle | None = None
        self._why = ""
        # For /metrics: units in a batch, seconds until a COMMIT was durable, units that were given up.
        self.batches = Histogram(1, 2, 4, 8, 16, 32, 64, 128, BATCH)
        self.commits = Histogram(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
        self.failed = 0
        self._begin()

    def submit(self, work: Callable[[Store], Any], done: Done, ahead: Ahead = None) -> None:
        """Queue a unit; `done(result, error)` is called on the loop after its commit.

        A unit that handles a message can be asked which, so that what it will want is read ahead.
        """
        self._waiting += 1
        self._queue.put((work, done, ahead))

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

    def hurry(self) -> None:
        """Wait for no database from now on: what it does not take is answered with Away."""
        self._hurry.set()
        if self._looking is None:
            self._look(-1)

    def take_time(self) -> None:
        """Wait for the database from now on, however long it takes nothing."""
        self._hurry.clear()
        self._look_no_more()

    @property
    def idle(self) -> bool:
        """Whether all that was submitted has been answered."""
        return self._waiting == 0

    async def close(self) -> None:
        """Commit what waits, if the database takes it, then end the thread."""
        self.hurry()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._look_no_more()
        await asyncio.sleep(0)

    def _begin(self) -> None:
        self._thread = Thread(target=self._serve, name="writer", daemon=True)
        self._thread.start()

    def _look(self, before: int) -> None:
        """Cut off a server that has answered nothing since the last look."""
        if self._answered == before and not self.idle:
            self._db.cut()
        self._looking = self._loop.call_later(SILENT, self._look, self._answered)

    def _look_no_more(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _serve(self) -> None:
        last = False
        while not last:
            batch = [self._queue.get()]
            try:
                while len(batch) < BATCH:
                    batch.append(self._queue.get_nowait())
            except Empty:
                pass
            last = None in batch
            self._commit([unit for unit in batch if unit is not None])
        self._db.close()
        if self._given_up:
            log.error("the database took nothing to the end: this much was not written", units=self._given_up)

    def _commit(self, units: Sequence[Unit], *, careful: bool = False, again: bool = True) -> None:
        """Do units in order, and answer each once it is committed.

        Where nobody knows whose fault it was, all are done `again` once, and then one by one.
        """
        while units:
            results, error = self._do(units, careful=careful)
            done = len(results)
            if error is None:
                self._answer(units[:done], results)
                units = units[done:]
            elif careful or isinstance(error, Away):
                if not isinstance(error, XiaoerError):
                    self.failed += 1
                    log.error("a unit of work failed and was undone", exc_info=error)
                self._answer(units, [(None, error) for _ in units])
                return
            elif done == len(units):  # the commit itself
                if again:
                    self._commit(units, again=False)
                else:
                    for unit in units:
                        self._commit([unit], careful=True)
                return
            else:
                self._commit(units[:done])
                self._commit(units[done : done + 1], careful=True)
                units = units[done + 1 :]

    def _do(self, units: Sequence[Unit], *, careful: bool) -> tuple[list[Answer], BaseException | None]:
        """Do and commit units, or as many as there is time for; or the error that undid them all."""
        losses = 0
        while not (self._given_up and self._hurry.is_set()):
            results: list[Answer] = []
            try:
                self._try(units, results, careful=careful)
            except Lost as lost:
                losses += self._begun
                went_through = self._come_back(lost)
                if went_through is None:
                    break
                if went_through or losses == LOSSES:
                    return results, None if went_through else lost.__cause__
            except (Exception, Again) as error:  # noqa: BLE001 - it is the caller's, once all is undone
                self._undo()
                cause = error.__cause__ if isinstance(error, Again) else error
                if cause is None or not self._db.refuses(cause):
                    return results, error
                if not self._wait(str(cause).partition("\n")[0]):
                    break
            else:
                if self._tries:
                    self._taken()
                return results, None
        self._given_up += len(units)
        return [], Away(f"数据库现在写不进去：{self._why}。")

    def _try(self, units: Sequence[Unit], results: list[Answer], *, careful: bool) -> None:
        self._begun = False
        self._db.careful = careful
        self._db.begin()
        self._begun = True
        began = time.perf_counter()
        if self._db.far and not careful:
            self._store.read_ahead([spoken for _, _, ahead in units if ahead and (spoken := ahead())])
        for work, _, _ in units:
            results.append((work(self._store), None))
            if time.perf_counter() - began > self.long:
                break
        done = time.perf_counter()
        self._seal()
        self.commits.add(time.perf_counter() - done)
        self.batches.add(len(results))

    def _seal(self) -> None:
        self._db.commit()

    def _come_back(self, lost: Lost) -> bool | None:
        """Wait for the server: whether the commit went through that it was lost in; None for no time."""
        try:
            self._db, went_through = self._db.come_back(lost, self._hurry)
        except Away as away:
            self._why = str(away)
            return None
        self._store = Store(self._db)
        if not went_through:
            self.on_rollback()
        return went_through

    def _wait(self, why: str) -> bool:
        """Give the database time, more with each try; False when there is none."""
        self._why = why
        if not self._tries:
            self._since = time.monotonic()
            log.error("the database takes nothing: what comes is kept, and tried again", why=why)
        self._tries += 1
        return not self._hurry.wait(PATIENCE[min(self._tries, len(PATIENCE)) - 1])

    def _taken(self) -> None:
        seconds = round(time.monotonic() - self._since, 1)
        log.warning("the database takes again", seconds=seconds, tries=self._tries)
        self._tries = 0

    def _undo(self) -> None:
        try:
            self._db.rollback()
        except Exception:
            log.exception("could not roll back")
            self._hurry.wait(0.1)
        self.on_rollback()

    def _answer(self, units: Sequence[Unit], results: Sequence[Answer]) -> None:
        """Have the loop hear of what became of units."""
        self._loop.call_soon_threadsafe(self._tell, units, results)

    def _tell(self, units: Sequence[Unit], results: Sequence[Answer]) -> None:
        self._waiting -= len(units)
        self._answered += len(units)
        for (_, done, _), (result, error) in zip(units, results, strict=True):
            done(result, error)
