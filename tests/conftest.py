"""What all tests share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests import databases, postgres

# Without colours and boxes, and without a line for each message: what a test that fails should show.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--crashes", type=int, default=5, help="how often the crash tests kill the process")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Server | None]:
    """A PostgreSQL server for all tests of the session; None where none can be had."""
    server = postgres.find()
    yield server
    if server is not None:
        server.drop(databases.TEMPLATE)
        server.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Whatever asks for it runs on both databases."""
    server = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        if server is None:
            pytest.skip(postgres.MISSING)
    with databases.on(server):
        yield request.param


@pytest.fixture
def tidy() -> Iterator[None]:
    """A test's databases go with it."""
    with databases.tidy():
        yield
