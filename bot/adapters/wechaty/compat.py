"""wechaty on today's Python and libraries, and quiet: the one door through which it is imported.

Only what the puppet service needs is put right. The `Wechaty` class is not imported: it is that
package which writes a `.wechaty/` folder, and which needs still more.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pyee
import pyee.asyncio

# wechaty reads these as it is imported: a level that it does not know raises, a file is opened.
_LOG_VARIABLES = ("WECHATY_LOG", "WECHATY_LOG_FILE")


@contextmanager
def _as_it_expects() -> Iterator[None]:
    """Lend wechaty what has moved or gone since it was written, and take away its log handlers."""
    kept = {key: os.environ.pop(key) for key in _LOG_VARIABLES if key in os.environ}
    known = set(logging.root.manager.loggerDict)
    telnet = sys.modules.get("telnetlib")
    # Moved in pyee 12.
    pyee.AsyncIOEventEmitter = pyee.asyncio.AsyncIOEventEmitter  # type: ignore[attr-defined]
    # Gone in Python 3.13 and warns before; only a check that we do not call would use it.
    sys.modules["telnetlib"] = stand_in = ModuleType("telnetlib")
    stand_in.Telnet = None  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del sys.modules["telnetlib"]
        if telnet is not None:
            sys.modules["telnetlib"] = telnet
        os.environ.update(kept)
        for name in set(logging.root.manager.loggerDict) - known:
            _hush(logging.getLogger(name))


def _hush(logger: logging.Logger) -> None:
    """Its handlers write to stderr, and one of its warnings holds the gateway's token."""
    if any(type(handler) in (logging.StreamHandler, logging.FileHandler) for handler in logger.handlers):
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)


with _as_it_expects():
    from wechaty_grpc.wechaty import PuppetStub
    from wechaty_puppet import PuppetOptions
    from wechaty_puppet_service import PuppetService

__all__ = ["PuppetOptions", "PuppetService", "PuppetStub"]
