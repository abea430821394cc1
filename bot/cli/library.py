"""check, import and schema: the operators' files."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli.common import Config, Data, Json, explained, library_of, place_of, settings_of
from bot.cli.doubts import doubts
from bot.config import Settings
from bot.errors import Faults


def check(
    path: Annotated[Path | None, typer.Argument(help="活动库的根目录，默认看配置文件")] = None,
    data: Data = None,
    config_file: Config = None,
    *,
    groups: Annotated[
        int | None, typer.Option("--groups", min=1, help="按每本日历这么多个群算来不来得及")
    ] = None,
    as_json: Json = False,
) -> None:
    """检查活动库和配置：所有的错一次说全，每条带文件、行和列；时段发不发得完、撞没撞，也提醒。"""
    with explained():
        from bot.app import kinds, routes  # noqa: PLC0415 - the handlers are a tenth of a second
        from bot.sop.library import load  # noqa: PLC0415

        settings, faults = Settings(), []
        try:
            settings = settings_of(config_file, data)
        except Faults as found:
            faults = list(found.faults)
        library = load(path or library_of(settings), kinds(routes()))
        faults += library.faults
        doubtful = doubts(library, settings, place_of(settings, data), groups)
        if as_json:
            told = [asdict(one) | {"level": "fault"} for one in faults]
            told += [asdict(one) | {"level": "warning"} for one in doubtful]
            print(json.dumps(told, ensure_ascii=False, indent=1))
        else:
            for fault in faults:
                print(fault)
            for one in doubtful:
                print(replace(one, message=f"提醒：{one.message}"))
            if not faults:
                print(
                    f"没有错：{len(library.calendars)} 本日历，{len(library.activities)} 个活动，"
                    f"{len(library.posts)} 条帖子，"
                    f"{sum(len(bank.questions) for bank in library.banks.values())} 道题。"
                )
        raise typer.Exit(1 if faults else 0)


def bring(
    file: Annotated[Path, typer.Argument(help="排期表，.xlsx")],
    config_file: Config = None,
    *,
    into: Annotated[
        Path | None, typer.Option("--into", help="写进哪个活动库，不写就是这里的，没有就新建")
    ] = None,
    calendar: Annotated[str, typer.Option("--calendar", help="日历的名称；不写，就是表的文件名")] = "",
    tag: Annotated[str, typer.Option("--tag", help="给哪个标签的群；不写，就是日历的名称")] = "",
    force: Annotated[bool, typer.Option("--force", help="已经有的文件，也换掉")] = False,
) -> None:
    """把排期表变成日历、帖子和活动。有错，一格一格说清楚，什么也不写。"""
    with explained():
        from bot.app import kinds, routes  # noqa: PLC0415 - the handlers are a tenth of a second
        from bot.importing.bringing import bring as bring_in  # noqa: PLC0415

        settings = settings_of(config_file)
        today = datetime.now(ZoneInfo(settings.timezone)).date()
        # Not into the library that 小二 came with, unless that is the one here.
        root = into or Path(settings.library)
        for line in bring_in(file, root, kinds(routes()), today, calendar=calendar, tag=tag, force=force):
            print(line)


def schema(
    config_file: Config = None,
    *,
    into: Annotated[Path | None, typer.Option("--into", help="写进哪里，默认是活动库里的 schema")] = None,
) -> None:
    """写好给编辑器用的 JSON Schema：写活动库和配置时，能补全、有说明、错处画红线。"""
    with explained():
        from bot.app import kinds, routes  # noqa: PLC0415 - the handlers are a tenth of a second
        from bot.sop.schemas import FOLDER, write  # noqa: PLC0415

        folder = into or library_of(settings_of(config_file)) / FOLDER
        for path in write(folder, kinds(routes()), Settings):
            print(f"写了 {path}")
