"""run and status: 小二 at work."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from bot import logs
from bot.cli.common import Config, Data, Json, agreed, explained, library_of, settings_of


def run(
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="页面的端口")] = None,
    data: Data = None,
    config_file: Config = None,
) -> None:
    """开工：接上账号或沙箱，打开页面。"""
    with explained(not_now=1):
        settings = settings_of(config_file, data)
        agreed(settings, data)
        if port is not None:
            settings = settings.model_copy(update={"page": settings.page.model_copy(update={"port": port})})
        logs.configure(settings.log.format, settings.log.level)
        from bot import serve  # noqa: PLC0415 - the other commands need no web server

        asyncio.run(serve.run(settings, data or Path(settings.data), library_of(settings)))


def status(data: Data = None, config_file: Config = None, *, as_json: Json = False) -> None:
    """小二怎么样了：在不在、账号、发件箱、今天的日程、下一件事。好好的退出码是 0，不是就是 1。"""
    with explained():
        from bot.app import kinds, routes  # noqa: PLC0415 - the handlers are a tenth of a second
        from bot.console.status import look  # noqa: PLC0415
        from bot.sop.library import load  # noqa: PLC0415

        settings = settings_of(config_file, data)
        agreed(settings, data)
        found = look(data or Path(settings.data), settings, load(library_of(settings), kinds(routes())))
        if as_json:
            print(json.dumps(found.as_json(), ensure_ascii=False, indent=1))
        else:
            found.show()
        raise typer.Exit(2 if found.books is None else 0 if found.healthy else 1)
