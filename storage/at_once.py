"""Many rows: one after the other in a file; on a server all at once, where each statement has its price.

The server gets them as one JSON text, or their keys as one array, so the statement is the same however many
they are. It must never join them in a way of its own: plans are kept, and one that was made while a table
was small would read all of it when it has grown. So rows are looked up by `each`, one by one, there.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    cast,
    column,
    func,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.sql.selectable import TableValuedAlias

from storage.query import AtOnce, Query, Rows


def adding(table: Table, *names: str) -> Query:
    """INSERT rows that give these columns."""
    rows = given(*(table.c[name] for name in names))
    one = insert(table).values({name: bindparam(name) for name in names})
    many = insert(table).from_select(names, select(rows))
    return Query(one, AtOnce(Query(many), lambda found: [{"rows": packed(found)}]))


def keeping(table: Table, *names: str, key: str, value: str) -> Query:
    """INSERT rows that give these columns, or set the value of those that are there already.

    Of one key there is one row: a server sets none twice in one statement.
    """
    rows = given(*(table.c[name] for name in names))

    def or_set(statement: Insert) -> Insert:
        return statement.on_conflict_do_update(index_elements=[key], set_={value: statement.excluded[value]})

    one = insert(table).values({name: bindparam(name) for name in names})
    many = insert(table).from_select(names, select(rows))
    return Query(or_set(one), AtOnce(Query(or_set(many)), lambda found: [{"rows": packed(found)}]))


def raising(table: Table, *keys: str, value: str) -> Query:
    """INSERT rows of these keys, or add the value to that of those that are there already; each key once."""
    names = (*keys, value)
    rows = given(*(table.c[name] for name in names))

    def or_raise(statement: Insert) -> Insert:
        more = table.c[value] + statement.excluded[value]
        return statement.on_conflict_do_update(index_elements=keys, set_={value: more})

    one = insert(table).values({name: bindparam(name) for name in names})
    many = insert(table).from_select(names, select(rows))
    return Query(or_raise(one), AtOnce(Query(or_raise(many)), lambda found: [{"rows": packed(found)}]))


def setting(key: Column[int], named: str, **values: Column[Any]) -> Query:
    """UPDATE the row that is `named`: what each value is called, and where it goes."""
    new: dict[str, Any] = {column.name: bindparam(name) for name, column in values.items()}
    ids = bindparam("ids", type_=ARRAY(BigInteger))

    def alike(found: Rows) -> list[dict[str, Any]]:
        """Those that get the same, together. Of several for one row the last holds, as one after the other."""
        last = {row[named]: tuple(row[name] for name in values) for row in found}
        groups: dict[tuple[Any, ...], list[int]] = {}
        for one, wanted in last.items():
            groups.setdefault(wanted, []).append(one)
        return [{**dict(zip(values, wanted, strict=True)), "ids": group} for wanted, group in groups.items()]

    return Query(
        update(key.table).where(key == bindparam(named)).values(new),
        AtOnce(Query(update(key.table).where(key == any_(ids)).values(new)), alike),
    )


def given(*columns: Column[Any]) -> TableValuedAlias:
    """The rows that `packed` made, as a table with these columns; on a server alone."""
    rows = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
    typed = (column(one.name, one.type) for one in columns)
    return rows.table_valued(*typed, name="given").render_derived(with_types=True)


def each(rows: TableValuedAlias, wanted: Select[Any]) -> Query:
    """For each of the rows that were given: its columns, and those of the first row that is wanted with it."""
    first = wanted.limit(1).lateral("first")
    return Query(select(rows, first).select_from(rows.join(first, true())))


def packed(rows: Rows) -> str:
    """Many rows as the one value `rows`."""
    return to_json(rows).decode()
