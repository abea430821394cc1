"""Read an .xlsx as rows of plain values, with limits: whatever the file is, it ends in words.

Formulas count as the values that Excel kept beside them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.cell.read_only import EMPTY_CELL
from openpyxl.utils import get_column_letter

from bot.errors import Fault, Unusable

LARGEST = 10 * 1024 * 1024
UNPACKED = 24 * 1024 * 1024  # of XML; openpyxl may hold all of it where a file leaves out its dimensions
MOST_ROWS = 2000
MOST_COLUMNS = 50

_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_AGAIN = "请用 Excel 或 WPS 打开它，另存为 .xlsx"


@dataclass(frozen=True, slots=True)
class CellFault(Fault):
    """What is wrong in a cell; `line` is its row and `col` its column, both from 1."""

    sheet: str

    def __str__(self) -> str:
        return f"{self.file} '{self.sheet}'!{get_column_letter(self.col)}{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as the sheet has it, with the format that it is shown in.

    `wrong` says why it cannot be used.
    """

    value: Any = None
    shown_as: str = "General"
    wrong: str = ""

    @property
    def empty(self) -> bool:
        return not self.wrong and (self.value is None or not str(self.value).strip())


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows that hold anything, by their number from 1; `hidden` sheets are not read."""

    name: str
    rows: dict[int, list[Cell]]
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Workbook:
    """`pictures` is whether some are pasted into it, where nobody can read them."""

    sheets: list[Sheet]
    pictures: bool


def read(path: Path) -> Workbook:
    """Read all sheets. Raises Unusable with a sentence when the file is none, or too large."""
    pictures = _unpackable(path)
    try:
        return Workbook(list(_sheets(path)), pictures)
    except (Unusable, MemoryError):
        raise
    except Exception as error:  # openpyxl raises anything at all over a damaged file
        raise Unusable(f"读不了 {path.name}：文件坏了，或者不是表格。{_AGAIN}。") from error


def _unpackable(path: Path) -> bool:
    """Whether pictures are pasted in. Raises Unusable when this is no .xlsx, or one that unpacks to too much."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(len(_OLD))
    except OSError as error:
        raise Unusable(f"读不了 {path}：{error.strerror}。") from None
    if size > LARGEST:
        raise Unusable(
            f"{path.name} 超过 10 MB：贴在表里的图片请删掉，图片另放文件夹，表里写文件名；行多就拆成几个表。"
        )
    if not size:
        raise Unusable(f"{path.name} 是空的。")
    if head == _OLD:
        if _ENCRYPTED in path.read_bytes():
            raise Unusable(f"{path.name} 加了密码，请先去掉密码，再另存为 .xlsx。")
        raise Unusable(f"{path.name} 是旧的 .xls 格式，{_AGAIN}。")
    try:
        with zipfile.ZipFile(path) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError):  # whatever it is, it is none
        parts = []
    names = [part.filename for part in parts]
    if "xl/workbook.xml" not in names:
        raise Unusable(f"{path.name} 不是 .xlsx 表格。csv、txt 或别的表格，{_AGAIN}。")
    if sum(part.file_size for part in parts if not part.filename.startswith("xl/media/")) > UNPACKED:
        raise Unusable(
            f"{path.name} 行太多，或者格式太多：请只留要导入的行，最多 {MOST_ROWS} 行，复制到新的 .xlsx 里。"
        )
    return any(name.startswith("xl/media/") for name in names)


def _sheets(path: Path) -> Iterator[Sheet]:
    with path.open("rb") as one, path.open("rb") as two:
        values = load_workbook(one, read_only=True, data_only=True, keep_links=False)
        typed = load_workbook(two, read_only=True, data_only=False, keep_links=False)
        for shown, written in zip(values.worksheets, typed.worksheets, strict=True):
            hidden = shown.sheet_state != "visible"
            yield Sheet(shown.title, {} if hidden else dict(_rows(path, shown, written)), hidden)


def _rows(path: Path, shown: Any, written: Any) -> Iterator[tuple[int, list[Cell]]]:  # noqa: ANN401
    for sheet in (shown, written):
        sheet.reset_dimensions()  # what a file says of its own size may be wrong
    found, nothing = 0, ()
    both = zip(shown.iter_rows(max_col=MOST_COLUMNS), written.iter_rows(max_col=MOST_COLUMNS), strict=True)
    for number, (values, formulas) in enumerate(both, start=1):
        if formulas is nothing:
            continue
        if set(map(id, formulas)) == {id(EMPTY_CELL)}:
            nothing = formulas  # of which a sheet may have a million
            continue
        cells = [_cell(value, formula) for value, formula in zip(values, formulas, strict=True)]
        if all(cell.empty for cell in cells):
            continue
        found += 1
        if found > MOST_ROWS:
            raise Unusable(f"{path.name} 的「{shown.title}」超过 {MOST_ROWS} 行，请拆成几个表，分开导入。")
        yield number, cells


def _cell(value: Any, formula: Any) -> Cell:  # noqa: ANN401
    if value.data_type == "e":
        return Cell(wrong=f"公式算出来是 {value.value}，请改成要发的内容")
    if formula.data_type == "f" and value.value is None:
        return Cell(wrong="这是公式，文件里没有算好的值：请复制这一格，再「粘贴为数值」")
    return Cell(value.value, getattr(value, "number_format", None) or "General")
