"""/report: what a week brought in each group, or in one of them thing by thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from nicegui import ui

from bot.console import around
from bot.console.report.reading import name_of, reader, share, week_name
from bot.console.report.table import HEADS, PLAYERS, cells, overview
from bot.errors import Unusable
from bot.wall import wall_of
from handlers.report import in_words, monday_of, told

if TYPE_CHECKING:
    from bot.app import App
    from bot.console.report.reading import GroupWeek, Report
    from bot.model import Group

PATIENCE = 30.0  # seconds that a busy machine may take for a week
# So many groups stand in one list; each takes some milliseconds to read.
MANY = 100
WEEK = timedelta(days=7)
NOTHING = "这一周还没有什么可说的。"
# Of a thing's line, what is no number.
LEFT = (0, 1, 2, 3)
TOP = ("名次", "名字", "得分", "消息")


def mount(app: App) -> None:
    """Put the page at /report. NiceGUI must be bound to the server, before or after."""

    @ui.page("/report", title="周报", language="zh-CN", dark=False, response_timeout=PATIENCE)
    async def report(group: str = "", week: str = "") -> None:
        ui.add_css(_CSS)
        ui.colors(primary="#07a854")
        groups = await app.database.read(lambda store: [one for one in store.groups.all() if one.opened_at])
        this = monday_of(wall_of(app.clock.now(), ZoneInfo(app.settings.timezone)).date())
        with ui.element("main").classes("report"):
            around.links(app, "/report")
            try:
                found = await app.database.read(reader(app.settings, app.library, week, group, MANY))
            except Unusable as error:
                _head(groups, "", this, this)
                ui.label(str(error)).classes("fault")
                return
            chosen = name_of(found.groups[0].group) if group else ""
            _head(groups, chosen, found.monday, this)
            if group:
                _one(found)
            elif groups:
                _all(found, len(groups))
            else:
                ui.label("还没有开张的群。").classes("quiet")


def _head(groups: Sequence[Group], chosen: str, monday: date, this: date) -> None:
    names = {name_of(one): one.title or name_of(one) for one in groups}
    week = week_name(monday)
    with ui.element("div").classes("head"):
        ui.select(
            {"": "全部", **names},
            value=chosen if chosen in names else "",
            label="群",
            on_change=lambda event: ui.navigate.to(_address(event.value, week)),
        ).classes("group")
        asked = ui.input("哪一周", value=week).classes("when")
        asked.on("keydown.enter", lambda: ui.navigate.to(_address(chosen, asked.value)))
        for words, day in (("上一周", monday - WEEK), ("这一周", this), ("下一周", monday + WEEK)):
            ui.link(words, _address(chosen, week_name(day))).classes("go")
        ui.label(in_words(monday)).classes("which")


def _all(found: Report, many: int) -> None:
    """A line for each group."""
    if not any(one.week.active for one in found.groups):
        ui.label(NOTHING).classes("quiet")
    heads, rows = overview(found)
    with _table(heads, left=(0, len(heads) - 1)):
        for one, row in zip(found.groups, rows, strict=True):
            with ui.element("tr"):
                with ui.element("td"):
                    ui.link(one.title, _address(name_of(one.group), found.name))
                _cells(row[1:], left=(len(row) - 2,))
    if many > len(found.groups):
        ui.label(f"只列前 {len(found.groups)} 个群，一共 {many} 个；别的在表格里，或者选一个群看。").classes(
            "quiet"
        )
    _downloads("", found)


def _one(found: Report) -> None:
    """One group's week: its lines, each thing that fell due, and the top ten."""
    (group,) = found.groups
    for line in told(group.week):
        ui.label(line).classes("told")
    if not group.week.active:
        ui.label(NOTHING).classes("quiet")
    else:
        _downloads(name_of(group.group), found)
    if group.week.occurrences:
        _occurrences(group)
    if group.week.top:
        ui.label("前十").classes("title")
        with _table(TOP, left=(0, 1)).classes("top"):
            for place, one in enumerate(group.week.top, 1):
                with ui.element("tr"):
                    _cells((str(place), one.name, str(one.points), str(one.messages)), left=(0, 1))


def _occurrences(group: GroupWeek) -> None:
    ui.label("日程").classes("title")
    with _table(HEADS, left=LEFT):
        for one in group.week.occurrences:
            with ui.element("tr").classes(one.state):
                row = cells(group, one)
                _cells(row[:PLAYERS], LEFT)
                with ui.element("td").classes("right"):
                    ui.label(row[PLAYERS])
                    if (part := share(one)) is not None:
                        with ui.element("div").classes("bar"):
                            ui.element("div").style(f"width: {min(100, round(100 * part))}%")
                _cells(row[PLAYERS + 1 :])


def _downloads(group: str, found: Report) -> None:
    query = urlencode({"group": group, "week": found.name})
    with ui.element("div").classes("files"):
        ui.link("下载表格", f"/report.xlsx?{query}")
        if group:
            ui.link("下载图片", f"/report.png?{query}")


def _table(heads: Sequence[str], left: Iterable[int]) -> ui.element:
    """A table with its heads, whose body is what is put into it."""
    with ui.element("div").classes("wide"), ui.element("table"):
        with ui.element("thead"), ui.element("tr"):
            _cells(heads, left, "th")
        return ui.element("tbody")


def _cells(texts: Sequence[str], left: Iterable[int] = (), tag: str = "td") -> None:
    for number, text in enumerate(texts):
        with ui.element(tag).classes("" if number in left else "right"):
            ui.label(text)


def _address(group: str, week: str) -> str:
    return f"/report?{urlencode({'group': group, 'week': week})}"


_CSS = """
.report { width: 100%; max-width: 76rem; margin: 0 auto; padding: 1rem 1rem 3rem; font-size: 14px; line-height: 1.45; }
.report .head { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; margin-bottom: .8rem; }
.report .group { min-width: 12rem; }
.report .when { width: 7rem; }
.report .go, .report td a, .report .files a { color: #07734a; text-decoration: none; }
.report .which { margin-left: auto; font-weight: 600; }
.report .quiet { color: #666; margin: .5rem 0; }
.report .fault { color: #b3261e; margin: .5rem 0; overflow-wrap: anywhere; }
.report .title { font-weight: 600; margin: 1.3rem 0 .3rem; }
.report .files { display: flex; gap: 1.2rem; margin: .7rem 0; }
.report .wide { overflow-x: auto; }
.report table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.report th { color: #666; font-weight: 400; white-space: nowrap; }
.report th, .report td { text-align: left; vertical-align: top; padding: .4rem .55rem; }
.report th, .report td { border-bottom: 1px solid #e3e7e2; }
.report table:has(.top) { max-width: 32rem; }
.report td:not(.right) { min-width: 5.5rem; }
.report td:nth-child(2):not(.right) { min-width: 10rem; }
.report .right { text-align: right; white-space: nowrap; }
.report .late td:nth-child(4) { color: #a86a00; }
.report .missed td:nth-child(4), .report .failed td:nth-child(4), .report .unknown td:nth-child(4) {
  color: #b3261e;
}
.report .skipped { color: #888; }
.report .bar { background: #cdeedb; border-radius: 3px; height: 5px; width: 6rem; margin: .2rem 0 0 auto; }
.report .bar div { background: #07a854; border-radius: 3px; height: 5px; }
@media (max-width: 46rem) { .report .which { margin-left: 0; } }
"""
