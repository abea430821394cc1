"""The database of one data folder: lock, migrations, the one writer, and readers beside it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from alembic.util import CommandError
from filelock import FileLock, Timeout
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError

from bot.errors import Unusable
from storage.db import Db, engine
from storage.migrate import head, upgrade
from storage.store import Store
from storage.writer import Writer

T = TypeVar("T")

FILE = "xiaoer.db"
LOCK = "xiaoer.lock"


class Database:
    """Open for writing: one process owns the data folder until `close`."""

    def __init__(self, folder: Path, lock: FileLock, made: Engine) -> None:
        self.folder = folder
        self.writer = Writer(made)
        self._lock = lock
        self._engine = made

    @classmethod
    async def open(cls, folder: Path) -> Database:
        """Take the folder, bring its tables up to date, start the writer. Raises Unusable."""
        lock = take(folder)
        made = engine(f"sqlite:///{folder / FILE}")
        try:
            upgrade(made)
        except BaseException as error:
            made.dispose()
            lock.release()
            if isinstance(error, DatabaseError):
                raise Unusable(f"打不开数据库 {folder / FILE}：{error.orig}") from error
            if isinstance(error, CommandError):
                raise Unusable(f"数据库 {folder / FILE} 的版本比程序新，请用新版的小二打开它。") from error
            raise
        return cls(folder, lock, made)

    async def read(self, work: Callable[[Store], T]) -> T:
        """Run a reader on a connection and a thread of its own; it sees what is committed."""
        return await asyncio.to_thread(read, self._engine, work)

    async def close(self) -> None:
        await self.writer.close()
        self._engine.dispose()
        self._lock.release()


def read(made: Engine, work: Callable[[Store], T]) -> T:
    """Run a reader inside one snapshot."""
    with made.connect() as connection:
        db = Db(connection)
        db.begin(write=False)
        try:
            return work(Store(db))
        finally:
            db.rollback()


def take(folder: Path) -> FileLock:
    """The lock of a data folder, which is made when it is not there. Raises Unusable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "没有写权限")
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=0)
    except Timeout:
        raise Unusable(
            f"数据目录 {folder} 正被另一个小二使用，请先停掉它，或用 --data 换一个目录。"
        ) from None
    except OSError as error:
        raise Unusable(f"数据目录 {folder} 不能写：{error.strerror}。请换一个目录，或改它的权限。") from None
    return lock


def at_work(folder: Path) -> bool:
    """Whether some 小二 has the lock of a data folder now."""
    try:
        with FileLock(folder / LOCK, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def existing(folder: Path) -> Engine:
    """An engine on a database that must be there and up to date, without taking the lock."""
    path = folder / FILE
    if not path.is_file():
        raise Unusable(f"目录 {folder} 里没有数据库（{FILE}）。是不是忘了 --data？")
    made = engine(f"sqlite:///{path}")
    try:
        with made.connect() as connection:
            current = head(connection)
    except DatabaseError as error:
        made.dispose()
        raise Unusable(f"打不开数据库 {path}：{error.orig}") from error
    if current is None:
        made.dispose()
        raise Unusable(f"数据库 {path} 的版本和程序不一致，请先运行 xiaoer db upgrade。")
    return made


def look(folder: Path, work: Callable[[Store], T]) -> T:
    """Read a database once, beside whoever is at work on it: no lock is taken. Raises Unusable."""
    made = existing(folder)
    dbapi: Any = made.dialect.loaded_dbapi
    try:
        return read(made, work)
    except dbapi.Error as error:
        raise Unusable(f"读不了数据库 {folder / FILE}：{error}") from error
    finally:
        made.dispose()


def backup(folder: Path, target: Path) -> None:
    """A consistent copy into a file that is not there yet; safe while 小二 runs. Raises Unusable."""
    if target.exists():
        raise Unusable(f"{target} 已经存在，备份不会覆盖它。请换一个文件名。")
    if not target.parent.is_dir():
        raise Unusable(f"目录 {target.parent} 不存在。")
    made = existing(folder)
    try:
        with made.connect() as connection:
            connection.execute(text("VACUUM INTO :target"), {"target": str(target)})
    except DatabaseError as error:
        raise Unusable(f"备份没有写成：{error.orig}") from error
    finally:
        made.dispose()
