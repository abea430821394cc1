"""The database on a PostgreSQL server: its engine, the lock that one process owns it, and coming back.

The lock hangs on the connection that writes, so a session that lost it cannot write. Every commit leaves
a token in one row: after a connection that broke in mid-commit it tells whether that commit went through,
and whether somebody else has written since.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from contextlib import suppress
from itertools import chain, repeat
from random import SystemRandom
from threading import Event
from typing import Any, NoReturn, Self
from weakref import WeakKeyDictionary, WeakSet

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper, IntLoader
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.errors import Away, Unusable
from storage.db import READERS, Db, Lost
from storage.query import Query, Rows

# What fails is told of by whoever asked for it; psycopg would say beside it that its pipeline was aborted.
logging.getLogger("psycopg").setLevel(logging.ERROR)

# From so many rows on, one statement for all is cheaper than one for each.
AT_ONCE = 3
WAITS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5)
# How soon a network that fell silent counts as broken. What stands in the URL goes before these.
_FACTS: dict[str, Any] = {
    "application_name": "xiaoer",
    "connect_timeout": 5,
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# A lock that another session holds is not waited for without end; and the server notices as soon as we do that
# the other side fell silent, so that the lock of a machine that died is free again.
_TERMS = """SET lock_timeout = '5s'; SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3; SET tcp_user_timeout = 20000"""
# A broken connection; a server that ends, starts, or ended this session; one that became a standby.
_GONE = ("08", "57P", "25P03", "25006")

# A disk or a memory that is full, a disk that fails, a lock that another session holds.
_REFUSALS = ("53", "58", "55P03")

# What the writer looks up has an index. Plans are kept, and one that was made while a table was small would
# read all of it when it has grown.
_BY_INDEX = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"
ANY_PLAN = "RESET enable_seqscan; RESET enable_hashjoin; RESET enable_mergejoin"

# Two numbers that nobody else locks in the same database.
_LOCK = (0x7869616F, 1)
_TAKE = "SELECT pg_try_advisory_lock(%s::int, %s::int)"
_HELD = """SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s
    AND objsubid = 2 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
_SESSION = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
_END_SESSION = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND backend_start = %s"
_LAST = """INSERT INTO commits (id, token) VALUES (1, 0)
    ON CONFLICT (id) DO UPDATE SET token = commits.token RETURNING token"""

log = structlog.get_logger()

# The open connections of each engine, to be cut off from another thread.
_opened: WeakKeyDictionary[Engine, WeakSet[psycopg.Connection[Any]]] = WeakKeyDictionary()


def engine(url: str) -> Engine:
    """An engine on which we alone say BEGIN. Raises Unusable for a URL that cannot be read.

    libpq reads the URL, and SQLAlchemy never sees it: no error and no log can show the password.
    """
    facts = _FACTS | _facts(url)
    opened: WeakSet[psycopg.Connection[Any]] = WeakSet()

    def connect() -> psycopg.Connection[Any]:
        made = psycopg.connect(**facts, client_encoding="utf8", autocommit=True, prepare_threshold=2)
        made.prepared_max = None
        # One type for all integers, so that a statement is prepared once; and a SUM is no Decimal.
        made.adapters.register_dumper(int, Int8Dumper)
        made.adapters.register_loader("numeric", IntLoader)
        made.execute(_TERMS, prepare=False)
        opened.add(made)
        return made

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        isolation_level="AUTOCOMMIT",
        use_native_hstore=False,
        pool_pre_ping=True,
        pool_reset_on_return=None,  # we alone begin, and roll back; on a broken connection it would only complain
        pool_size=READERS,
        max_overflow=1,
    )
    _opened[engine] = opened
    return engine


def name(url: str) -> str:
    """The database as a person may read it: without user and password."""
    facts = _facts(url)
    return f"{facts.get('host', 'localhost')}:{facts.get('port', 5432)}/{facts.get('dbname', '')}"


def held(db: Db) -> bool:
    """Whether some process has the lock now."""
    return bool(db.ask(_HELD, *_LOCK)[0])


def gone(error: BaseException) -> bool:
    """Whether an error says that the connection, and not the statement, is at fault."""
    if isinstance(error, DBAPIError):
        error = error.orig or error
    if not isinstance(error, psycopg.OperationalError):
        return isinstance(error, psycopg.errors.ReadOnlySqlTransaction)
    if error.sqlstate is None:  # it is libpq's own, or follows from another statement's
        return not isinstance(error, psycopg.errors.PipelineAborted)
    return error.sqlstate.startswith(_GONE)


def refused(error: BaseException) -> bool:
    """Whether the server takes nothing now, whatever it is asked."""
    if isinstance(error, DBAPIError):
        error = error.orig or error
    return isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith(_REFUSALS)


