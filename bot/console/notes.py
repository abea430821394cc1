"""Small files beside the database: who is at work on it and where, and when it was last backed up.

Commands find the process by them, and `xiaoer status` the backup; without them, or with something else in
them, nothing is lost.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RUN = "xiaoer.run"
BACKUP = "xiaoer.backup"


@dataclass(frozen=True, slots=True)
class AtWork:
    """A process of `xiaoer run`: its pid, where its page answers from this machine, since when (ISO), and
    what its database on a server is called; '' for the file in the folder.
    """

    pid: int
    address: str
    since: str
    database: str = ""


def begin(folder: Path, work: AtWork) -> None:
    """Note who is at work."""
    _write(folder / RUN, asdict(work))


def end(folder: Path) -> None:
    """Nobody is at work any more."""
    with contextlib.suppress(OSError):
        (folder / RUN).unlink(missing_ok=True)


def at_work(folder: Path) -> AtWork | None:
    """Who was at work last, and may have been killed since; None when the last one ended by itself."""
    found = _read(folder / RUN)
    try:
        database = str(found.get("database", ""))
        return AtWork(int(found["pid"]), str(found["address"]), str(found["since"]), database)
    except (KeyError, ValueError, TypeError):
        return None


def saved(folder: Path, file: Path) -> None:
    """Note that there is a backup."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    _write(folder / BACKUP, {"at": now, "file": str(file.absolute())})


def last_backup(folder: Path) -> tuple[datetime, str] | None:
    """When the last backup was made, and where it went."""
    found = _read(folder / BACKUP)
    try:
        return datetime.fromisoformat(str(found["at"])).astimezone(UTC), str(found["file"])
    except (KeyError, ValueError, TypeError):
        return None


def _write(path: Path, content: dict[str, object]) -> None:
    """Whole or not at all; a folder that cannot be written is no reason to stop."""
    part = path.with_name(f"{path.name}.part")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        part.replace(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
