"""Put drafts into the library: tried on a copy first, then all moved into place, or none."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.errors import Fault, Faults, Unusable
from bot.importing.plan import Plan
from bot.importing.writing import Draft
from bot.sop.library import load
from bot.sop.schema import Kinds
from bot.sop.shelf import FOLDERS, shown
from bot.sop.values import PICTURES

_PICTURES = "pictures"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a table names: its path in the library, and where it is copied from, if it is."""

    path: str
    source: Path | None = None


def pictures(plan: Plan, beside: Path, root: Path) -> dict[str, Picture]:
    """Find what the table names, in the library or beside the table. What is not found is a fault."""
    found: dict[str, Picture] = {}
    for entry in plan.entries:
        for name in entry.pictures if entry.kind == "post" else ():
            if name not in found:
                try:
                    found[name] = _picture(name, beside, root)
                    _alone(name, found, root)
                except ValueError as error:
                    plan.faults.append(entry.row.fault("picture", str(error)))
    return found


def _picture(name: str, beside: Path, root: Path) -> Picture:
    for folder in (root, root / _PICTURES):
        if path := _inside(folder, name):
            return Picture(path.relative_to(root.resolve()).as_posix())
    source = _inside(beside, name)
    if source is None:
        raise ValueError(f'找不到图片 "{name}"，要放在表格旁边，或者活动库的 {_PICTURES} 里')
    if source.suffix.lower() not in PICTURES:
        raise ValueError(f'图片 "{name}" 要以 .png、.jpg、.jpeg 或 .gif 结尾')
    return Picture(f"{_PICTURES}/{source.name}", source)


def _alone(name: str, found: Mapping[str, Picture], root: Path) -> None:
    """Raise ValueError when another picture of the table would have this one's place in the library."""
    mine = found[name]
    for other, theirs in found.items():
        if theirs.path == mine.path and not _same(*(one.source or root / one.path for one in (theirs, mine))):
            raise ValueError(f'图片 "{name}" 和 "{other}" 在活动库里会是同一个文件，请给一张改个名字')


def _inside(folder: Path, name: str) -> Path | None:
    """Return the file of that name, with or without its ending, when it is there and does not leave the folder."""
    for ending in ("", *PICTURES):
        with suppress(OSError, ValueError, RuntimeError):
            path = (folder / (name + ending)).resolve()
            if path.is_file() and path.is_relative_to(folder.resolve()):
                return path
    return None


def settle(
    made: Mapping[str, Draft], found: Mapping[str, Picture], root: Path, kinds: Kinds, *, force: bool
) -> list[str]:
    """Write all that is new, and return the paths. Raises Faults or Unusable, with nothing written."""
    written = {path: draft.text.encode() for path, draft in made.items()}
    changed = {path: text for path, text in written.items() if _bytes(root / path) != text}
    copied = {each.path: each.source for each in found.values() if each.source}
    copied = {path: source for path, source in copied.items() if not _same(root / path, source)}
    taken = [path for path in (*copied, *changed) if (root / path).exists()]
    if taken and not force:
        message = "已经有了，内容和要写的不一样：加 --force 换掉它，或者用 --calendar 另起名字"
        raise Faults([Fault(shown(root / path), 1, 1, message) for path in taken])
    try:
        faults = _tried(made, changed, copied, root, kinds)
        if not faults:
            _move(root, changed, copied)
    except OSError as error:
        raise Unusable(f"写不了活动库 {shown(root)}：{error.strerror or error}。什么也没有改。") from None
    if faults:
        raise Faults(faults)
    return [*copied, *changed]


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _same(path: Path, source: Path) -> bool:
    return path.is_file() and filecmp.cmp(path, source, shallow=False)


def _tried(
    made: Mapping[str, Draft],
    changed: Mapping[str, bytes],
    copied: Mapping[str, Path],
    root: Path,
    kinds: Kinds,
) -> list[Fault]:
    """Return the faults that the library would have and has not yet, by the cells they come from."""
    with TemporaryDirectory() as folder:
        copy = Path(folder, root.resolve().name)
        if root.is_dir():
            shutil.copytree(root, copy, ignore=shutil.ignore_patterns(".*", "schema"))
        before = (
            {(fault.file, fault.message) for fault in load(copy, kinds).faults} if root.is_dir() else set()
        )
        _move(copy, changed, copied)
        after = load(copy, kinds).faults
        new = [fault for fault in after if (fault.file, fault.message) not in before]
        # Whoever mends a post or an activity mends the slots that want it.
        first = [fault for fault in new if "/calendars/" not in fault.file] or new
        return [_told(fault, shown(copy), shown(root), made) for fault in first]


def _told(fault: Fault, copy: str, root: str, made: Mapping[str, Draft]) -> Fault:
    name = fault.file.removeprefix(copy).lstrip("/")
    source = made[name].source(fault.line) if name in made else None
    if source:
        row, column = source
        return row.fault(column, fault.message)
    return Fault(f"{root}/{name}" if name else root, fault.line, fault.col, fault.message)


def _move(root: Path, changed: Mapping[str, bytes], copied: Mapping[str, Path]) -> None:
    """Write everything beside its place, then move it there; what cannot be done is undone."""
    for each in FOLDERS:
        (root / each).mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=root, prefix=".import-") as folder:
        ready: list[tuple[Path, Path]] = []
        for number, path in enumerate((*copied, *changed)):
            target, staged = root / path, Path(folder, str(number))
            target.parent.mkdir(parents=True, exist_ok=True)
            if path in copied:
                shutil.copyfile(copied[path], staged)
            else:
                staged.write_bytes(changed[path])
            ready.append((staged, target))
        before = {target: _bytes(target) for _, target in ready}
        try:
            for staged, target in ready:
                os.replace(staged, target)  # noqa: PTH105 - it says what it does
        except OSError:
            for target, text in before.items():
                target.unlink(missing_ok=True) if text is None else target.write_bytes(text)
            raise
