"""What the commands share: options, where settings, library and database are, and how a mistake is told."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bot import config
from bot.config import Settings
from bot.errors import Faults, NotNow, Unusable

ROOT = Path(__file__).resolve().parents[2]

Config = Annotated[Path | None, typer.Option("--config", help="配置文件，默认是 config.yaml")]
Data = Annotated[
    Path | None, typer.Option("--data", help="数据目录，默认看配置文件；写了它，就不看 database_url")
]
Json = Annotated[bool, typer.Option("--json", help="给程序读的 JSON")]


@contextmanager
def explained(not_now: int = 2) -> Iterator[None]:
    """Say what is wrong in words, and leave with 2, or with another code when it may be right later."""
    code = 2
    try:
        yield
    except Faults as faults:
        for fault in faults.faults:
            print(fault, file=sys.stderr)
    except Unusable as error:
        print(error, file=sys.stderr)
        code = not_now if isinstance(error, NotNow) else code
    else:
        return
    raise typer.Exit(code)


def settings_of(file: Path | None, data: Path | None = None) -> Settings:
    """From the file that was named; or the one here, or else the one that 小二 came with.

    Who names a data folder means the database in it.
    """
    here = Path(config.NAME)
    found = file or (here if here.exists() else ROOT / config.NAME)
    settings = config.load(found, required=file is not None)
    return settings.model_copy(update={"database_url": None}) if data else settings


def library_of(settings: Settings) -> Path:
    """The library here, or else the one that 小二 came with."""
    here = Path(settings.library)
    return here if here.is_dir() or here.is_absolute() else ROOT / settings.library


def place_of(settings: Settings, data: Path | None) -> Path | str:
    """Where the database is: on the server, or in the folder that was named or is the settings'."""
    return settings.server or data or Path(settings.data)


def agreed(settings: Settings, data: Path | None) -> Path | str:
    """Where the database is, and that of who is at work on the data folder too. Raises Unusable."""
    from bot.console.asking import agree  # noqa: PLC0415 - with what needs it

    place = place_of(settings, data)
    agree(data or Path(settings.data), place)
    return place
