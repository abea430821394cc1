"""Where a database is: in a data folder, as a file of SQLite, or on a PostgreSQL server, as its URL says."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

from filelock import FileLock, Timeout
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import DatabaseError

from bot.errors import NotNow, Unusable
from storage.db import Lost, connect, engine
from storage.migrate import head

Place = Path | str

FILE = "xiaoer.db"
LOCK = "xiaoer.lock"


def engine_of(place: Place) -> Engine:
    """Raises Unusable for a URL that cannot be read."""
    return engine(f"sqlite:///{place / FILE}") if isinstance(place, Path) else _server().engine(place)


def name_of(place: Place) -> str:
    """A place as a person may read it: no password is in it."""
    name: str = str(place / FILE) if isinstance(place, Path) else _server().name(place)
    return name


def server_of(place: Place) -> str:
    """The server's database, as name_of says it; "" for a file, which is known by its folder."""
    return "" if isinstance(place, Path) else name_of(place)


def explained(place: Place, error: BaseException) -> Unusable | None:
    """What a driver's error at opening says to a person; None for another error."""
    if isinstance(place, Path):
        return (
            Unusable(f"打不开数据库 {name_of(place)}：{error.orig}")
            if isinstance(error, DatabaseError)
            else None
        )
    if isinstance(error, Lost) and error.__cause__ is not None:
        error = error.__cause__
    if not (why := _server().told(error)):
        return None
    if _server().gone(error):
        return NotNow(f"连不上数据库 {name_of(place)}：{why}")
    kind = NotNow if _server().refused(error) else Unusable
    return kind(f"打不开数据库 {name_of(place)}：{why}")


def gone(made: Engine, error: BaseException) -> bool:
    """Whether an error says that the server, or the way to it, is gone."""
    return made.dialect.name != "sqlite" and bool(_server().gone(error))


def is_there(place: Place) -> bool:
    """Whether a folder has a database in it; a server is taken to have one."""
    return not isinstance(place, Path) or (place / FILE).is_file()


def existing(place: Place) -> Engine:
    """An engine on a database that must be there and up to date, without taking the lock."""
    if not is_there(place):
        raise Unusable(f"目录 {place} 里没有数据库（{FILE}）。是不是忘了 --data？")
    made = engine_of(place)
    try:
        with made.connect() as connection:
            current, tables = head(connection), inspect(connection).has_table("groups")
    except (Exception, Lost) as error:
        made.dispose()
        if (why := explained(place, error)) is not None:
            raise why from error
        raise
    if current is None:
        made.dispose()
        what = "的版本和程序不一致" if tables else "里面还没有小二的表"
        raise Unusable(f"数据库 {name_of(place)} {what}，请先运行 xiaoer db upgrade。")
    return made


def at_work(place: Place) -> bool:
    """Whether some 小二 has the lock of a place now."""
    if isinstance(place, Path):
        try:
            with FileLock(place / LOCK, timeout=0):
                return False
        except Timeout:
            return True
        except OSError:
            return False
    made = engine_of(place)
    try:
        db = connect(made)
        held: bool = _server().held(db)
        db.close()
    finally:
        made.dispose()
    return held


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


def _server() -> ModuleType:
    """Its driver is loaded where it is used: a tenth of a second."""
    from storage import postgres  # noqa: PLC0415

    return postgres
