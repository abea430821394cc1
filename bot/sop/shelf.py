"""The files of one folder of the library: which there are, which were good, which had faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from bot.errors import Fault, Faults
from bot.sop.hints import did_you_mean
from bot.sop.parts import NAME
from bot.sop.reading import Document, contents, parse

T = TypeVar("T")

FOLDERS = ("activities", "calendars", "questions", "texts")
HOLIDAYS = "holidays.yaml"
_IGNORED = ("schema", HOLIDAYS)


class Files:
    """The files of a library, each read once. Of one in `kept`, that is read instead.

    `sources` is what was read, by the file's name.
    """

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.sources: dict[str, bytes] = {}
        self._documents: dict[tuple[str, bytes], Document] = {}

    def read(self, path: Path, name: str) -> Document:
        """Raises Faults when a file is no YAML at all."""
        raw = self.sources[name] = self.kept.get(name) or contents(path, name)
        if (name, raw) not in self._documents:
            self._documents[name, raw] = parse(raw, name)
        return self._documents[name, raw]


class Shelf(Generic[T]):
    """What was read from one folder. `noun` is what its things are called to the operator."""

    def __init__(self, root: Path, folder: str, noun: str, files: Files) -> None:
        self.root = root
        self.folder = folder
        self.noun = noun
        self.good: dict[str, T] = {}
        self.broken: set[str] = set()
        self.unread = False
        self._files = files

    def files(self, faults: set[Fault]) -> Iterator[tuple[str, Document]]:
        """Read every file, by name. Each counts as broken until it is among the good."""
        for path in _files(self.root / self.folder):
            name = shown(path)
            self.broken.add(path.stem)
            if path.suffix == ".yml":
                faults.add(Fault(name, 1, 1, f'请把文件改名为 "{path.stem}.yaml"'))
            elif path.parent != self.root / self.folder:
                faults.add(Fault(name, 1, 1, f"文件要直接放在 {self.folder} 里，不能再套文件夹"))
            elif not NAME.fullmatch(path.stem):
                faults.add(Fault(name, 1, 1, '文件名只能用字母、数字、汉字、"-" 和 "_"'))
            else:
                try:
                    yield path.stem, self._files.read(path, name)
                except Faults as error:
                    faults.update(error.faults)
                    self.unread = True

    def missing(self, name: str) -> str:
        """Say why there is no such thing here, or nothing when there is."""
        if name in self.good:
            return ""
        if name in self.broken:
            return f'{self.noun} "{name}" 的文件有错，先改好它'
        hint = did_you_mean(name, [*self.good, *self.broken])
        if not hint and self.unread and self.folder == "texts":
            hint = "（texts 里有文件读不了，先改好它）"
        return f'不认识的{self.noun} "{name}"{hint}'


def is_library(root: Path) -> bool:
    """Whether a folder has anything that a library has."""
    return any((root / folder).is_dir() for folder in FOLDERS)


def stray(root: Path) -> Iterator[Fault]:
    """Report YAML that stands where nobody looks for it."""
    for path in sorted(root.iterdir()):
        if path.name in (*FOLDERS, *_IGNORED) or path.name.startswith("."):
            continue
        if path.suffix in (".yaml", ".yml"):
            yield Fault(shown(path), 1, 1, f"文件要放进文件夹：{'、'.join(FOLDERS)}")
        elif path.is_dir() and any(_files(path)):
            hint = did_you_mean(path.name, FOLDERS) or f"，YAML 文件要放在 {'、'.join(FOLDERS)} 里"
            yield Fault(shown(path), 1, 1, f'不认识的文件夹 "{path.name}"{hint}')


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".yaml", ".yml") and not path.name.startswith(".") and path.is_file():
            yield path


def shown(path: Path) -> str:
    """Return a path as it is told, whatever bytes are in it."""
    return path.as_posix().encode(errors="replace").decode()
