"""The report for a person, in the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from handlers.calendar import STATES
from handlers.report import WENT_OUT, in_words, late, mean_players, moment, outcomes, told, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.console.report.reading import GroupWeek, Report
    from storage.brought import Brought

HEADS = ("计划", "内容", "发出", "结果", "参加", "答题", "答对", "一小时消息", "得分", "钩子")
PLAYERS = HEADS.index("参加")
GROUPS = ("群", "参加", "每场平均", "说话", "消息", "签到", "得分", "日程")
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
        clock(group, one, one.sent_at),
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
    return clock(group, one, one.hooked_at) + around


def overview(report: Report) -> tuple[Sequence[str], list[Sequence[str]]]:
    """The heads, and a line for each group, in words."""
    return GROUPS, [_group(one) for one in report.groups]


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


def _group(one: GroupWeek) -> Sequence[str]:
    week, average = one.week, mean_players(one.week)
    return (
        *(one.title, f"{len(week.players)}/{week.members}", f"{average[0]}/{average[1]}" if average else ""),
        *map(str, (week.wrote, week.messages, week.sign_ins, week.points)),
        outcomes(week),
    )


def clock(group: GroupWeek, one: Brought, at: int) -> str:
    """The time of day at which it was, with the day when that is not the planned one."""
    if not at:
        return ""
    was = moment(at, group.zone)
    return f"{was:%H:%M}" if one.local.startswith(f"{was:%Y-%m-%d}") else f"{was:%m-%d %H:%M}"


def _occurrences(group: GroupWeek) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, head in enumerate(HEADS):
        table.add_column(head, justify="right" if number in (5, 6, 7, 8) else "left", overflow="fold")
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
