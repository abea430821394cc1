"""/library: how the operators' files stand, what became of the last edits, and the last notices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from nicegui import ui

from bot.clock import as_datetime
from bot.console import around

if TYPE_CHECKING:
    from bot.app import App
    from bot.librarian import Reload

NOTICES = 20
EVERY = 2.0  # seconds


def mount(app: App) -> None:
    """Put the page at /library. NiceGUI must be bound to the server, before or after."""

    @ui.page("/library", title="活动库", language="zh-CN", dark=False)
    async def library() -> None:
        ui.add_css(_CSS)
        told = [""]

        async def show() -> None:
            told[0] = await _fill(app, page, told[0])

        with ui.element("main").classes("library"):
            around.links(app, "/library")
            page = ui.element("div")
        await show()
        ui.timer(EVERY, show)


_CSS = """
.library { width: 100%; max-width: 46rem; margin: 0 auto; padding: 1rem 1rem 3rem; }
.library { font-size: 15px; line-height: 1.6; }
.library h2 { font-size: 1.05rem; line-height: 1.5; font-weight: 600; margin: 1.5rem 0 .4rem; }
.library .line { white-space: pre-wrap; overflow-wrap: anywhere; padding: .35rem 0; }
.library .line { border-bottom: 1px solid #eee; }
.library .quiet { color: #777; }
.library .fault { color: #b3261e; }
"""


async def _fill(app: App, page: ui.element, before: str) -> str:
    """Write what there is into the page, if it is other than before; the answer is what there is."""
    library, last = app.library, app.librarian.last
    notices = await app.database.read(lambda store: store.notices.last(NOTICES))
    state = repr((library.faults, app.doubts, sorted(library.kept), [one.at for one in last], notices))
    if state == before:
        return state
    zone = ZoneInfo(app.settings.timezone)
    slots = sum(len(calendar.slots) for calendar in library.calendars.values())
    page.clear()
    with page:
        _line(
            f"{len(library.calendars)} 本日历，{slots} 个时段，{len(library.activities)} 个活动，"
            f"{len(library.posts)} 条帖子，{len(library.banks)} 个题库。"
        )
        _head("文件里的错")
        for fault in library.faults:
            kept = "用着上一个好的版本" if fault.file in library.kept else "先放在一边"
            _line(f"{fault}（{kept}）", "line fault")
        for doubt in app.doubts:
            _line(f"提醒：{doubt}")
        _nothing([*library.faults, *app.doubts], "没有。")
        _head("最近的改动")
        for one in last:
            _line(_told(one, zone))
        _nothing(last, "开工以后还没有改过。")
        _head("最近的提醒")
        for at, said in notices:
            _line(f"{_when(at, zone)}　{said}")
        _nothing(notices, "没有。")
    return state


def _told(one: Reload, zone: ZoneInfo) -> str:
    lines = [*one.changes.lines()] or ["没有变化"]
    if one.faults:
        lines.append(f"{len(one.faults)} 处错，见上")
    return f"{_when(one.at, zone)} 起　" + "；".join(lines)


def _when(moment: int, zone: ZoneInfo) -> str:
    return f"{as_datetime(moment).astimezone(zone):%m-%d %H:%M:%S}"


def _head(words: str) -> None:
    ui.html(f"<h2>{words}</h2>", sanitize=False)


def _line(words: str, classes: str = "line") -> None:
    ui.label(words).classes(classes)


def _nothing(found: Sequence[object], words: str) -> None:
    if not found:
        _line(words, "quiet")
