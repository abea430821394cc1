"""The command line. A person's mistake is one sentence on stderr and exit 2, never a traceback."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bot import config, logs
from bot.config import Settings
from bot.errors import Faults, Unusable

app = typer.Typer(
    help="小二：群里的店小二。", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
db = typer.Typer(help="数据库：升级、对账、备份。", no_args_is_help=True)
app.add_typer(db, name="db")

ROOT = Path(__file__).resolve().parent.parent

Config = Annotated[Path | None, typer.Option("--config", help="配置文件，默认是 config.yaml")]
Data = Annotated[Path | None, typer.Option("--data", help="数据目录，默认看配置文件")]
Json = Annotated[bool, typer.Option("--json", help="给程序读的 JSON")]


@app.command()
def run(
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="页面的端口")] = None,
    data: Data = None,
    config_file: Config = None,
) -> None:
    """开工：接上账号或沙箱，打开页面。"""
    with explained():
        settings = _settings(config_file)
        if port is not None:
            settings = settings.model_copy(update={"page": settings.page.model_copy(update={"port": port})})
        logs.configure(settings.log.format, settings.log.level)
        from bot import serve  # noqa: PLC0415 - the other commands need no web server

        asyncio.run(serve.run(settings, data or Path(settings.data), _library(settings)))


@app.command()
def check(
    path: Annotated[Path | None, typer.Argument(help="活动库的根目录，默认看配置文件")] = None,
    config_file: Config = None,
    *,
    as_json: Json = False,
) -> None:
    """检查活动库和配置：所有的错一次说全，每条带文件、行和列。"""
    with explained():
        from bot.app import kinds, routes  # noqa: PLC0415 - the handlers are a tenth of a second
        from bot.sop.library import load  # noqa: PLC0415

        settings, faults = Settings(), []
        if path is None:
            try:
                settings = _settings(config_file)
            except Faults as found:
                faults = list(found.faults)
        library = load(path or _library(settings), kinds(routes()))
        faults += library.faults
        if as_json:
            print(json.dumps([asdict(fault) for fault in faults], ensure_ascii=False, indent=1))
        else:
            for fault in faults:
                print(fault)
            if not faults:
                print(
                    f"没有错：{len(library.calendars)} 本日历，{len(library.activities)} 个活动，"
                    f"{len(library.posts)} 条帖子，"
                    f"{sum(len(bank.questions) for bank in library.banks.values())} 道题。"
                )
        raise typer.Exit(1 if faults else 0)


@app.command()
def status(data: Data = None, config_file: Config = None, *, as_json: Json = False) -> None:
    """小二怎么样了：在不在、账号、发件箱、今天的日程、下一件事。好好的退出码是 0，不是就是 1。"""
    with explained():
        from bot.app import kinds, routes  # noqa: PLC0415 - the handlers are a tenth of a second
        from bot.console.status import look  # noqa: PLC0415
        from bot.sop.library import load  # noqa: PLC0415

        settings = _settings(config_file)
        found = look(data or Path(settings.data), settings, load(_library(settings), kinds(routes())))
        if as_json:
            print(json.dumps(found.as_json(), ensure_ascii=False, indent=1))
        else:
            found.show()
        raise typer.Exit(0 if found.healthy else 1)


@db.command("upgrade")
def upgrade(data: Data = None, config_file: Config = None) -> None:
    """把数据库升级到这一版程序要的样子；xiaoer run 开工时也会做。"""
    with explained():
        from storage.database import Database  # noqa: PLC0415

        async def work(folder: Path) -> None:
            await (await Database.open(folder)).close()

        asyncio.run(work(_data(data, config_file)))
        print("数据库是最新的。")


@db.command("audit")
def audit(data: Data = None, config_file: Config = None, *, as_json: Json = False) -> None:
    """对账：分数有没有凭空多少，红包有没有发重，日程有没有发两遍。干净退出码是 0，不干净是 1。"""
    with explained():
        from storage.audit import audit as look  # noqa: PLC0415

        report = look(_data(data, config_file))
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

        folder = _data(data, config_file)
        copy(folder, file)
        notes.saved(folder, file)
        print(f"备份好了：{file}")


@contextmanager
def explained() -> Iterator[None]:
    """Say what is wrong in words, and leave with 2."""
    try:
        yield
    except Faults as faults:
        for fault in faults.faults:
            print(fault, file=sys.stderr)
    except Unusable as error:
        print(error, file=sys.stderr)
    else:
        return
    raise typer.Exit(2)


def main() -> None:
    """The entry of the `xiaoer` command."""
    logs.configure()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


def _settings(file: Path | None) -> Settings:
    """From the file that was named; or the one here, or else the one that 小二 came with."""
    if file is not None:
        return config.load(file, required=True)
    here = Path(config.NAME)
    return config.load(here if here.exists() else ROOT / config.NAME, required=False)


def _data(data: Path | None, config_file: Path | None) -> Path:
    return data if data is not None else Path(_settings(config_file).data)


def _library(settings: Settings) -> Path:
    """The library here, or else the one that 小二 came with."""
    here = Path(settings.library)
    return here if here.is_dir() or here.is_absolute() else ROOT / settings.library


if __name__ == "__main__":
    main()
