"""Move a grown database out of a data folder onto a server: all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
from sqlalchemy import Connection, Table, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from bot.errors import Unusable
from storage.audit import Report, look
from storage.database import Owned
from storage.db import Db, Lost
from storage.migrate import head, migrate
from storage.place import FILE, Place, existing, name_of
from storage.postgres import ANY_PLAN, gone
from storage.tables import metadata

# Rows that are read at once.
BATCH = 5_000
# Of the server alone; see storage/postgres.py.
_LEFT = {"commits"}

Tell = Callable[[str], object]


def copy(source: Path, url: Place, tell: Tell) -> None:
    """Copy what a data folder holds into an empty database. No 小二 may be at work on either.

    `tell` hears of each table. Raises Unusable, and then the target is as it was.
    """
    folder = _folder(source)
    if isinstance(url, Path):
        raise Unusable("要搬到哪里？请写 postgresql://用户:密码@主机:端口/库名，或者先设好 database_url。")
    if not (folder / FILE).is_file():
        raise Unusable(f"目录 {folder} 里没有数据库（{FILE}），没有什么可以搬。")
    existing(folder).dispose()
    ours = Owned(folder)
    try:
        theirs = Owned(url, as_it_is=True)
        try:
            _copy(ours.db, theirs.db, name_of(url), tell)
        except BaseException as error:
            theirs.db.drop()  # whatever it had begun is undone
            if isinstance(error, Lost) or gone(error):
                raise Unusable(
                    f"搬到一半，和数据库 {name_of(url)} 的连接断了，请再搬一次；说它不是空的，就是已经搬好了。"
                ) from error
            if isinstance(error, psycopg.Error | DBAPIError):
                why = str(getattr(error, "orig", error)).partition("\n")[0]
                raise Unusable(f"没有搬成，数据库 {name_of(url)} 不收：{why}") from error
            raise
        finally:
            theirs.release()
    finally:
        ours.release()


def _folder(source: Path) -> Path:
    """A data folder, or the file in it."""
    if source.is_file() and source.name != FILE:
        raise Unusable(f"{source} 不是数据目录，也不是数据目录里的 {FILE}。")
    return source.parent if source.is_file() else source


def _copy(ours: Db, theirs: Db, name: str, tell: Tell) -> None:
    ours.begin(write=False)
    before = look(ours)
    if not before.clean:
        raise Unusable("要搬的账不平，没有搬。请先看 xiaoer db audit 说了什么。")
    source, target = ours.connection, theirs.connection
    # It is read whole, and not by its indexes as the writer does.
    theirs.driver.execute(ANY_PLAN, prepare=False)
    target.exec_driver_sql("BEGIN")
    _prepare(target, name)
    tables = [table for table in metadata.sorted_tables if table.name not in _LEFT]
    for table in tables:
        many = _copy_table(source, theirs, table)
        tell(f"{table.name} {many}")
    for table in tables:
        _count_on(target, table)
    target.exec_driver_sql("ANALYZE")
    _compare(tables, source, target, before, look(theirs))
    target.exec_driver_sql("COMMIT")
    ours.rollback()


def _prepare(target: Connection, name: str) -> None:
    """Bring the tables of an empty database up to date."""
    found = set(inspect(target).get_table_names())
    if not found:
        migrate(target)
    elif found != {*metadata.tables, "alembic_version"} or not head(target):
        raise Unusable(f"数据库 {name} 里已经有别的表。请新建一个空的库。")
    elif any(_count(target, table) for table in metadata.sorted_tables if table.name not in _LEFT):
        raise Unusable(f"数据库 {name} 不是空的，没有搬。请新建一个空的库。")


def _copy_table(source: Connection, theirs: Db, table: Table) -> int:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    rows = source.exec_driver_sql(f'SELECT {columns} FROM "{table.name}"')  # noqa: S608 - our own names
    many = 0
    with theirs.driver.cursor().copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as into:
        while batch := rows.fetchmany(BATCH):
            for row in batch:
                into.write_row(row)
            many += len(batch)
    return many


def _count_on(target: Connection, table: Table) -> None:
    """New rows are numbered from behind those that were copied."""
    for column in table.primary_key:
        numbered = text("SELECT pg_get_serial_sequence(:table, :column)")
        sequence = target.scalar(numbered, {"table": table.name, "column": column.name})
        last = target.scalar(select(func.max(column)))
        if sequence and last is not None:
            target.execute(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})


def _compare(
    tables: list[Table], source: Connection, target: Connection, before: Report, after: Report
) -> None:
    for table in tables:
        ours, theirs = _count(source, table), _count(target, table)
        if ours != theirs:
            raise Unusable(f"{table.name} 有 {ours} 行，搬过去却是 {theirs} 行，没有搬成。")
    if after != before:
        raise Unusable("搬过去的账和原来的对不上，没有搬成。")


def _count(connection: Connection, table: Table) -> int:
    return int(connection.scalar(select(func.count()).select_from(table)) or 0)
