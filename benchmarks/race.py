"""Contenders in processes of their own, in turn, round after round: what one does to the machine meets all."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.stage import ROOT

LONGEST = 200  # seconds


@dataclass(frozen=True, slots=True)
class Contender:
    """A module of benchmarks/contenders and its arguments; `python` where it has a venv of its own."""

    name: str
    module: str
    args: tuple[str, ...]
    python: Path = Path(sys.executable)


@dataclass(frozen=True, slots=True)
class Race:
    """What each printed, in the order of the rounds; and why some did not run."""

    printed: dict[str, list[dict[str, float]]]
    skipped: dict[str, str]


def race(contenders: Sequence[Contender], rounds: int) -> Race:
    """Run them all. One that is not installed is left out, with the reason; one that fails stops everything."""
    done = Race({}, {})
    for _ in range(rounds):
        for one in contenders:
            if one.name in done.skipped:
                continue
            missing = "" if one.python.exists() else "its venv is not there: `make bench` makes it"
            if not missing:
                result = _run(one)
                missing = _missing(result)
                if not missing:
                    assert result.returncode == 0, f"{one.name}: {result.stderr[-2000:]}"
                    kept = json.loads(result.stdout.splitlines()[-1])
                    done.printed.setdefault(one.name, []).append(kept)
            if missing:
                done.skipped[one.name] = missing
    return done


def _run(one: Contender) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [one.python, "-m", f"benchmarks.contenders.{one.module}", *one.args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )


def _missing(result: subprocess.CompletedProcess[str]) -> str:
    """Which package is not installed, or '' when that is not what went wrong."""
    last = (result.stderr.splitlines() or [""])[-1]
    return last if result.returncode and last.startswith("ModuleNotFoundError") else ""
