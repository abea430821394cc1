"""SQLAlchemy Core statements, compiled once for each dialect and sent as they are.

Compiling and result objects cost more than SQLite itself, so a statement goes straight to the driver's cursor.
Type processors are skipped that way: tables hold INTEGER and TEXT only, and every value is given by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy.engine import Dialect
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Delete, Insert, Update, UpdateBase
from sqlalchemy.sql.elements import ClauseElement

from storage.tables import metadata

Row = tuple[Any, ...]
Values = Mapping[str, Any]
Rows = Sequence[Values]

_RANKS: dict[Any, int] = {table: place for place, table in enumerate(metadata.sorted_tables)}


class Sql(NamedTuple):
    """A statement as its driver takes it, and how the driver takes values that are given by name."""

    text: str
    taken: Callable[[Values], Any]


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
        self._compiled: dict[str, Sql] = {}

    def on(self, dialect: Dialect) -> Sql:
        """The SQL for a dialect."""
        if dialect.name not in self._compiled:
            assert isinstance(self.statement, ClauseElement)
            compiled = self.statement.compile(dialect=dialect)
            assert isinstance(compiled, SQLCompiler)
            self._compiled[dialect.name] = Sql(str(compiled), _taken(compiled))
        return self._compiled[dialect.name]


@dataclass(frozen=True, slots=True)
class AtOnce:
    """A statement for many rows, and what it is executed with, mostly once; see storage/at_once.py."""

    query: Query
    values: Callable[[Rows], Sequence[dict[str, Any]]]


def _taken(compiled: SQLCompiler) -> Callable[[Values], Any]:
    """By place where the driver counts places: to look names up costs it a sixth of an INSERT and more."""
    fixed = {name: value for name, value in compiled.params.items() if value is not None}
    if not compiled.positional:
        return (lambda values: {**fixed, **values}) if fixed else dict
    names = compiled.positiontup or []
    if len(names) < 2 or fixed:
        return lambda values: [values[name] if name in values else fixed[name] for name in names]
    return itemgetter(*names)
