"""What became of rows, kept by the writer: all chats that ask at one moment share one unit of work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from bot.errors import Away

if TYPE_CHECKING:
    from storage.store import Store
    from storage.writer import Writer

PATIENCE = (1, 2, 4, 8, 15, 30)  # seconds, the last again and again
Work = Callable[["Store"], object]

log = structlog.get_logger()


class Book:
    """A database that refuses (a full disk) is asked again: nothing is lost."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._works: list[Work] = []
        self._kept: asyncio.Future[None]

    def keep(self, work: Work) -> asyncio.Future[None]:
        """Done when it is committed."""
        if not self._works:
            loop = asyncio.get_running_loop()
            self._kept = loop.create_future()
            loop.call_soon(self._submit)
        self._works.append(work)
        return self._kept

    def _submit(self) -> None:
        works, self._works = self._works, []
        self._write(works, self._kept, 0)

    def _write(self, works: Sequence[Work], kept: asyncio.Future[None], tries: int) -> None:
        def unit(store: Store) -> None:
            for work in works:
                work(store)

        def done(_: object, error: BaseException | None) -> None:
            if isinstance(error, Away):
                kept.cancel()
            elif error is not None:
                wait = PATIENCE[min(tries, len(PATIENCE) - 1)]
                log.error("the outbox could not be written, and will be again", seconds=wait, why=repr(error))
                kept.get_loop().call_later(wait, self._write, works, kept, tries + 1)
            elif not kept.done():
                kept.set_result(None)

        self._writer.submit(unit, done)
