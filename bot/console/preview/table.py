"""The preview for a person, in the terminal: day by day, group by group."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from bot.console.preview.reading import Day, GroupDays, Preview

# A file is not broken at 80 columns.
WIDE = 120
STYLES = {"planned": "", "claimed": "", "sent": "green", "late": "green", "skipped": "dim"}


def show(preview: Preview, console: Console | None = None) -> None:
    console = console or Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    if preview.imagined:
        console.print(
            Text("还没有开张的群。下面的群是假想的，每种标签一个，第一天零点有一个新人进群。", "yellow")
        )
    for number in range(preview.days):
        days = [(group, group.days[number]) for group in preview.groups if group.days[number].lines]
        if days:
            day = days[0][1]
            console.print()
            console.print(Text(f"{day.name} {day.day}  {day.kind}".rstrip(), "bold"))
            console.print(_table(days))
    empty = [group for group in preview.groups if group.empty]
    if empty:
        console.print()
    for group in empty:
        tags = "、".join(group.tags)
        console.print(Text(f"{group.title}：这几天没有安排（{f'标签 {tags}' if tags else '没有标签'}）"))
    if not preview.groups:
        console.print("没有日历，也就没有安排。")
    for warning in preview.warnings:
        console.print(Text(f"提醒：{warning}", "yellow"))
    if preview.faults:
        console.print(Text("这些地方有错，没有排进来：", "red"))
    for fault in preview.faults:
        console.print(Text(str(fault), "red"))


def _table(days: list[tuple[GroupDays, Day]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column("群", overflow="fold", max_width=24)
    table.add_column("时间", no_wrap=True)
    table.add_column("内容", overflow="fold")
    table.add_column("说明", overflow="fold")
    for group, day in days:
        name = f"  {group.title}"
        for line in day.lines:
            table.add_row(
                Text(name),
                Text(f"{line.at:%H:%M}"),
                Text(line.title),
                Text(line.note),
                style=STYLES.get(line.state, "yellow"),
            )
            name = ""
    return table
