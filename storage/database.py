"""The database of one 小二: lock, migrations, the one writer, and readers beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from alembic.util import CommandError
from filelock import FileLock
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError

from bot.errors import NotNow, Unusable
from storage.db import READERS, Lost, connect
from storage.migrate import upgrade
from storage.place import Place, engine_of, existing, explained, gone, name_of, take
from storage.store import Store
from storage.writer import Writer

T = TypeVar("T")

# How often a reader waits for a server that went away, before the error is its answer.
TRIES = 3


class Owned:
    """A place that this process alone writes to: `db` is the connection that does, `engine` makes others."""

    def __init__(self, place: Place, *, as_it_is: bool = False) -> None:
        """Take the place and, unless it is wanted as it is, bring its tables up to date. Raises Unusable."""
        self._lock: FileLock | None = take(place) if isinstance(place, Path) else None
        try:
            self.engine = engine_of(place)
            self._open(place, as_it_is)
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise

    def release(self) -> None:
        self.db.close()
        self.engine.dispose()
        if self._lock is not None:
            self._lock.release()

    def _open(self, place: Place, as_it_is: bool) -> None:
        try:
            self.db = connect(self.engine)
            try:
                self._own(place)
                if not as_it_is:
                    upgrade(self.db)
            except BaseException:
                self.db.drop()
                raise
        except BaseException as error:  # also Lost, which is no Exception
            self.engine.dispose()
            if isinstance(error, CommandError):
                raise Unusable(f"数据库 {name_of(place)} 的版本比程序新，请用新版的小二打开它。") from error
            if (why := explained(place, error)) is not None:
                raise why from error
            raise

    def _own(self, place: Place) -> None:
        if not self.db.own():
            raise NotNow(f"数据库 {name_of(place)} 正被另一个小二使用，请先停掉它。")


class Database:
    """Open for writing: one process owns the place until `close`."""

    def __init__(self, owned: Owned) -> None:
        self.writer = Writer(owned.db)
        self._owned = owned
        self._engine = owned.engine
        self._readers = ThreadPoolExecutor(READERS, "reader")

    @classmethod
    async def open(cls, place: Place) -> Database:
        """Take the place, bring its tables up to date, start the writer. Raises Unusable."""
        return cls(Owned(place))

    async def read(self, work: Callable[[Store], T]) -> T:
        """Run a reader on a connection and a thread of its own; it sees what is committed."""
        loop = asyncio.get_running_loop()
        for _ in range(TRIES):
            try:
                return await loop.run_in_executor(self._readers, read, self._engine, work)
            except Lost:
                pass
            except DatabaseError as error:
                if not gone(self._engine, error):
                    raise
            # The writer returns from this when the server is back.
            await self.writer.run(lambda _: None)
        return await loop.run_in_executor(self._readers, read, self._engine, work)

    async def close(self) -> None:
        await self.writer.close()
        self._owned.db.cut()  # readers that still wait; nobody will hear what they find
        await asyncio.to_thread(self._readers.shutdown)
        self._owned.release()


def read(made: Engine, work: Callable[[Store], T]) -> T:
    """Run a reader inside one snapshot."""
    db = connect(made)
    try:
        db.begin(write=False)
        answer = work(Store(db))
        db.rollback()
    except Lost:
        db.drop()
        raise
    except BaseException:
        db.rollback()
        raise
    finally:
        db.close()
    return answer


def look(place: Place, work: Callable[[Store], T]) -> T:
    """Read a database once, beside whoever is at work on it: no lock is taken. Raises Unusable."""
    made = existing(place)
    dbapi: Any = made.dialect.loaded_dbapi
    try:
        return read(made, work)
    except (dbapi.Error, Lost) as error:
        why = explained(place, error) or Unusable(f"读不了数据库 {name_of(place)}：{error}")
        raise why from error
    finally:
        made.dispose()


def backup(place: Place, target: Path) -> None:
    """A consistent copy into a file that is not there yet; safe while 小二 runs. Raises Unusable."""
    if not isinstance(place, Path):
        raise Unusable("数据库在 PostgreSQL 服务器上，请用它自己的 pg_dump 备份，见手册。")
    if target.exists():
        raise Unusable(f"{target} 已经存在，备份不会覆盖它。请换一个文件名。")
    if not target.parent.is_dir():
        raise Unusable(f"目录 {target.parent} 不存在。")
    made = existing(place)
    try:
        with made.connect() as connection:
            connection.execute(text("VACUUM INTO :target"), {"target": str(target)})
    except DatabaseError as error:
        raise Unusable(f"备份没有写成：{error.orig}") from error
    finally:
        made.dispose()
