"""The report as a workbook: three sheets, numbers as numbers, and texts that never become formulas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from bot.console.report.reading import share
from bot.console.report.table import outcome
from handlers.report import late, moment

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from bot.console.report.reading import GroupWeek, Report

Value = str | int | float | datetime | None

GROUPS = ("群", "成员", "新来", "参加", "说话的人", "消息", "签到", "得分", "日程")
LINES = (
    *("群", "计划", "发出", "内容", "类型", "结果", "晚了几秒", "成员", "参加", "参加率"),
    *("答题", "答对", "一小时消息", "得分", "钩子", "钩子前后消息", "钩子没发"),
)
TOP = ("群", "名次", "名字", "得分", "消息")
KINDS = {"quiz": "问答", "red_packet": "红包", "sign_in": "签到", "post": "帖子"}
WIDEST = 32


def save(report: Report, file: Path | BytesIO) -> None:
    book = Workbook()
    book.remove(book.worksheets[0])
    _fill(book.create_sheet("群"), GROUPS, (_group(one) for one in report.groups))
    _fill(book.create_sheet("日程"), LINES, (line for one in report.groups for line in _lines(one)))
    _fill(book.create_sheet("前十"), TOP, (line for one in report.groups for line in _top(one)))
    book.save(file)


def _group(one: GroupWeek) -> Sequence[Value]:
    week = one.week
    return (
        *(one.title, week.members, week.joined, len(week.players), week.wrote, week.messages),
        *(week.sign_ins, week.points, len(week.occurrences)),
    )


def _lines(group: GroupWeek) -> Iterator[Sequence[Value]]:
    for one in group.week.occurrences:
        quiz = one.played and one.kind == "quiz"
        yield (
            *(group.title, _local(group, one.due), _local(group, one.sent_at), group.titles[one.what]),
            *(KINDS[one.kind], outcome(one), late(one) if one.sent_at else None, one.members),
            *(len(one.players) if one.played else None, share(one)),
            *((one.answers, one.right) if quiz else (None, None)),
            *(one.messages, one.paid if one.played else None, _local(group, one.hooked_at)),
            *(one.around_hook, one.unhooked or None),
        )


def _top(group: GroupWeek) -> Iterator[Sequence[Value]]:
    for place, one in enumerate(group.week.top, 1):
        yield group.title, place, one.name, one.points, one.messages


def _local(group: GroupWeek, at: int) -> datetime | None:
    """A workbook knows no time zones: what the group's clocks show."""
    return moment(at, group.zone).replace(tzinfo=None) if at else None


def _fill(sheet: Worksheet, heads: Sequence[str], lines: Iterator[Sequence[Value]]) -> None:
    widths = [2 * len(head) for head in heads]
    for row, line in enumerate((heads, *lines), 1):
        for column, value in enumerate(line, 1):
            _put(sheet, row, column, value)
            wide = sum(1 + (char > "\u2e80") for char in str(value or ""))
            widths[column - 1] = min(WIDEST, max(widths[column - 1], wide))
    for column, wide in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(column)].width = wide + 2
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"


def _put(sheet: Worksheet, row: int, column: int, value: Value) -> None:
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
        # Whatever it begins with; and it stays a text when somebody edits it.
        cell.data_type = "s"
        cell.quotePrefix = value[:1] in ("=", "+", "-", "@")
    elif value is not None:
        cell.value = value
        if isinstance(value, datetime):
            cell.number_format = "yyyy-mm-dd hh:mm"
        elif isinstance(value, float):
            cell.number_format = "0%"
