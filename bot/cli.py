"""The command line. A person's mistake is one sentence on stderr and exit 2, never a traceback."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from bot import config, logs
from bot.config import Pace, Settings
from bot.errors import Fault, Faults, NotNow, Unusable

if TYPE_CHECKING:
    from bot.model import Group
    from bot.sop.library import Library

app = typer.Typer(
    help="小二：群里的店小二。", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
db = typer.Typer(help="数据库：升级、对账、备份。", no_args_is_help=True)
app.add_typer(db, name="db")
outbox = typer.Typer(help="发件箱：没发出去的，和不知道发出去没有的。", no_args_is_help=True)
app.add_typer(outbox, name="outbox")

ROOT = Path(__file__).resolve().parent.parent

Config = Annotated[Path | None, typer.Option("--config", help="配置文件，默认是 config.yaml")]
Data = Annotated[
    Path | None, typer.Option("--data", help="数据目录，默认看配置文件；写了它，就不看 database_url")
]
Json = Annotated[bool, typer.Option("--json", help="给程序读的 JSON")]
Number = Annotated[str, typer.Argument(help="消息的编号，xiaoer outbox list 里有")]


class State(StrEnum):
    """What a message that was not sent may be."""

    PLANNED = "planned"
    SENDING = "sending"
    FAILED = "failed"
    STALE = "stale"
    UNKNOWN = "unknown"


@app.command()
def run(
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="页面的端口")] = None,
    data: Data = None,
    config_file: Config = None,
) -> None:
    """开工：接上账号或沙箱，打开页面。"""
    with explained(not_now=1):
        settings = _settings(config_file, data)
        _agreed(settings, data)
        if port is not None:
            settings = settings.model_copy(update={"page": settings.page.model_copy(update={"port": port})})
        logs.configure(settings.log.format, settings.log.level)
        from bot import serve  # noqa: PLC0415 - the other commands need no web server

        asyncio.run(serve.run(settings, data or Path(settings.data), _library(settings)))


@app.command()
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
            settings = _settings(config_file, data)
        except Faults as found:
            faults = list(found.faults)
        library = load(path or _library(settings), kinds(routes()))
        faults += library.faults
        doubts = _doubts(library, settings, _place(settings, data), groups)
        if as_json:
            told = [asdict(one) | {"level": "fault"} for one in faults]
            told += [asdict(one) | {"level": "warning"} for one in doubts]
            print(json.dumps(told, ensure_ascii=False, indent=1))
        else:
            for fault in faults:
                print(fault)
            for one in doubts:
                print(replace(one, message=f"提醒：{one.message}"))
            if not faults:
                print(
                    f"没有错：{len(library.calendars)} 本日历，{len(library.activities)} 个活动，"
                    f"{len(library.posts)} 条帖子，"
                    f"{sum(len(bank.questions) for bank in library.banks.values())} 道题。"
                )
        raise typer.Exit(1 if faults else 0)


@app.command("import")
def bring(
    file: Annotated[Path, typer.Argument(help="排期表，.xlsx")],
    config_file: Config = None,
    *,
    into: Annotated[Path | None, typer.Option("--into", help="写进哪个活动库，默认看配置文件")] = None,
    calendar: Annotated[str, typer.Option("--calendar", help="日历的名称；不写，就是表的文件名")] = "",
    tag: Annotated[str, typer.Option("--tag", help="给哪个标签的群；不写，就是日历的名称")] = "",
    force: Annotated[bool, typer.Option("--force", help="已经有的文件，也换掉")] = False,
) -> None:
    """把排期表变成日历、帖子和活动。有错，一格一格说清楚，什么也不写。"""
    with explained():
        from bot.app import kinds, routes  # noqa: PLC0415 - the handlers are a tenth of a second
        from bot.importing.bringing import bring as bring_in  # noqa: PLC0415

        settings = _settings(config_file)
        today = datetime.now(ZoneInfo(settings.timezone)).date()
        root = into or _library(settings)
        for line in bring_in(file, root, kinds(routes()), today, calendar=calendar, tag=tag, force=force):
            print(line)


@app.command()
def schema(
    config_file: Config = None,
    *,
    into: Annotated[Path | None, typer.Option("--into", help="写进哪里，默认是活动库里的 schema")] = None,
) -> None:
    """写好给编辑器用的 JSON Schema：写活动库和配置时，能补全、有说明、错处画红线。"""
    with explained():
        from bot.app import kinds, routes  # noqa: PLC0415 - the handlers are a tenth of a second
        from bot.sop.schemas import FOLDER, write  # noqa: PLC0415

        folder = into or _library(_settings(config_file)) / FOLDER
        for path in write(folder, kinds(routes()), Settings):
            print(f"写了 {path}")


@app.command()
def status(data: Data = None, config_file: Config = None, *, as_json: Json = False) -> None:
    """小二怎么样了：在不在、账号、发件箱、今天的日程、下一件事。好好的退出码是 0，不是就是 1。"""
    with explained():
        from bot.app import kinds, routes  # noqa: PLC0415 - the handlers are a tenth of a second
        from bot.console.status import look  # noqa: PLC0415
        from bot.sop.library import load  # noqa: PLC0415

        settings = _settings(config_file, data)
        _agreed(settings, data)
        found = look(data or Path(settings.data), settings, load(_library(settings), kinds(routes())))
        if as_json:
            print(json.dumps(found.as_json(), ensure_ascii=False, indent=1))
        else:
            found.show()
        raise typer.Exit(2 if found.books is None else 0 if found.healthy else 1)


@app.command()
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

        settings = _settings(config_file, data)
        library = load(_library(settings), kinds(routes()))
        found = look(_agreed(settings, data), reading.reader(settings, library, week, group))
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


@app.command()
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

        settings = _settings(config_file, data)
        day = reading.asked(first, days)
        library = load(_library(settings), kinds(routes()))
        place = _agreed(settings, data)
        if is_there(place):
            found = look(place, reading.reader(settings, library, day, days, group))
        else:
            found = reading.imagine(settings, library, day, days, group)
        tags = {one.group.id: one.tags for one in found.groups}
        accounts = _reached(library, settings, [one.group for one in found.groups], tags)
        slow = [str(one) for one in _slow(library, settings, accounts, found.first)]
        found = replace(found, warnings=[*found.warnings, *slow])
        if as_json:
            print(json.dumps(found.as_json(), ensure_ascii=False, indent=1))
        else:
            table.show(found)


@app.command()
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
        settings = _settings(config_file)
        logs.configure(settings.log.format, "error")
        from bot.app import kinds, routes  # noqa: PLC0415 - the handlers are a tenth of a second
        from bot.rehearsal.rehearsing import Asked, rehearse  # noqa: PLC0415
        from bot.rehearsal.showing import progress, show  # noqa: PLC0415
        from bot.sop.library import load  # noqa: PLC0415

        root = _library(settings)
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


@db.command("upgrade")
def upgrade(data: Data = None, config_file: Config = None) -> None:
    """把数据库升级到这一版程序要的样子；xiaoer run 开工时也会做。"""
    with explained():
        from storage.database import Owned  # noqa: PLC0415

        Owned(_agreed(_settings(config_file, data), data)).release()
        print("数据库是最新的。")


@db.command("audit")
def audit(data: Data = None, config_file: Config = None, *, as_json: Json = False) -> None:
    """对账：分数有没有凭空多少，红包有没有发重，日程有没有发两遍。干净退出码是 0，不干净是 1。"""
    with explained():
        from storage.audit import audit as look  # noqa: PLC0415

        report = look(_agreed(_settings(config_file, data), data))
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

        place = _agreed(_settings(config_file, data), data)
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

        move(sqlite, postgres_url or _place(_settings(config_file), None), print)
        print("搬好了，两边对过账。把 database_url 写进配置或环境变量，就可以在新的库上开工。")


@outbox.command("list")
def list_outbox(
    data: Data = None,
    config_file: Config = None,
    *,
    state: Annotated[State | None, typer.Option("--state", help="只看这一种；不写，看不知道的")] = None,
    as_json: Json = False,
) -> None:
    """列出不知道发出去没有的消息，或者别的没发出去的。小二开着工也能看。"""
    with explained():
        from bot.console.outbox import look, shown  # noqa: PLC0415 - with what needs it

        settings = _settings(config_file, data)
        lines = look(_agreed(settings, data), [state] if state else [], settings.timezone)
        if as_json:
            print(json.dumps([line.as_json() for line in lines], ensure_ascii=False, indent=1))
        else:
            for line in shown(lines):
                print(line)


@outbox.command("resend")
def resend(number: Number, data: Data = None, config_file: Config = None) -> None:
    """没到：再发一遍，十分钟以内。"""
    _tell("resend", number, data, config_file)
    print(f"消息 {number} 会再发一遍。")


@outbox.command("settle")
def settle(number: Number, data: Data = None, config_file: Config = None) -> None:
    """到了：记作已发。"""
    _tell("settle", number, data, config_file)
    print(f"消息 {number} 记作已发。")


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


def main() -> None:
    """The entry of the `xiaoer` command."""
    logs.configure()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


def _settings(file: Path | None, data: Path | None = None) -> Settings:
    """From the file that was named; or the one here, or else the one that 小二 came with.

    Who names a data folder means the database in it.
    """
    here = Path(config.NAME)
    found = file or (here if here.exists() else ROOT / config.NAME)
    settings = config.load(found, required=file is not None)
    return settings.model_copy(update={"database_url": None}) if data else settings


def _doubts(library: Library, settings: Settings, place: Path | str, groups: int | None) -> list[Fault]:
    """What may not be meant, and slots that are too many for the pace; of groups as the database has them."""
    from bot.model import names_of  # noqa: PLC0415 - with what needs it
    from bot.sop.doubts import doubtful  # noqa: PLC0415
    from storage.database import look  # noqa: PLC0415

    accounts = [{name: groups} for name in library.calendars] if groups else []
    known: list[tuple[Collection[str], Collection[str]]] = []
    if groups is None:
        with suppress(Unusable):
            found, tags = look(place, lambda store: (store.groups.all(), store.groups.tags()))
            known = [(tags.get(one.id, {}), names_of(one)) for one in found if one.opened_at]
            accounts = _reached(library, settings, found, tags)
    today = datetime.now(ZoneInfo(settings.timezone)).date()
    return sorted(_slow(library, settings, accounts, today) + doubtful(library, today, known))


def _reached(
    library: Library, settings: Settings, groups: Iterable[Group], tags: Mapping[int, Collection[str]]
) -> list[dict[str, int]]:
    """How many groups of each account each calendar is for."""
    from bot.sop.pacing import reach  # noqa: PLC0415 - with what needs it

    # The sandbox is not paced unless the file says so.
    found = reach(library, groups, tags).items()
    return [dict(each) for name, each in found if settings.pace or name != "sandbox"]


def _slow(
    library: Library, settings: Settings, accounts: Iterable[Mapping[str, int]], today: date
) -> list[Fault]:
    from bot.outbox.pace import each_post  # noqa: PLC0415 - with what needs it
    from bot.sop.pacing import too_slow  # noqa: PLC0415

    return too_slow(library, accounts, each_post((settings.pace or Pace()).per_minute), today)


def _tell(word: str, number: str, data: Path | None, config_file: Path | None) -> None:
    with explained():
        from bot.console.outbox import Word, tell  # noqa: PLC0415 - with what needs it

        settings = _settings(config_file, data)
        _agreed(settings, data)
        tell(data or Path(settings.data), settings, Word(word), number)


def _place(settings: Settings, data: Path | None) -> Path | str:
    """Where the database is: on the server, or in the folder that was named or is the settings'."""
    return settings.server or data or Path(settings.data)


def _agreed(settings: Settings, data: Path | None) -> Path | str:
    """Where the database is, and that of who is at work on the data folder too. Raises Unusable."""
    from bot.console.asking import agree  # noqa: PLC0415 - with what needs it

    place = _place(settings, data)
    agree(data or Path(settings.data), place)
    return place


def _library(settings: Settings) -> Path:
    """The library here, or else the one that 小二 came with."""
    here = Path(settings.library)
    return here if here.is_dir() or here.is_absolute() else ROOT / settings.library


if __name__ == "__main__":
    main()
