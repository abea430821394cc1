"""The two databases that laps begin with, as files and on a server: one of them empty, one full."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.filling import TAG, fill
from benchmarks.full import EACH, GROUPS, full
from benchmarks.result import Skipped
from benchmarks.sign_in_pg import DURABLE
from benchmarks.stage import folder
from storage.copying import copy
from tests import postgres

FULL, LAP = "xiaoer_growth", "xiaoer_growth_lap"


@dataclass(frozen=True, slots=True)
class Ground:
    """A data folder, how many groups are in it, and a server's database that holds the same."""

    data: Path
    others: int
    server: postgres.Server | None
    template: str

    @contextmanager
    def on_server(self) -> Iterator[str]:
        """The URL of a copy. Raises Skipped when there is no server."""
        if self.server is None:
            raise Skipped(postgres.MISSING)
        url = self.server.make(LAP, self.template)
        try:
            yield url
        finally:
            self.server.drop(LAP)


@contextmanager
def grounds() -> Iterator[dict[str, Ground]]:
    """The empty one; and the full one with 10,000 groups, 100,000 members and a million ledger entries."""
    with folder() as nothing, full() as grown, server() as found:
        if found is not None:
            copy(grown, found.make(FULL), print)
        yield {"empty": Ground(nothing, 0, found, "template0"), "full": Ground(grown, GROUPS, found, FULL)}


@contextmanager
def server() -> Iterator[postgres.Server | None]:
    found = postgres.find(DURABLE)
    try:
        yield found
    finally:
        if found is not None:
            found.drop(FULL)
            found.close()


def more(data: Path, groups: int, each: int = EACH, tag: str = TAG) -> range:
    """So many groups more than there are, with so many members each; the answer is their numbers."""
    first = fill(data, groups, each, days=0, now=time.time_ns() // 1000, tag=tag)
    return range(first, first + groups)
