"""The log, on stderr: lines for people, or one JSON object a line for machines."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog
from structlog.stdlib import ProcessorFormatter

if TYPE_CHECKING:
    from structlog.typing import Processor


def configure(form: str = "text", level: str = "info") -> None:
    """Have everything logged like this from now on, also what the libraries log.

    A line is written with one call, so that those of two threads do not mix.
    """
    as_json = form == "json"
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=as_json)
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        stamp,
    ]
    last = _json() if as_json else _text()
    stream = cast("TextIO", Unfailing(sys.stderr))
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            processors=[ProcessorFormatter.remove_processors_meta, *last], foreign_pre_chain=first
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


class Unfailing:
    """A stream without its errors: a log on a disk that is full must not end the thread that writes to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._stream, name)


def _json() -> list[Processor]:
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def _text() -> list[Processor]:
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    ]
