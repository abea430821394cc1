"""签到 on PostgreSQL, durable and answered: 64 callers, beside one async ORM session a message.

The server is the tests' (tests/postgres.py), with fsync on: the wheel's on a socket of its own, or the one
of XIAOER_TEST_DATABASE_URL.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks import by_orm
from benchmarks.result import Result, Skipped, middle, p99
from benchmarks.sign_in import CALLERS, ORM, call, prepare
from benchmarks.stage import folder, stage
from bot.app import settle
from bot.config import Settings
from storage.audit import audit

if TYPE_CHECKING:
    from tests.postgres import Server

T = TypeVar("T")
SIGN_INS = 6_400
BY_ORM = 640
GROUPS = 64
REPEATS = 3
DURABLE = "-c fsync=on"


def measure() -> Sequence[Result]:
    try:
        from tests import postgres
    except ModuleNotFoundError as error:
        raise Skipped(f"PostgreSQL: {error}") from None
    server = postgres.find(DURABLE)
    if server is None:
        raise Skipped(postgres.MISSING)
    ours: list[tuple[float, float]] = []
    theirs: list[float] = []
    try:
        for number in range(REPEATS):
            ours.append(lap(server, number, run, SIGN_INS))
            theirs.append(lap(server, number, orm, BY_ORM))
    finally:
        server.close()
    orm_rate = middle(theirs, 0)
    return [
        Result(
            "sign_in_pg_per_s",
            "1/s",
            middle([rate for rate, _ in ours], 0),
            f"≥ {max(2000, 10 * orm_rate):g}",
            {ORM: orm_rate},
        ),
        Result("sign_in_pg_p99_ms", "ms", middle([late for _, late in ours])),
    ]


def lap(
    server: Server, number: int, way: Callable[[Path, str, int], Coroutine[None, None, T]], many: int
) -> T:
    """One way on a new database, which is checked and dropped."""
    name = f"xiaoer_bench_{number}"
    url = server.make(name)
    try:
        with folder() as data:
            found = asyncio.run(way(data, url, many))
        check(url, many)
    finally:
        server.drop(name)
    return found


async def run(data: Path, url: str, many: int) -> tuple[float, float]:
    """Sign-ins a second until all are answered, and the p99 from feed to commit in milliseconds."""
    async with stage(data, Settings(sandbox=False, database_url=SecretStr(url))) as app:
        work = await prepare(app, GROUPS, many // GROUPS)
        began = time.perf_counter()
        late = await call(app, work)
        await settle(app)
        return many / (time.perf_counter() - began), p99(late) * 1000


async def orm(data: Path, url: str, many: int) -> float:
    async with stage(data, Settings(sandbox=False, database_url=SecretStr(url))) as app:
        work = await prepare(app, GROUPS, many // GROUPS)
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    with psycopg.connect(url) as connection:
        # The bot numbers these rows by itself, and the ORM leaves it to the database.
        for table in ("outbox", "accounts"):
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), MAX(id)) FROM {table}"
            )
    engine = create_async_engine("postgresql+psycopg://", connect_args=conninfo_to_dict(url))
    began = time.perf_counter()
    await by_orm.sign_ins(engine, work, CALLERS)
    return many / (time.perf_counter() - began)


def check(url: str, sign_ins: int) -> None:
    """Everybody once, the books even."""
    report = audit(url)
    assert report.clean, report.faults
    assert not report.unknown
    assert report.counts["sign_ins"] == sign_ins
    assert report.counts["postings"] == 2 * (sign_ins + GROUPS)
    assert report.counts["messages"] == sign_ins + GROUPS
