"""One connection, one thread, and what is put off until its commit."""

from __future__ import annotations

import sqlite3
from threading import Event
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPICursor

from storage.query import Query, Row, Rows, Sql

# So many threads read beside the writer; on a server each has a connection.
READERS = 5
# How long SQLite itself waits for a lock that another program holds.
BUSY = 5.0
# A checkpoint comes every 16 MB and not every 4: a page that was written ten times is then copied once.
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-16000",
    "wal_autocheckpoint=4000",
)
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


class Again(BaseException):
    """The batch is to be done again: what a savepoint should undo was written without one, what was put
    off could not be written, or the database refused. The cause says so.

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
        if error is None or isinstance(error, Lost | Again):
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
        self._sql: dict[Query, Sql] = {}

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
        sql, taken = self._sql.get(query) or self._compiled(query)
        self._cursor.executemany(sql, list(map(taken, rows)))

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
        try:
            for query in sorted(self._later, key=_rank):
                self.many(query, self._later[query])
        except Exception as error:
            raise Again from error  # whoever reads now is not whose row it was
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

    def come_back(self, lost: Lost, hurry: Event) -> tuple[Db, bool]:  # noqa: ARG002
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
        sql, taken = self._sql.get(query) or self._compiled(query)
        self._cursor.execute(sql, taken(values))

    def _compiled(self, query: Query) -> Sql:
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
        paramstyle="qmark",
        isolation_level="AUTOCOMMIT",
        connect_args={"check_same_thread": False, "timeout": BUSY},
    )

    @event.listens_for(made, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}").fetchall()
        cursor.close()

    return made
