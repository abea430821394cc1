"""Alembic: the migrations make just the tables of storage/tables.py, all of them or none."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from bot.errors import Unusable
from storage.audit import audit
from storage.database import FILE, Database
from storage.db import engine
from storage.migrate import config, head, upgrade
from storage.tables import metadata
from tests.harness import open_store


def names(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_the_migrated_schema_is_the_one_in_the_code(tmp_path: Path) -> None:
    """No table, column, index or constraint is missing or too many."""
    made, path = open_store(tmp_path)
    with made.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        assert head(connection)
    made.dispose()
    assert names(path) >= set(metadata.tables)


def test_the_rules_of_the_tables_are_there(tmp_path: Path) -> None:
    """Autogenerate looks at no checks and no defaults, so the statements are compared word by word."""
    made, path = open_store(tmp_path / "migrated")
    made.dispose()
    fresh = engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    metadata.create_all(fresh)
    fresh.dispose()

    def statements(file: Path) -> dict[str, list[str]]:
        with closing(sqlite3.connect(file)) as connection:
            rows = connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
            )
            return {name: sorted(sql.replace(",", " ").split()) for name, sql in rows}

    assert statements(path) == statements(tmp_path / "fresh.db")


def test_an_upgrade_of_what_is_up_to_date_does_nothing(tmp_path: Path) -> None:
    """Each start may call it."""
    made, path = open_store(tmp_path)
    before = path.read_bytes()
    upgrade(made)
    made.dispose()
    assert path.read_bytes() == before


def test_a_migration_that_is_cut_short_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a table nor a version stamp, and the next start is as the first."""
    path = tmp_path / FILE
    made = engine(f"sqlite:///{path}")
    create: Callable[..., object] = Operations.create_table
    count = 0

    def cut(self: Operations, *args: object, **kwargs: object) -> object:
        nonlocal count
        count += 1
        if count == 10:
            raise KeyboardInterrupt
        return create(self, *args, **kwargs)

    monkeypatch.setattr(Operations, "create_table", cut)
    with pytest.raises(KeyboardInterrupt):
        upgrade(made)
    made.dispose()
    assert count == 10
    assert names(path) == set()
    monkeypatch.undo()
    again = engine(f"sqlite:///{path}")
    upgrade(again)
    again.dispose()
    assert names(path) >= set(metadata.tables)


def test_points_survive_every_migration(tmp_path: Path) -> None:
    """A ledger that was kept under the first tables is read under today's."""
    made = engine(f"sqlite:///{tmp_path / FILE}")
    with made.connect() as connection:
        first = config()
        first.attributes["connection"] = connection
        connection.exec_driver_sql("BEGIN")
        command.upgrade(first, "0001")
        connection.exec_driver_sql("INSERT INTO groups (id, account, chat) VALUES (1, 'a', 'g')")
        connection.exec_driver_sql(
            "INSERT INTO accounts VALUES (1, 1, 'house', 0, -7), (2, 1, 'purse', 1, 7)"
        )
        connection.exec_driver_sql("INSERT INTO postings VALUES (1, 'k', 1, -7, 5), (2, 'k', 2, 7, 5)")
        connection.exec_driver_sql("COMMIT")
    upgrade(made)
    made.dispose()
    report = audit(tmp_path)
    assert report.clean
    assert report.counts["postings"] == 2
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        assert connection.execute("SELECT * FROM postings").fetchall() == [("k", 1, -7, 5), ("k", 2, 7, 5)]


async def test_a_database_of_a_newer_program_is_one_sentence(tmp_path: Path) -> None:
    """An older 小二 leaves it alone."""
    made, path = open_store(tmp_path)
    made.dispose()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for _ in range(2):
        with pytest.raises(Unusable, match="版本"):
            await Database.open(tmp_path)
