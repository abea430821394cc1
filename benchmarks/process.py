"""`xiaoer run` as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from benchmarks.stage import ROOT

LONGEST = 240  # and it ends, whatever happens
COMMAND = Path(sys.executable).with_name("xiaoer")


@contextmanager
def running(data: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str, float]]:
    """The process, its address, and the seconds from spawning it to its `ready`."""
    began = time.perf_counter()
    with subprocess.Popen(
        [COMMAND, "run", "--port", "0", "--data", data, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        deadline = Timer(LONGEST, process.kill)
        deadline.start()
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            took = time.perf_counter() - began
            assert said.startswith("ready http"), said
            yield process, said.split()[1], took
            process.terminate()
            assert process.wait() == 0
        finally:
            deadline.cancel()
            process.kill()
