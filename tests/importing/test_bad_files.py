"""Whatever a file is, `xiaoer import` ends in words and writes nothing."""

from __future__ import annotations

import re
import time
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference

from tests.importing.sheets import HEAD, bring, files, sheet

OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ROW = ["周一", "8:00", "通知", "好", "", "", "", ""]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command looks for config.yaml where it is started."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "plan.xlsx 是空的"),
        ("日期,时间,内容\n周一,8:00,好\n".encode(), "不是 .xlsx 表格"),
        (OLD + b"Workbook" * 100, "是旧的 .xls 格式"),
        (OLD + "EncryptedPackage".encode("utf-16-le") * 3, "加了密码"),
        (b"PK\x03\x04" + b"\x00" * 100, "不是 .xlsx 表格"),
        (b"\x00" * 100, "不是 .xlsx 表格"),
        (b"x" * (10 * 1024 * 1024 + 1), "超过 10 MB"),
    ],
)
def test_what_is_no_spreadsheet_is_told_in_words(tmp_path: Path, content: bytes, said: str) -> None:
    """With what it is instead, and what to do."""
    plan = tmp_path / "plan.xlsx"
    plan.write_bytes(content)
    result = bring(plan, tmp_path / "lib")
    assert (result.exit_code, said in result.stderr, "Traceback" in result.output) == (2, True, False)
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "lib").exists()


def test_what_is_not_there_or_no_file_is_told(tmp_path: Path) -> None:
    """One sentence each."""
    for path in (tmp_path / "none.xlsx", tmp_path):
        result = bring(path, tmp_path / "lib")
        assert (result.exit_code, result.stderr.startswith("读不了")) == (2, True)


def packed(path: Path, parts: dict[str, bytes]) -> Path:
    """A good workbook with some of its parts replaced or added."""
    sheet(path, ROW)
    with zipfile.ZipFile(path) as good:
        held = {name: good.read(name) for name in good.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in {**held, **parts}.items():
            made.writestr(name, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"
SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
BOMB = f"""<?xml version="1.0"?><!DOCTYPE worksheet [<!ENTITY a0 "ha">{LAUGHS}]><worksheet {SPACE}>
<sheetData><row><c t="inlineStr"><is><t>&a11;</t></is></c></row></sheetData></worksheet>"""


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"xl/sharedStrings.xml": b"<" + b" " * (65 * 1024 * 1024)}, "行太多"),
        ({SHEET: b"<worksheet><sheetData><row"}, "读不了"),
        ({"xl/workbook.xml": b""}, "读不了"),
        ({SHEET: BOMB.encode()}, "plan.xlsx"),
        ({"xl/styles.xml": b"<styleSheet>"}, "读不了"),
    ],
)
def test_a_damaged_file_or_a_bomb_is_told_in_words(
    tmp_path: Path, parts: dict[str, bytes], said: str
) -> None:
    """At once, and in little memory."""
    plan = packed(tmp_path / "plan.xlsx", parts)
    begun = time.monotonic()
    result = bring(plan, tmp_path / "lib")
    assert (result.exit_code, said in result.stderr, "Traceback" in result.output) == (2, True, False)
    assert time.monotonic() - begun < 10
    assert not (tmp_path / "lib").exists()


@pytest.mark.parametrize(
    ("rows", "said"), [(100_000, "行太多"), (20_000, "「Sheet1」超过 2000 行，请拆成几个表")]
)
def test_a_table_of_100_000_rows_is_told_in_words(tmp_path: Path, rows: int, said: str) -> None:
    """Before it is all read."""
    head = "".join(f'<c t="inlineStr"><is><t>{each}</t></is></c>' for each in HEAD)
    row = "".join(f'<c t="inlineStr"><is><t>{each}</t></is></c>' for each in ROW)
    data = f'<dimension ref="A1:H9"/><sheetData><row>{head}</row>{f"<row>{row}</row>" * rows}</sheetData>'
    plan = packed(tmp_path / "plan.xlsx", {SHEET: f"<worksheet {SPACE}>{data}</worksheet>".encode()})
    begun = time.monotonic()
    result = bring(plan, tmp_path / "lib")
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
    assert time.monotonic() - begun < 10
    assert not (tmp_path / "lib").exists()


def test_what_a_sheet_says_of_its_size_is_not_believed(tmp_path: Path) -> None:
    """Nor do a sheet that is a chart, or one that is hidden, stop the import."""
    plan = sheet(tmp_path / "plan.xlsx", ROW)
    with zipfile.ZipFile(plan) as good:
        content = good.read(SHEET)
    wrong = content.replace(b'ref="A1:H2"', b'ref="A1:XFD1048576"')
    assert wrong != content
    assert bring(packed(plan, {SHEET: wrong}), tmp_path / "lib").exit_code == 0


def test_a_cell_at_the_end_of_the_world_costs_no_time(tmp_path: Path) -> None:
    """A stray space or word in the last row that a sheet can have."""
    plan = sheet(tmp_path / "plan.xlsx", ROW)
    with zipfile.ZipFile(plan) as good:
        content = good.read(SHEET)
    stray = '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>在这里</t></is></c></row></sheetData>'
    packed(plan, {SHEET: content.replace(b"</sheetData>", stray.encode())})
    begun = time.monotonic()
    result = bring(plan, tmp_path / "lib")
    assert (result.exit_code, "跳过了 'Sheet1'!A1048576 这一行" in result.stdout) == (0, True)
    assert time.monotonic() - begun < 30


def test_sheets_that_are_not_read_are_named(tmp_path: Path) -> None:
    """Hidden ones and those without a head."""
    book = Workbook()
    page = book.worksheets[0]
    page.append(HEAD)
    page.append([each or None for each in ROW])
    book.create_sheet("说明").append(["看这里"])
    book.create_sheet("旧的").sheet_state = "hidden"
    chart = BarChart()
    chart.add_data(Reference(page, min_col=1, min_row=1, max_row=2))
    book.create_chartsheet("图").add_chart(chart)
    book.save(tmp_path / "plan.xlsx")
    result = bring(tmp_path / "plan.xlsx", tmp_path / "lib")
    assert result.exit_code == 0
    assert "提醒：「旧的」没有读：藏起来了" in result.stdout
    assert "提醒：「说明」没有读：找不到表头" in result.stdout


def test_a_formula_counts_as_the_value_beside_it(tmp_path: Path) -> None:
    """Where the file has one; an error is no value."""
    plan = sheet(tmp_path / "plan.xlsx", ["周一", "8:00", "通知", "=1+1", "", "", "", ""])
    with zipfile.ZipFile(plan) as good:
        content = good.read(SHEET)
    for value, code in (("2", 0), ("", 2)):
        kept = re.sub(rb"</f>(<v ?/>|<v></v>)?", f"</f><v>{value}</v>".encode(), content)
        assert bring(packed(plan, {SHEET: kept}), tmp_path / "lib").exit_code == code
    assert files(tmp_path / "lib")["texts/plan.yaml"].endswith(b'plan-mon-0800: "2"\n')
