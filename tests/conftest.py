"""What all tests share."""

from __future__ import annotations

import logging

import pytest
import structlog

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
