"""Importing wechaty leaves no trace: no folder, no log handler, and nothing before it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROGRAM = """
import logging, sys
logging.getLogger("ours").addHandler(ours := logging.StreamHandler())
import bot.adapters.wechaty
assert not [name for name in sys.modules if name.startswith("wechaty")], "not lazy"
import bot.adapters.wechaty.adapter
assert "wechaty_puppet_service" in sys.modules and "wechaty" not in sys.modules
assert logging.root.handlers == [] and logging.getLogger("ours").handlers == [ours]
for name, logger in logging.root.manager.loggerDict.items():
    handlers = set(map(type, getattr(logger, "handlers", ()))) - {logging.NullHandler}
    assert name == "ours" or not handlers, name
from bot.adapters.wechaty.compat import PuppetOptions, PuppetService
PuppetService(PuppetOptions(token="secret", end_point="127.0.0.1:1"))
"""


def test_importing_leaves_no_folder_and_no_log_handlers(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-B",
            "-W",
            "error",
            "-W",
            "ignore::SyntaxWarning",
            "-W",
            "ignore::DeprecationWarning:stringcase",
            "-c",
            PROGRAM,
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "WECHATY_LOG": "nonsense", "WECHATY_LOG_FILE": "w.log"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
