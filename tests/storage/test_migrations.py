"""Alembic: the migrations make just the tables of storage/tables.py, all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from bot.errors import Unusable
from storage.audit import audit
from storage.database import Database
from storage.db import Db, connect
from storage.migrate import config, head, upgrade
from storage.place import FILE, Place, engine_of
from storage.tables import metadata
from tests.databases import blank, empty, migrate, place, rows
from tests.harness import open_store

pytestmark = pytest.mark.usefixtures("database", "tidy")

# Every rule of every table, one a row, as the database itself words it.
RULES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'",
    "postgresql": """
        SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
          WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT table_name || '.' || column_name,
            concat_ws(' ', data_type, is_nullable, column_default) FROM information_schema.columns
          WHERE table_schema = 'public'
        ORDER BY 1""",
}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """On a database without tables."""
    made = engine_of(empty(tmp_path))
    db = connect(made)
    yield db
    db.close()
    made.dispose()


def names(where: Place) -> set[str]:
    made = engine_of(where)
    try:
        return set(inspect(made).get_table_names())
    finally:
        made.dispose()


def rules(where: Place) -> dict[str, list[str]]:
    found = rows(where, RULES["sqlite" if isinstance(where, Path) else "postgresql"])
    # A migration may bring the columns of a table in another order.
    told = {name: sorted(rule.replace(",", " ").split()) for name, rule in found}
    return {name: words for name, words in told.items() if not name.startswith("alembic")}


def test_the_migrated_schema_is_the_one_in_the_code(tmp_path: Path) -> None:
    """No table, column, index or constraint is missing or too many."""
    made, where = open_store(tmp_path)
    with made.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        assert head(connection)
    made.dispose()
    assert names(where) >= set(metadata.tables)


def test_the_rules_of_the_tables_are_there(tmp_path: Path) -> None:
    """Autogenerate looks at no checks and no defaults, so the statements are compared word by word."""
    migrated, fresh = blank(tmp_path / "migrated"), empty(tmp_path / "fresh")
    made = engine_of(fresh)
    metadata.create_all(made)
    made.dispose()
    assert rules(migrated) == rules(fresh)
    assert any("never_below_zero" in " ".join([name, *words]) for name, words in rules(fresh).items())


def test_an_upgrade_of_what_is_up_to_date_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each start may call it."""
    where = blank(tmp_path)
    before = (tmp_path / FILE).read_bytes() if isinstance(where, Path) else b""

    def no(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(command, "upgrade", no)
    migrate(where)
    assert not before or (tmp_path / FILE).read_bytes() == before


def test_a_migration_that_is_cut_short_leaves_nothing(
    tmp_path: Path, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a table nor a version stamp, and the next start is as the first."""
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
        upgrade(db)
    db.drop()
    assert count == 10
    assert names(place(tmp_path)) == set()
    monkeypatch.undo()
    migrate(place(tmp_path))
    assert names(place(tmp_path)) >= set(metadata.tables)


def test_points_survive_every_migration(tmp_path: Path, db: Db) -> None:
    """A ledger that was kept under the first tables is read under today's."""
    first = config()
    first.attributes["connection"] = db.connection
    for statement in (
        "BEGIN",
        "INSERT INTO groups (id, account, chat) VALUES (1, 'a', 'g')",
        "INSERT INTO accounts VALUES (1, 1, 'house', 0, -7), (2, 1, 'purse', 1, 7)",
        "INSERT INTO postings VALUES (1, 'k', 1, -7, 5), (2, 'k', 2, 7, 5)",
        "COMMIT",
    ):
        db.connection.exec_driver_sql(statement)
        if statement == "BEGIN":
            command.upgrade(first, "0001")
    upgrade(db)
    db.close()
    where = place(tmp_path)
    report = audit(where)
    assert report.clean
    assert report.counts["postings"] == 2
    assert rows(where, "SELECT * FROM postings ORDER BY account_id") == [("k", 1, -7, 5), ("k", 2, 7, 5)]


async def test_a_database_of_a_newer_program_is_one_sentence(tmp_path: Path) -> None:
    """An older 小二 leaves it alone, and lets go of it."""
    where = blank(tmp_path)
    rows(where, "UPDATE alembic_version SET version_num = '9999'")
    for _ in range(2):
        with pytest.raises(Unusable, match="版本比程序新"):
            await Database.open(where)
