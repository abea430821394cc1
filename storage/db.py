"""One connection, one thread: SQLAlchemy Core statements compiled once and sent as they are.

Compiling and result objects cost more than SQLite itself, so a `Query` is compiled once for each
dialect and goes straight to the driver's cursor. Type processors are skipped that way: tables hold
INTEGER and TEXT only, and every value is passed by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement

Row = tuple[Any, ...]


class Query:
    """A Core statement. `insert` is PostgreSQL's, whose ON CONFLICT both dialects can write."""

    __slots__ = ("_compiled", "statement")

    def __init__(self, statement: Executable) -> None:
        self.statement = statement
        self._compiled: dict[str, tuple[str, dict[str, Any]]] = {}

    def on(self, dialect: Dialect) -> tuple[str, dict[str, Any]]:
        """The SQL for a dialect, and the values that stand in the statement itself."""
        if dialect.name not in self._compiled:
            assert isinstance(self.statement, ClauseElement)
            compiled = self.statement.compile(dialect=dialect)
            fixed = {k: v for k, v in (compiled.params or {}).items() if v is not None}
            self._compiled[dialect.name] = (str(compiled), fixed)
        return self._compiled[dialect.name]


class Savepoint:
    """`with` it: a class, because a generator costs as much as the statements do."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: DBAPICursor) -> None:
        self._cursor = cursor

    def __enter__(self) -> None:
        self._cursor.execute("SAVEPOINT turn")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._cursor.execute("ROLLBACK TO SAVEPOINT turn")
        self._cursor.execute("RELEASE SAVEPOINT turn")


class Db:
    """What repositories talk to. Not shared between threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dialect = connection.dialect
        self._cursor = connection.connection.cursor()
        self._sql: dict[Query, tuple[str, dict[str, Any]]] = {}
        self._begin = "BEGIN IMMEDIATE" if self._dialect.name == "sqlite" else "BEGIN"
        dbapi: Any = self._dialect.loaded_dbapi
        self.IntegrityError: type[Exception] = dbapi.IntegrityError

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

    def many(self, query: Query, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute once for each row."""
        sql, fixed = self._compiled(query)
        self._cursor.executemany(sql, [{**fixed, **row} for row in rows])

    def savepoint(self) -> Savepoint:
        """What is written inside is undone when it raises."""
        return Savepoint(self._cursor)

    def begin(self, *, write: bool = True) -> None:
        self._cursor.execute(self._begin if write else "BEGIN")

    def commit(self) -> None:
        self._cursor.execute("COMMIT")

    def rollback(self) -> None:
        """Undo what is open. Silent when the database has already undone it by itself."""
        driver: Any = self._connection.connection.driver_connection
        driver.rollback()

    def _execute(self, query: Query, values: dict[str, Any]) -> None:
        sql, fixed = self._compiled(query)
        self._cursor.execute(sql, {**fixed, **values} if fixed else values)

    def _compiled(self, query: Query) -> tuple[str, dict[str, Any]]:
        found = self._sql.get(query)
        if found is None:
            found = self._sql[query] = query.on(self._dialect)
        return found


def engine(url: str) -> Engine:
    """An engine on which we alone say BEGIN (pysqlite's own rules make a RELEASE a commit)."""
    made = create_engine(
        url,
        paramstyle="named",
        isolation_level="AUTOCOMMIT",
        connect_args={"check_same_thread": False, "timeout": 5},
    )

    @event.listens_for(made, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
            cursor.execute(f"PRAGMA {pragma}").fetchall()
        cursor.close()

    return made
