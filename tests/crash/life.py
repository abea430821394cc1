"""One life of `xiaoer run`: a process of its own, from its `ready` to its end."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bot.config import DATABASE_URL
from storage.audit import audit
from storage.place import Place
from tests import databases

# A busy machine with two cores may take its time; nothing here waits longer than it must.
START, STOP = 40, 20


class Life:
    """`begin`, then `ready` for its address, then `kill` or `stop`. Its log is a file beside the data."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self._log = log
        self.address = ""

    @classmethod
    async def begin(cls, place: Place, config: Path, log: Path) -> Life:
        words, environment = at(place)
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "bot.cli", "run", "--port", "0", "--config", str(config)),
                *words,
                stdout=PIPE,
                stderr=errors,
                env=environment,
                start_new_session=True,
            )
        return cls(process, log)

    async def ready(self) -> str:
        """The address that it prints once it answers."""
        assert self._process.stdout is not None
        said = (await asyncio.wait_for(self._process.stdout.readline(), START)).decode()
        assert said.startswith("ready http"), f"{said!r}\n{self.log}"
        self.address = said.split()[1]
        return self.address

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8")

    async def kill(self) -> None:
        """The machine loses its power, as far as the process can tell."""
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._end()

    async def end(self) -> int:
        """Wait for it to end by itself; its exit code is the answer."""
        return await self._end()

    async def stop(self) -> int:
        """Ask it to end; its exit code is the answer."""
        self._process.terminate()
        return await self._end()

    async def _end(self) -> int:
        # Reading to the end lets go of the pipe.
        said, _ = await asyncio.wait_for(self._process.communicate(), STOP)
        assert said is not None
        assert self._process.returncode is not None
        return self._process.returncode


@asynccontextmanager
async def living(place: Place, config: Path, log: Path) -> AsyncIterator[Life]:
    """A process that is gone when this ends, whatever happens."""
    life = await Life.begin(place, config, log)
    try:
        yield life
    finally:
        await life.kill()


def at(place: Place) -> tuple[Sequence[str], Mapping[str, str]]:
    """Where a command finds its database: what is to be added to its words, and its environment."""
    if isinstance(place, Path):
        return ("--data", str(place)), os.environ
    return (), {**os.environ, DATABASE_URL: place}


async def command(place: Place, *words: str) -> tuple[int, str]:
    """Run `xiaoer …` on a database: its exit code, and what it printed."""
    more, environment = at(place)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.cli", *words, *more, stdout=PIPE, env=environment, start_new_session=True
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), START)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def as_the_kill_left_it(place: Place, aside: Path) -> set[int]:
    """Audit it as the restart will find it; rows that were being sent are the answer."""
    if isinstance(place, Path):
        # A copy: whoever opens a file after a kill repairs it.
        shutil.rmtree(aside, ignore_errors=True)
        place = Path(shutil.copytree(place, aside))
    else:
        await databases.left_alone(place)
    report = audit(place)
    assert report.clean, report.faults
    sending = {row for (row,) in databases.rows(place, "SELECT id FROM outbox WHERE state = 'sending'")}
    assert sending <= {one.id for one in report.unknown}
    return sending
