"""A bot of its own and a real browser, for tests and for the pictures in the README."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.databases import words

ROOT = Path(__file__).parent.parent.parent
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 60.0


@dataclass
class Bot:
    """A process of `xiaoer run`. `startup` is the seconds until it said ready."""

    process: subprocess.Popen[str]
    url: str
    log: Path
    startup: float

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Ask it to stop; its exit code, and the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(PATIENCE), time.monotonic() - began

    def troubles(self) -> list[str]:
        """What it logged, except that this machine is slow, and that the next year's days off are not out yet."""
        known = ("slow turn", "days off are not known")
        lines = self.log.read_text().splitlines()
        return [line for line in lines if not any(words in line for words in known)]


@contextmanager
def bot(data: Path, *options: str, port: int = 0, home: Path = ROOT, **environment: str) -> Iterator[Bot]:
    """Run 小二 on a data folder, warnings as errors, until the block ends."""
    log = data.parent / f"{data.name}.log"
    command = [sys.executable, "-W", "error", "-m", "bot.cli", "run", "--port", str(port), *words(data)]
    began = time.monotonic()
    with log.open("w") as said:
        process = subprocess.Popen(
            [*command, *options],
            cwd=home,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
    assert process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
        line = process.stdout.readline() if ready else ""
        assert line.startswith("ready http://"), log.read_text()
        yield Bot(process, line.split()[1], log, time.monotonic() - began)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()


def browser() -> str | None:
    """A Chromium on this machine."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)
