"""Alembic, without its command line: the tables are brought up to date in one transaction."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from storage.db import Db

_HERE = Path(__file__).parent / "migrations"


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    return made


@cache
def newest() -> str | None:
    """The newest version's id."""
    return ScriptDirectory.from_config(config()).get_current_head()


def head(connection: Connection) -> str | None:
    """The newest version's id when the database has it, else None."""
    return newest() if MigrationContext.configure(connection).get_current_revision() == newest() else None


def upgrade(db: Db) -> None:
    """Bring the tables up to date: all of it or, when the process dies, none of it."""
    if head(db.connection):
        return
    # Not db.begin(): on a server that looks into a table first.
    db.connection.exec_driver_sql("BEGIN IMMEDIATE" if db.connection.dialect.name == "sqlite" else "BEGIN")
    migrate(db.connection)
    db.connection.exec_driver_sql("COMMIT")


def migrate(connection: Connection) -> None:
    """Bring the tables up to date, in the transaction that a connection is in."""
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, "head")
