"""Writing the report into files: whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import Unusable

if TYPE_CHECKING:
    from bot.console.report.reading import Report

NOTHING = "这一周还没有什么可画的。"


def sheet(report: Report) -> bytes:
    """The workbook."""
    from bot.console.report.sheet import save  # noqa: PLC0415 - with what needs it

    made = BytesIO()
    save(report, made)
    return made.getvalue()


def picture(report: Report) -> bytes | None:
    """The first of its pictures, as a PNG; None where nothing happened in the week."""
    from bot.console.report.picture import pictures  # noqa: PLC0415 - with what needs it

    for _, drawn in pictures(report):
        made = BytesIO()
        drawn.save(made, "PNG", optimize=True)
        return made.getvalue()
    return None


def save_sheet(report: Report, file: Path) -> None:
    """Raises Unusable when the file cannot be written."""
    from bot.console.report.sheet import save  # noqa: PLC0415 - with what needs it

    write(file, lambda part: save(report, part))


def save_pictures(report: Report, file: Path) -> list[tuple[Path, str]]:
    """The files that were written, each with its title: numbered when there are several.

    None where nothing happened in the week. Raises Unusable when a file cannot be written.
    """
    from bot.console.report.picture import pictures  # noqa: PLC0415 - with what needs it

    made = pictures(report)
    saved = []
    for number, (title, picture) in enumerate(made, 1):
        path = file if len(made) == 1 else file.with_stem(f"{file.stem}-{number}")
        write(path, partial(picture.save, format="PNG", optimize=True))
        saved.append((path, title))
    return saved


def write(file: Path, save: Callable[[Path], object]) -> None:
    """Write beside the file, then put it in its place. Raises Unusable."""
    part = file.with_name(f".{file.name}.part")
    try:
        save(part)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Unusable(f"写不了 {file}：{error.strerror}。") from error
