"""xiaoer db: upgrade, audit, backup, copy."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import Config, Data, Json, agreed, explained, place_of, settings_of

db = typer.Typer(help="数据库：升级、对账、备份。", no_args_is_help=True)


@db.command("upgrade")
def upgrade(data: Data = None, config_file: Config = None) -> None:
    """把数据库升级到这一版程序要的样子；xiaoer run 开工时也会做。"""
    with explained():
        from storage.database import Owned  # noqa: PLC0415

        Owned(agreed(settings_of(config_file, data), data)).release()
        print("数据库是最新的。")


@db.command("audit")
def audit(data: Data = None, config_file: Config = None, *, as_json: Json = False) -> None:
    """对账：分数有没有凭空多少，红包有没有发重，日程有没有发两遍。干净退出码是 0，不干净是 1。"""
    with explained():
        from storage.audit import audit as look  # noqa: PLC0415

        report = look(agreed(settings_of(config_file, data), data))
        if as_json:
            print(json.dumps(asdict(report) | {"clean": report.clean}, ensure_ascii=False, indent=1))
        else:
            for line in report.lines():
                print(line)
        raise typer.Exit(0 if report.clean else 1)


@db.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(help="备份写到哪个文件；已经有的文件不会被覆盖")],
    data: Data = None,
    config_file: Config = None,
) -> None:
    """备份数据库，小二开着工也可以做。"""
    with explained():
        from bot.console import notes  # noqa: PLC0415 - with what needs it
        from storage.database import backup as copy  # noqa: PLC0415

        place = agreed(settings_of(config_file, data), data)
        copy(place, file)
        if isinstance(place, Path):
            notes.saved(place, file)
        print(f"备份好了：{file}")


@db.command("copy")
def copy(
    sqlite: Annotated[Path, typer.Argument(help="数据目录，里面有要搬的 xiaoer.db")],
    postgres_url: Annotated[
        str | None, typer.Argument(help="搬到哪个空的库，postgresql://…；不写，看 database_url")
    ] = None,
    config_file: Config = None,
) -> None:
    """把数据目录里的数据库搬到 PostgreSQL 服务器上。两边的小二都要先停下。"""
    with explained():
        from storage.copying import copy as move  # noqa: PLC0415

        move(sqlite, postgres_url or place_of(settings_of(config_file), None), print)
        print("搬好了，两边对过账。把 database_url 写进配置或环境变量，就可以在新的库上开工。")
