"""One connection, one thread: SQLAlchemy Core statements compiled once and sent as they are.

Compiling and result objects cost more than SQLite itself, so a `Query` is compiled once for each
dialect and goes straight to the driver's cursor. Type processors are skipped that way: tables hold
INTEGER and TEXT only, and every value is passed by name.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.dml import Delete, Insert, Update, UpdateBase
from sqlalchemy.sql.elements import ClauseElement

from storage.tables import metadata

Row = tuple[Any, ...]
Rows = Sequence[Mapping[str, Any]]

# So many threads read beside the writer; on a server each has a connection.
READERS = 5
# How long SQLite itself waits for a lock that another program holds.
BUSY = 5.0
# What SQLite says when nothing is wrong with what it was asked: another program, or the disk.
_REFUSALS = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


_RANKS: dict[Any, int] = {table: place for place, table in enumerate(metadata.sorted_tables)}


class Query:
    """A Core statement. `insert` is PostgreSQL's, whose ON CONFLICT both dialects can write.

    `at_once` does the same on a server for many rows.
    """

    __slots__ = ("_compiled", "at_once", "rank", "statement", "writes")

    def __init__(self, statement: Executable, at_once: AtOnce | None = None) -> None:
        self.statement = statement
        self.at_once = at_once
        self.writes = isinstance(statement, UpdateBase)
        # Rows that others refer to are written before those.
        self.rank = _RANKS[statement.table] if isinstance(statement, Insert | Update | Delete) else 0
        self._compiled: dict[str, tuple[str, dict[str, Any]]] = {}

    def on(self, dialect: Dialect) -> tuple[str, dict[str, Any]]:
        """The SQL for a dialect, and the values that stand in the statement itself."""
        if dialect.name not in self._compiled:
            assert isinstance(self.statement, ClauseElement)
            compiled = self.statement.compile(dialect=dialect)
            fixed = {k: v for k, v in (compiled.params or {}).items() if v is not None}
            self._compiled[dialect.name] = (str(compiled), fixed)
        return self._compiled[dialect.name]


@dataclass(frozen=True, slots=True)
class AtOnce:
    """A statement for many rows, and what it is executed with, mostly once; see storage/at_once.py."""

    query: Query
    values: Callable[[Rows], Sequence[dict[str, Any]]]


class Again(BaseException):
    """The batch is to be done again: what a savepoint should undo was written without one, or the
    database refused, and the cause says so.

    A BaseException, so that no handler takes it for a fault of its own.
    """


class Lost(BaseException):
    """The connection to a server broke: the batch is done again once there is another.

    A BaseException, as Again is. Its cause is the driver's error.
    """


class Savepoint:
    """What is written inside is undone when it raises. A real one only where the writer takes care."""

    __slots__ = ("_cursor", "_db")

    def __init__(self, db: Db, cursor: DBAPICursor) -> None:
        self._db = db
        self._cursor = cursor

    def __enter__(self) -> None:
        self._cursor.execute("SAVEPOINT turn")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, Lost):
            return
        if error is not None:
            if self._db.refuses(error):
                raise Again from error
            self._cursor.execute("ROLLBACK TO SAVEPOINT turn")
            self._db.undone += 1
        self._cursor.execute("RELEASE SAVEPOINT turn")


class Hope:
    """In the place of a savepoint: nearly none is ever rolled back, and two statements a turn add up."""

    __slots__ = ("_before", "_db")

    def __init__(self, db: Db) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._before = self._db.writes

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is None or isinstance(error, Lost):
            return
        if self._db.writes != self._before or self._db.refuses(error):
            raise Again from error


def _rank(query: Query) -> int:
    return query.rank


class Db:
    """What repositories talk to. Not shared between threads.

    `careful` is set while a unit has a transaction of its own: savepoints are real, and nothing is put
    off. `writes` counts what was written, `undone` how often something was rolled back, `flushed` how often
    what was put off was written. `far` says that a statement is a way to a server and back, so that it pays
    to ask once for many rows.
    """

    far = False

    def __init__(self, connection: Connection) -> None:
        self.careful = True
        self.writes = 0
        self.undone = 0
        self.flushed = 0
        self._later: dict[Query, list[dict[str, Any]]] = {}
        self._connection = connection
        self.driver: Any = connection.connection.driver_connection
        self._dialect = connection.dialect
        self._cursor = connection.connection.cursor()
        self._sql: dict[Query, tuple[str, dict[str, Any]]] = {}

    def run(self, query: Query, **values: Any) -> int:  # noqa: ANN401
        """Execute; the answer is how many rows it touched."""
        self._execute(query, values)
        return int(self._cursor.rowcount)

    def all(self, query: Query, **values: Any) -> list[Row]:  # noqa: ANN401
        self._execute(query, values)
        return list(self._cursor.fetchall())

    def one(self, query: Query, **values: Any) -> Row | None:  # noqa: ANN401
        self._execute(query, values)
        rows = self._cursor.fetchall()
        return rows[0] if rows else None

    def value(self, query: Query, **values: Any) -> int:  # noqa: ANN401
        """The first column of the first row as a number; 0 for no row or NULL."""
        self._execute(query, values)
        rows = self._cursor.fetchall()
        return int(rows[0][0] or 0) if rows else 0

    def many(self, query: Query, rows: Rows) -> None:
        """Execute once for each row."""
        self.writes += query.writes
        sql, fixed = self._sql.get(query) or self._compiled(query)
        self._cursor.executemany(sql, [{**fixed, **row} for row in rows] if fixed else rows)

    def later(self, query: Query, *rows: dict[str, Any]) -> bool:
        """Execute before the commit, together with all rows of this statement that come until then.

        For what nobody reads in this transaction; `flush` before a read that might. The answer is
        whether the rows wait, and so can still be changed until `flushed` counts on.
        """
        if self.careful:
            self.many(query, rows)
            return False
        self.writes += 1
        waiting = self._later.get(query)
        if waiting is None:
            waiting = self._later[query] = []
        waiting += rows
        return True

    def flush(self) -> None:
        """Execute what was put off."""
        for query in sorted(self._later, key=_rank):
            self.many(query, self._later[query])
        self._later.clear()
        self.flushed += 1

    def savepoint(self) -> Savepoint | Hope:
        """What is written inside is undone when it raises."""
        return Savepoint(self, self._cursor) if self.careful else Hope(self)

    def begin(self, *, write: bool = True) -> None:
        self._cursor.execute("BEGIN IMMEDIATE" if write else "BEGIN")

    def commit(self) -> None:
        self.flush()
        self._cursor.execute("COMMIT")

    def rollback(self) -> None:
        """Undo what is open. Silent when the database has already undone it by itself."""
        self._later.clear()
        self.undone += 1
        self.driver.rollback()

    def ask(self, sql: str, *values: object) -> Row:
        """One row by SQL of this database's own; () for none."""
        self._cursor.execute(sql, values)
        rows = self._cursor.fetchall()
        return rows[0] if rows else ()

    def close(self) -> None:
        self._connection.close()

    def drop(self) -> None:
        """Let go of a connection that is no good."""
        if not self._connection.closed:
            self.driver.close()
            self._connection.invalidate()
            self._connection.close()

    @property
    def connection(self) -> Connection:
        """For migrations, which want SQLAlchemy's."""
        return self._connection

    # What only a server needs. ---------------------------------------------------------------------

    def own(self) -> bool:
        """Become the one connection that writes; False while another process is. A file has its own lock."""
        return True

    def come_back(self, lost: Lost, hurry: Event) -> tuple[Db, bool]:
        """A new connection in the place of one that was lost, and whether its last commit went through.

        Returns when there is one, however long that takes. Raises Away when `hurry` is set meanwhile.
        """
        raise lost  # a file's never is

    def cut(self) -> None:
        """Break every connection to the server, from any thread: who waits for an answer hears Lost."""

    def refuses(self, error: BaseException) -> bool:
        """Whether the database takes nothing now, whatever it is asked: it may take the same later."""
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _REFUSALS

    def _execute(self, query: Query, values: dict[str, Any]) -> None:
        self.writes += query.writes
        sql, fixed = self._sql.get(query) or self._compiled(query)
        self._cursor.execute(sql, {**fixed, **values} if fixed else values)

    def _compiled(self, query: Query) -> tuple[str, dict[str, Any]]:
        found = self._sql[query] = query.on(self._dialect)
        return found


def connect(made: Engine) -> Db:
    """A connection of an engine, of the kind that its database needs."""
    connection = made.connect()
    if made.dialect.name == "sqlite":
        return Db(connection)
    from storage.postgres import ServerDb  # noqa: PLC0415 - the driver is loaded where it is used

    return ServerDb(connection)


def engine(url: str) -> Engine:
    """An engine on which we alone say BEGIN (pysqlite's own rules make a RELEASE a commit)."""
    made = create_engine(
        url,
        paramstyle="named",
        isolation_level="AUTOCOMMIT",
        connect_args={"check_same_thread": False, "timeout": BUSY},
    )

    @event.listens_for(made, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
            cursor.execute(f"PRAGMA {pragma}").fetchall()
        cursor.close()

    return made