def told(error: BaseException | None) -> str:
    """An error of the driver's in one line; '' for another error."""
    if isinstance(error, DBAPIError):
        error = error.orig or error
    if not isinstance(error, psycopg.Error):
        return ""
    return str(error).strip().partition("\n")[0].removeprefix("connection failed: ")


class ServerDb(Db):
    """A connection to the server. The one that writes has the lock, and knows the last commit's token."""

    far = True

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._engine = connection.engine
        self._cursor: Any = _Cursor(self.driver)
        self._session: tuple[Any, ...] = ()
        self.token: int | None = None
        self._next = 0

    def own(self) -> bool:
        (encoding,), (waits,) = self.ask("SHOW server_encoding"), self.ask("SHOW synchronous_commit")
        if encoding != "UTF8":
            raise Unusable(f"数据库的编码是 {encoding}，装不下所有的字。请新建一个 UTF8 的库。")
        if waits == "off":  # what was answered must be on the disk
            self._cursor.execute("SET synchronous_commit = on")
        self._cursor.execute(_BY_INDEX)
        self._session = self.ask(_SESSION)
        return bool(self.ask(_TAKE, *_LOCK)[0])

    def begin(self, *, write: bool = True) -> None:
        if not write:
            self._cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return
        if self.token is None:
            self.token = self.last_token()
        self._next = SystemRandom().getrandbits(62)
        self._cursor.execute("BEGIN")

    def commit(self) -> None:
        self.flush()
        # One round trip. Both are simple statements, and the token is a number of ours.
        self._cursor.execute(f"UPDATE commits SET token = {self._next}; COMMIT", prepare=False)  # noqa: S608
        self.token = self._next

    def many(self, query: Query, rows: Rows) -> None:
        if query.at_once is None or len(rows) < AT_ONCE:
            super().many(query, rows)
        else:
            for values in query.at_once.values(rows):
                self.run(query.at_once.query, **values)

    def refuses(self, error: BaseException) -> bool:
        return refused(error)

    def rollback(self) -> None:
        with suppress(psycopg.OperationalError):
            super().rollback()

    def come_back(self, lost: Lost, hurry: Event) -> tuple[Db, bool]:
        if not self._connection.closed:
            log.warning("the database is away", why=told(lost.__cause__))
            self.drop()
        began = time.monotonic()
        try:
            fresh = self._wait(hurry)
        except Unusable as unusable:
            _end(str(unusable))
        log.warning("the database is back", seconds=round(time.monotonic() - began, 1))
        if self.token is not None and fresh.token not in {self.token, self._next}:
            _end("another process has written to the database: this one must be started anew")
        return fresh, self.token is not None and fresh.token == self._next

    def _wait(self, hurry: Event) -> ServerDb:
        said = False
        for wait in chain(WAITS, repeat(WAITS[-1])):
            with suppress(SQLAlchemyError, Lost):
                fresh = ServerDb(self._engine.connect())
                with suppress(psycopg.Error, Lost):
                    if fresh.own():
                        fresh.token = fresh.last_token()
                        return fresh
                    # The server may not have noticed yet that we are gone.
                    ended = self._session and fresh.ask(_END_SESSION, *self._session)
                    if not ended and not said:
                        said = True
                        log.warning("the database is held by another process, and waited for")
                fresh.drop()
            if hurry.wait(wait):
                break
        raise Away("和服务器的连接断了")

    def cut(self) -> None:
        for one in list(_opened[self._engine]):
            # Closing would need the connection to itself; its socket may be shut down from beside it.
            with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(one.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)

    def last_token(self) -> int:
        return int(self.ask(_LAST)[0])


class _Cursor(psycopg.Cursor[Any]):
    """Tells a connection that broke from a statement that is wrong."""

    def execute(self, *args: Any, **kwargs: Any) -> Self:  # noqa: ANN401
        try:
            return super().execute(*args, **kwargs)
        except psycopg.Error as error:
            if gone(error):
                raise Lost from error
            raise

    def executemany(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        try:
            super().executemany(*args, **kwargs)
        except psycopg.Error as error:
            if gone(error):
                raise Lost from error
            raise


def _end(why: str) -> NoReturn:
    """What is in memory is about another database, and whatever is done next would be wrong."""
    log.critical(why)
    os._exit(1)


def _facts(url: str) -> dict[str, Any]:
    try:
        facts = conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://", 1))
    except psycopg.ProgrammingError:
        raise Unusable("database_url 读不懂，要写 postgresql://用户:密码@主机:端口/库名 这样的。") from None
    # What was meant as the password has become a part of what names the database, which people are shown.
    if "@" in f"{facts.get('host')}{facts.get('dbname')}":
        raise Unusable("database_url 读不懂：密码里的 / 要写成 %2F，@ 要写成 %40。")
    return facts
