"""Find the table in a sheet: which row is its head, which column is what, and the rows below."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.importing.words import clean, moment
from bot.importing.workbook import Cell, CellFault, Sheet

_LOOKED_AT = 30  # rows, for the head
_KNOWN = {
    "date": "日期 发布日期 推送日期 发送日期 活动日期 执行日期 日子 date",
    "week": "星期 周几 星期几 礼拜 礼拜几 周 week weekday",
    "time": "时间 时刻 几点 发布时间 推送时间 发送时间 活动时间 执行时间 开始时间 时间点 时段 time",
    "kind": "类型 活动类型 内容类型 类别 分类 形式 活动形式 种类 栏目 type",
    "title": "主题 标题 活动主题 活动名称 名称 活动",
    "text": "内容 文案 活动内容 发布内容 推送内容 具体内容 文案内容 话术 正文 文本 文字 content",
    "picture": "图片 配图 素材 图片素材 海报 附图 图 图片名 图片名称 图片文件",
    "link": "链接 网址 地址 跳转链接 商品链接 购买链接 活动链接 url link",
    "goal": "目的 目标 活动目的 活动目标 作用",
    "remark": "备注 说明 注意 注意事项 备忘",
}
COLUMNS = {word: column for column, words in _KNOWN.items() for word in words.split()}
CALLED = {column: words.split()[0] for column, words in _KNOWN.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """One row below the head: its cells by column, those that hold nothing left out."""

    place: Place
    number: int
    cells: Mapping[str, Cell]

    def text(self, column: str) -> str:
        """Return what is in a column as text, as it was typed; "" when there is nothing."""
        return _typed(self.cells[column]) if column in self.cells else ""

    def fault(self, column: str, message: str) -> CellFault:
        """Say what is wrong in the row's cell of a column; in its first cell when there is no such column."""
        return self.place.fault(self.number, column, message)

    def at(self, column: str) -> str:
        """Return how the cell is called, such as 'Sheet1'!C5."""
        return str(self.fault(column, "")).removeprefix(f"{self.place.file} ").removesuffix(": ")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table is: file, sheet, and the number of each column, from 1."""

    file: str
    sheet: str
    columns: Mapping[str, int]

    def fault(self, row: int, column: str, message: str) -> CellFault:
        return CellFault(self.file, row, self.columns.get(column, 1), message, self.sheet)


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one sheet, what stands above them, and what is not read."""

    name: str
    above: str = ""
    rows: list[Row] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    faults: list[CellFault] = field(default_factory=list)


def find(path: Path, sheet: Sheet) -> Table | None:
    """Return the table of a sheet, or None when it has none."""
    numbers = list(sheet.rows)[:_LOOKED_AT]
    best = max(numbers, key=lambda number: len(_columns(sheet.rows[number])[0]), default=0)
    if not best or len(_columns(sheet.rows[best])[0]) < 2:
        return None
    columns, twice, unknown = _columns(sheet.rows[best])
    place = Place(path.name, sheet.name, columns)
    above = " ".join(_typed(cell) for number in numbers if number < best for cell in sheet.rows[number])
    table = Table(sheet.name, f"{above} {sheet.name}", unknown=unknown)
    for number, column in twice:
        message = f"有两列都当作「{CALLED[column]}」，请给一列改个名字"
        table.faults.append(CellFault(path.name, best, number, message, sheet.name))
    missing = [CALLED[each] for each in ("time", "text") if each not in columns]
    table.rows.extend(_rows(place, {n: row for n, row in sheet.rows.items() if n > best}))
    dated = {"date", "week"} & columns.keys() or any(
        moment(row.cells["time"])[0] for row in table.rows if "time" in row.cells
    )
    missing += [] if dated else ["日期」或「星期"]
    if missing:
        table.faults.append(place.fault(best, "", f"这一行是表头，缺这几列：「{'」「'.join(missing)}」"))
    return replace(table, rows=[]) if table.faults else table


def _columns(cells: list[Cell]) -> tuple[dict[str, int], list[tuple[int, str]], list[str]]:
    """Return the columns of a head by what they are, those that are there twice, and those not known."""
    known: dict[str, int] = {}
    twice: list[tuple[int, str]] = []
    unknown: list[str] = []
    for number, cell in enumerate(cells, start=1):
        head = re.sub(r"\s|\(.*?\)|[*:#]", "", clean(_typed(cell))).lower()
        column = COLUMNS.get(head)
        if column is None:
            unknown += [head] if head else []
        elif column in known:
            twice.append((number, column))
        else:
            known[column] = number
    return known, twice, unknown


def _rows(place: Place, rows: Mapping[int, list[Cell]]) -> list[Row]:
    found = []
    for number, cells in rows.items():
        if len(_columns(cells)[0]) > len(place.columns) / 2:
            continue  # the head once more
        held = {column: cells[at - 1] for column, at in place.columns.items() if at <= len(cells)}
        kept = {column: cell for column, cell in held.items() if not cell.empty}
        if kept:
            found.append(Row(place, number, kept))
    return found


def _typed(cell: Cell) -> str:
    if isinstance(cell.value, float):
        return f"{cell.value:.15g}"
    return "" if cell.value is None else str(cell.value).strip()
