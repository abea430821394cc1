"""The report for a person, in the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from handlers.calendar import STATES
from handlers.report import WENT_OUT, in_words, late, moment, told, when

if TYPE_CHECKING:
    from bot.console.report.reading import GroupWeek, Report
    from storage.reports import Brought

HEADS = ("时间", "内容", "发出", "参加", "答题", "答对", "一小时消息", "得分", "钩子")
# A file is not broken at 80 columns.
WIDE = 160


def show(report: Report) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    if not report.groups:
        console.print("还没有开张的群。")
    for group in report.groups:
        console.print(Text(f"{group.title}  {in_words(report.monday)}", "bold"))
        for line in told(group.week):
            console.print(Text(line))
        if group.week.occurrences:
            console.print(_occurrences(group))
        if group.week.top:
            console.print(_top(group))
        console.print()


def cells(group: GroupWeek, one: Brought) -> tuple[str, ...]:
    """A line of the table, in words."""
    quiz = one.played and one.kind == "quiz"
    return (
        when(one.local),
        group.titles[one.what],
        outcome(one),
        players(one) if one.played else "",
        str(one.answers) if quiz else "",
        str(one.right) if quiz else "",
        "" if one.messages is None else str(one.messages),
        str(one.paid) if one.played else "",
        hook(group, one),
    )


def hook(group: GroupWeek, one: Brought) -> str:
    """When the hook went out, and how much was written around it; or why it did not."""
    if not one.hooked_at:
        return f"没发（{one.unhooked}）" if one.unhooked else ""
    around = "" if one.around_hook is None else f"，{one.around_hook} 条"
    return f"{moment(one.hooked_at, group.zone):%H:%M}{around}"


def players(one: Brought) -> str:
    """`84/200 42%`."""
    part = f" {round(100 * len(one.players) / one.members)}%" if one.members else ""
    return f"{len(one.players)}/{one.members}{part}"


def outcome(one: Brought) -> str:
    """Whether it went out, and how late; or why not."""
    if one.state in WENT_OUT:
        minutes = round(late(one) / 60)
        return f"晚了 {minutes} 分钟" if one.state == "late" else "按时"
    return STATES[one.state] + (f"（{one.reason}）" if one.reason else "")


def _occurrences(group: GroupWeek) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, head in enumerate(HEADS):
        table.add_column(head, justify="right" if number in (4, 5, 6, 7) else "left", overflow="fold")
    for one in group.week.occurrences:
        style = "" if one.state == "sent" else "yellow"
        table.add_row(*map(Text, cells(group, one)), style=style)
    return table


def _top(group: GroupWeek) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("", "前十", "得分", "消息"):
        table.add_column(head, justify="left" if head == "前十" else "right")
    for number, one in enumerate(group.week.top, 1):
        table.add_row(str(number), Text(one.name), str(one.points), str(one.messages))
    return table
