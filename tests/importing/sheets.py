"""Spreadsheets as offices make them, and libraries to import them into."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from typer.testing import CliRunner, Result

from bot.cli import app

HEAD = ("日期", "时间", "类型", "内容", "图片", "链接", "目的", "备注")
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080600000"
    "01f15c4890000000d4944415478da63fccff0bf1e0005830280dc8f6c9d0000000049454e44ae426082"
)


def sheet(path: Path, *rows: Sequence[Any], head: Sequence[Any] = HEAD, merged: Sequence[str] = ()) -> Path:
    """Write a workbook of one sheet, Sheet1: a head and rows."""
    book = Workbook()
    page = book.worksheets[0]
    page.title = "Sheet1"
    for row in (head, *rows) if head else rows:
        page.append([None if cell == "" else cell for cell in row])
    for cells in merged:
        page.merge_cells(cells)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def bring(path: Path, into: Path, *words: str) -> Result:
    """Import with --tag 理财."""
    return CliRunner().invoke(app, ["import", str(path), "--into", str(into), "--tag", "理财", *words])


def files(root: Path) -> dict[str, bytes]:
    """What is in a folder, by path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }
