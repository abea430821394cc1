"""The library while 小二 is at work: whoever saves a file has it read again, whole or not at all.

What is told of changes by the system (watchfiles) only wakes us, and a second that passes does too: what
counts is how the files look. So it makes no difference how an editor saves, whether a folder goes and comes
back, or whether the file system tells of anything at all.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import structlog
from watchfiles import awatch

from bot.aside import aside
from bot.clock import as_datetime
from bot.errors import Away, Fault
from bot.sop.changes import Changes, Item, compare
from bot.sop.library import Library, load, reload
from bot.sop.schema import Kinds

# Milliseconds: how long what changes together is waited for, and how often we look when nothing is told.
TOGETHER = 200
LOOK = 1000
SETTLED = 0.1  # seconds in which no file changes, before they are read
STILL = 10  # so often we wait for that
KEPT = 20
TOLD = 20

Look = Mapping[str, tuple[int, ...]]
# Has all that is done from now on go by a library; the answer is the moment.
Swap = Callable[[Library, Changes], Awaitable[int]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reload:
    """A time at which the library was read anew; what has changed holds from `at`."""

    at: int
    changes: Changes
    faults: tuple[Fault, ...]


class Librarian:
    """`library` is what is in force, `last` what was done to it since the start, the newest first."""

    def __init__(self, root: Path, kinds: Kinds, swap: Swap, library: Library | None = None) -> None:
        self.root = root
        self.last: deque[Reload] = deque(maxlen=KEPT)
        self._kinds = kinds
        self._swap = swap
        self._seen: Look = look(root)
        self.library = library or load(root, kinds)
        for fault in self.library.faults:
            log.warning("put aside, the rest runs", fault=str(fault))

    async def watch(self) -> None:
        """Keep the library as its files are, until this is cancelled."""
        async for _ in self._stirs():
            try:
                await self.check()
            except Away:
                return  # the process ends
            except Exception:
                log.exception("the library could not be read again, and will be when a file changes")

    async def check(self) -> Reload | None:
        """Read the library again if a file looks other than it did. None when all is as it was."""
        seen = await aside(look, self.root)
        if seen == self._seen:
            return None
        for _ in range(STILL):
            await asyncio.sleep(SETTLED)
            before, seen = seen, await aside(look, self.root)
            if seen == before:
                break
        self._seen = seen
        return await self._read()

    async def _read(self) -> Reload | None:
        began = perf_counter()
        before = self.library
        after = await aside(reload, self.root, self._kinds, before)
        changes = await aside(compare, before, after)
        at = await self._swap(after, changes)
        self.library = after
        if not changes and after.faults == before.faults:
            return None
        done = Reload(at, changes, after.faults)
        self.last.appendleft(done)
        log.info(
            "the library was read again",
            added=_told(changes.added),
            changed=_told(changes.changed),
            removed=_told(changes.removed),
            faults=len(after.faults),
            holds_from=as_datetime(at).isoformat(timespec="milliseconds"),
            ms=round((perf_counter() - began) * 1000),
        )
        for fault in sorted(set(after.faults) - set(before.faults)):
            kept = fault.file in after.kept
            said = "the last good version is kept" if kept else "put aside, the rest runs"
            log.warning(said, fault=str(fault))
        return done

    async def _stirs(self) -> AsyncIterator[None]:
        """Whenever files may have changed: at once where the system tells, and each second."""
        while True:
            here = _number(self._seen)
            try:
                told = awatch(
                    self.root,
                    watch_filter=None,
                    debounce=TOGETHER,
                    rust_timeout=LOOK,
                    yield_on_timeout=True,
                    ignore_permission_denied=True,
                )
                async with aclosing(told):
                    async for _ in told:
                        yield
                        if _number(self._seen) != here:
                            break  # another folder has the name now
            except Exception:  # noqa: BLE001 - no such folder, no more watches, a name that is no UTF-8: we look
                yield
                await asyncio.sleep(LOOK / 1000)


def look(root: Path) -> Look:
    """How the files of a library look: by name, what changes when one is written. Hidden ones do not count."""
    found: dict[str, tuple[int, ...]] = {}
    folders = [str(root)]
    been: set[tuple[int, int]] = set()
    while folders:
        folder = folders.pop()
        try:
            at = Path(folder).stat()
            if (at.st_dev, at.st_ino) in been:
                continue  # a link that leads back
            been.add((at.st_dev, at.st_ino))
            found[folder] = (at.st_dev, at.st_ino)
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    found[entry.path] = _file(entry)
                    if not found[entry.path]:
                        folders.append(entry.path)
        except OSError:
            continue  # it went while we looked; the next look tells
    return found


def _file(entry: os.DirEntry[str]) -> tuple[int, ...]:
    """How a file looks; nothing for a folder, a link that leads nowhere, and what went while we looked."""
    try:
        at = None if entry.is_dir() else entry.stat()
    except OSError:
        at = None
    return (at.st_ino, at.st_mtime_ns, at.st_ctime_ns, at.st_size) if at else ()


def _number(seen: Look) -> tuple[int, ...]:
    return next(iter(seen.values()), ())


def _told(items: tuple[Item, ...]) -> list[str]:
    return [str(item) for item in items[:TOLD]] + (
        [f"and {len(items) - TOLD} more"] if len(items) > TOLD else []
    )
