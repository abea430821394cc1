"""preview, rehearse and report: what will be, what would be, and what was."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bot import logs
from bot.cli.common import Config, Data, Json, agreed, explained, library_of, settings_of
from bot.cli.doubts import reached, slow
from bot.errors import Unusable


def report(
    group: Annotated[str, typer.Option("--group", help="哪个群：群名、账号/群号或编号；不写就是全部")] = "",
    week: Annotated[str, typer.Option("--week", help="哪一周，比如 2026-W47；不写就是这一周")] = "",
    sheet: Annotated[Path | None, typer.Option("--xlsx", help="写成表格文件")] = None,
    picture: Annotated[Path | None, typer.Option("--png", help="画成图片")] = None,
    data: Data = None,
    config_file: Config = None,
    *,
    as_json: Json = False,
) -> None:
    """一周办得怎么样：每场准不准时，多少人参加，答对多少，前后聊了多少，给了多少分。"""
    with explained():
        if as_json + (sheet is not None) + (picture is not None) > 1:
            raise Unusable("--json、--xlsx、--png 一次只能写一个。")
        for file, ending in ((sheet, ".xlsx"), (picture, ".png")):
            if file is not None and file.suffix.lower() != ending:
                raise Unusable(f"文件名要以 {ending} 结尾，不能是 {file}。")
        from bot.app import kinds, routes  # noqa: PLC0415 - the handlers are a tenth of a second
        from bot.console.report import files, reading, table  # noqa: PLC0415
        from bot.sop.library import load  # noqa: PLC0415
        from storage.database import look  # noqa: PLC0415

        settings = settings_of(config_file, data)
        library = load(library_of(settings), kinds(routes()))
        found = look(agreed(settings, data), reading.reader(settings, library, week, group))
        if as_json:
            print(json.dumps(found.as_json(), ensure_ascii=False, indent=1))
        elif sheet is not None:
            files.save_sheet(found, sheet)
            print(f"写好了：{sheet}")
        elif picture is not None:
            saved = files.save_pictures(found, picture)
            for path, title in saved:
                print(f"画好了：{path}（{title}）")
            if not saved:
                print(files.NOTHING)
        else:
            table.show(found)


def preview(
    group: Annotated[str, typer.Option("--group", help="哪个群：群名、账号/群号或编号；不写就是全部")] = "",
    first: Annotated[str, typer.Option("--from", help="从哪天看起，比如 2026-12-24；不写就是今天")] = "",
    days: Annotated[int, typer.Option("--days", help="看几天")] = 7,
    data: Data = None,
    config_file: Config = None,
    *,
    as_json: Json = False,
) -> None:
    """看接下来的安排：一天一天、一个群一个群，几点办什么，轮到哪个，不办是为什么。"""
    with explained():
        from bot.app import kinds, routes  # noqa: PLC0415 - the handlers are a tenth of a second
        from bot.console.preview import reading, table  # noqa: PLC0415
        from bot.sop.library import load  # noqa: PLC0415
        from storage.database import look  # noqa: PLC0415
        from storage.place import is_there  # noqa: PLC0415

        settings = settings_of(config_file, data)
        day = reading.asked(first, days)
        library = load(library_of(settings), kinds(routes()))
        place = agreed(settings, data)
        if is_there(place):
            found = look(place, reading.reader(settings, library, day, days, group))
        else:
            found = reading.imagine(settings, library, day, days, group)
        tags = {one.group.id: one.tags for one in found.groups}
        accounts = reached(library, settings, [one.group for one in found.groups], tags)
        late = [str(one) for one in slow(library, settings, accounts, found.first)]
        found = replace(found, warnings=[*found.warnings, *late])
        if as_json:
            print(json.dumps(found.as_json(), ensure_ascii=False, indent=1))
        else:
            table.show(found)


def rehearse(
    config_file: Config = None,
    *,
    days: Annotated[int, typer.Option("--days", help="演练几天")] = 7,
    groups: Annotated[int, typer.Option("--groups", help="几个群")] = 3,
    members: Annotated[int, typer.Option("--members", help="每个群多少人")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="种子：一样的种子，一样的结果")] = 1,
    calendar: Annotated[str | None, typer.Option("--calendar", help="只要这本日历的群")] = None,
    crash: Annotated[bool, typer.Option("--crash", help="中途断电许多次，账和日程应当一样")] = False,
    first: Annotated[str, typer.Option("--from", help="第一天，比如 2026-01-05，默认就是它")] = "",
    as_json: Json = False,
) -> None:
    """演练：假想的群友，虚拟的时间，几秒钟走完几天的日程，看群里会怎样。不碰真的数据。"""
    with explained():
        settings = settings_of(config_file)
        logs.configure(settings.log.format, "error")
        from bot.app import kinds, routes  # noqa: PLC0415 - the handlers are a tenth of a second
        from bot.rehearsal.rehearsing import Asked, rehearse  # noqa: PLC0415
        from bot.rehearsal.showing import progress, show  # noqa: PLC0415
        from bot.sop.library import load  # noqa: PLC0415

        root = library_of(settings)
        library = load(root, kinds(routes()))
        asked = Asked(days, groups, members, seed, calendar, crash, first)
        asked.check()
        if library.faults:
            print(
                f"活动库里有 {len(library.faults)} 处错，出错的不参加演练。看是哪些：xiaoer check",
                file=sys.stderr,
            )
        with progress(days, hidden=as_json) as told:
            seen = rehearse(asked, settings, library, root, told)
        if as_json:
            print(json.dumps(seen.as_json(), ensure_ascii=False, indent=1))
        else:
            show(seen)
        raise typer.Exit(0 if seen.audit.clean else 1)
