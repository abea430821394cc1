"""/preview: a group's week in a grid, as it is planned and as it went."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from fastapi import Query
from nicegui import ui

from bot.console import around
from bot.console.preview.reading import YEARS, GroupDays, of_group
from bot.wall import wall_of
from handlers.report import in_words, monday_of

if TYPE_CHECKING:
    from bot.app import App
    from bot.model import Group
    from storage.store import Store

EVERY = 3.0  # seconds
PATIENCE = 30.0  # seconds that a busy machine may take for the first week
WEEK = 7


def mount(app: App) -> None:
    """Put the page at /preview. NiceGUI must be bound to the server, before or after."""

    @ui.page("/preview", title="安排", language="zh-CN", dark=False, response_timeout=PATIENCE)
    async def preview(group: str = "", first: Annotated[str, Query(alias="from")] = "") -> None:
        ui.add_css(_CSS)
        ui.colors(primary="#07a854")
        groups = await app.database.read(lambda store: [one for one in store.groups.all() if one.opened_at])
        with ui.element("main").classes("preview"):
            around.links(app, "/preview")
            if not groups:
                ui.label("还没有开张的群。").classes("quiet")
                return
            chosen = next((one for one in groups if str(one.id) == group), groups[0])
            now = wall_of(app.clock.now(), ZoneInfo(chosen.timezone or app.settings.timezone)).date()
            monday = monday_of(_day(first) or now)
            _head(groups, chosen, monday, monday_of(now))
            with ui.element("div") as grid:
                pass
        shown = _Shown(app, chosen, monday, grid)
        await shown.refresh()
        ui.timer(EVERY, shown.refresh)


@dataclass
class _Shown:
    """The week that one tab looks at."""

    app: App
    group: Group
    monday: date
    grid: ui.element
    before: str = ""

    async def refresh(self) -> None:
        """Write the week anew if it is other than before."""
        app, now = self.app, self.app.clock.now()

        def look(store: Store) -> GroupDays:
            group = store.groups.get(self.group.id) or self.group
            return of_group(store, app.library, app.planning, group, self.monday, WEEK, now)

        found = await app.database.read(look)
        today = wall_of(now, found.zone).date()
        state = repr((found, today, app.library.faults))
        if state == self.before:
            return
        self.before = state
        self.grid.clear()
        with self.grid:
            _week(found, today)
            for fault in app.library.faults:
                ui.label(f"有错，没有排进来：{fault}").classes("fault")


def _head(groups: list[Group], chosen: Group, monday: date, this: date) -> None:
    with ui.element("div").classes("head"):
        ui.select(
            {one.id: one.title or f"{one.account}/{one.chat}" for one in groups},
            value=chosen.id,
            label="群",
            on_change=lambda event: ui.navigate.to(f"/preview?group={event.value}&from={monday}"),
        ).classes("group")
        for words, day in (
            ("上一周", monday - timedelta(WEEK)),
            ("这一周", this),
            ("下一周", monday + timedelta(WEEK)),
        ):
            ui.link(words, f"/preview?group={chosen.id}&from={day}").classes("go")
        ui.label(in_words(monday)).classes("which")


def _week(found: GroupDays, today: date) -> None:
    facts = "、".join(found.calendars) or "没有日历"
    paused = "，日程暂停着" if found.group.paused else ""
    ui.label(f"{facts}（标签 {'、'.join(found.tags) or '没有'}）{paused}").classes("quiet")
    with ui.element("div").classes("week"):
        for day in found.days:
            with ui.element("section").classes("day today" if day.day == today else "day"):
                with ui.element("div").classes("date"):
                    ui.label(f"{day.name} {day.day.month}-{day.day.day:02}")
                    ui.label(day.kind).classes("kind")
                for line in day.lines:
                    with ui.element("div").classes(f"slot {line.state}"):
                        ui.label(f"{line.at:%H:%M}").classes("at")
                        ui.label(line.title).classes("title")
                        ui.label(line.note).classes("note")


def _day(text: str) -> date | None:
    with suppress(ValueError):
        day = date.fromisoformat(text)
        return day if day.year in YEARS else None
    return None


_CSS = """
.preview { max-width: 76rem; margin: 0 auto; padding: 1rem 1rem 3rem; font-size: 14px; line-height: 1.45; }
.preview .head { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; }
.preview .group { min-width: 12rem; }
.preview .go { color: #07734a; text-decoration: none; padding: .3rem .2rem; }
.preview .which { margin-left: auto; font-weight: 600; }
.preview .quiet { color: #666; margin: .5rem 0; }
.preview .week { display: grid; grid-template-columns: repeat(7, minmax(0, 1fr)); gap: .5rem; }
.preview .day { background: #f5f6f5; border-radius: .5rem; padding: .5rem; min-height: 8rem; }
.preview .today { background: #e6f6ee; outline: 2px solid #07a854; }
.preview .date { display: flex; flex-wrap: wrap; gap: 0 .4rem; font-weight: 600; margin-bottom: .4rem; }
.preview .kind { color: #b3261e; font-weight: 400; }
.preview .slot { background: #fff; border-left: 3px solid #07a854; border-radius: .3rem; }
.preview .slot { padding: .3rem .45rem; margin-bottom: .35rem; overflow-wrap: anywhere; }
.preview .at { font-variant-numeric: tabular-nums; color: #555; font-size: 12px; }
.preview .note { color: #666; font-size: 12px; }
.preview .sent, .preview .late { border-left-color: #9fb8aa; }
.preview .sent .title, .preview .late .title { color: #555; }
.preview .skipped { border-left-color: #ccc; background: #fafafa; }
.preview .skipped .title { color: #888; text-decoration: line-through; }
.preview .missed, .preview .failed, .preview .unknown, .preview .gone { border-left-color: #b3261e; }
.preview .missed .note, .preview .failed .note, .preview .unknown .note, .preview .gone .note { color: #b3261e; }
.preview .fault { color: #b3261e; margin-top: .6rem; overflow-wrap: anywhere; }
@media (max-width: 46rem) {
  .preview .week { grid-template-columns: 1fr; }
  .preview .day { min-height: 0; }
  .preview .which { margin-left: 0; }
}
"""
