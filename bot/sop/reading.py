"""Read a YAML file into plain data, with the place of every key and value beside it.

Every scalar is the text that was typed: `no`, `10:30` and `007` are what they look like, and `on:`
is the key "on". The data are built from the parser's events, not with its recursive composer, so
that neither deep nesting nor an alias bomb can hurt.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.errors import Fault, Faults

LARGEST = 1024 * 1024
DEEPEST = 32
LONGEST_QUOTED = 60

Loc = tuple[str | int, ...]
Place = tuple[int, int]
Data = str | list[Any] | dict[str, Any]

_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_QUOTED = re.compile(r'"([^"]*)"')
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read. `faults` are those that left it readable, such as a key given twice.

    `keys` and `values` give line and column (from 1) by path, as in pydantic's `loc`.
    """

    name: str
    data: Data
    keys: dict[Loc, Place]
    values: dict[Loc, Place]
    faults: tuple[Fault, ...] = ()

    def at(self, *loc: str | int) -> Data:
        """Return what stands at a path, whether or not the rest is right; "" when nothing does."""
        here: Any = self.data if loc in self.values else ""
        for part in loc if here else ():
            here = here[part]
        return here  # type: ignore[no-any-return]

    def text(self, *loc: str | int) -> str:
        """Return the text at a path without the space around it; "" when there is none."""
        here = self.at(*loc)
        return here.strip() if isinstance(here, str) else ""

    def items(self, *loc: str | int) -> list[Any]:
        """Return the list at a path; an empty one when there is none."""
        here = self.at(*loc)
        return here if isinstance(here, list) else []

    def fault(self, loc: Loc, message: str, *, at_key: bool = False) -> Fault:
        """Say what is wrong with the value (or key) at a path, or else with what holds it."""
        while loc and loc not in self.values:
            loc = loc[:-1]
        place = self.keys.get(loc) if at_key else None
        short = _QUOTED.sub(lambda quoted: _shortened(quoted[1]), message)
        return Fault(self.name, *(place or self.values.get(loc, (1, 1))), short)


def _shortened(text: str) -> str:
    """Return what somebody wrote as it is quoted: in one line, and not all of something long."""
    line = " ".join(text.split("\n"))
    return f'"{line[:LONGEST_QUOTED]}…"' if len(line) > LONGEST_QUOTED else f'"{line}"'


def read(path: Path, shown_name: str) -> Document:
    """Read one file. Raises Faults, with one fault, when it is no YAML at all."""
    return parse(contents(path, shown_name), shown_name)


def contents(path: Path, name: str) -> bytes:
    """What stands in a file. Raises Faults when it cannot be read, or is too large."""
    try:
        if path.stat().st_size > LARGEST:
            raise Faults([Fault(name, 1, 1, "文件超过 1 MB，请拆成几个文件")])
        return path.read_bytes()
    except OSError as error:
        raise Faults([Fault(name, 1, 1, f"读不了这个文件：{error.strerror}")]) from None


def parse(raw: bytes, name: str) -> Document:
    """Read what stands in a file. Raises Faults, with one fault, when it is no YAML at all."""
    return _Builder(name, _text(raw, name)).document()


def _text(raw: bytes, name: str) -> str:
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line, col = _place(raw[: error.start].decode())
        message = "文件不是 UTF-8 编码：用编辑器打开，另存为 UTF-8"
        raise Faults([Fault(name, line, col, message)]) from None
    if bad := _UNPRINTABLE.search(text):
        line, col = _place(text[: bad.start()])
        message = "这里有看不见的控制字符，不像是文本文件：删掉它，或者换成文本文件"
        raise Faults([Fault(name, line, col, message)])
    return text


def _place(before: str) -> Place:
    return before.count("\n") + 1, len(before) - before.rfind("\n")


class _Builder:
    """Builds one document from the parser's events."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.events: Iterator[Any] = iter(())
        self.keys: dict[Loc, Place] = {}
        self.values: dict[Loc, Place] = {}
        self.faults: list[Fault] = []

    def document(self) -> Document:
        try:
            self.events = iter(yaml.parse(self.text, Loader=_LOADER))
            next(self.events)  # the stream's start
            if isinstance(next(self.events), yaml.StreamEndEvent):
                raise self._stop((1, 1), "文件是空的")
            data = self._node(next(self.events), ())
            next(self.events)  # the document's end
            after = next(self.events)
            if not isinstance(after, yaml.StreamEndEvent):
                raise self._stop(_mark(after), '一个文件只能有一份内容，去掉这里的 "---"')
        except yaml.YAMLError as error:
            raise self._syntax(error) from None
        if data == "":
            raise self._stop((1, 1), "文件是空的")
        if isinstance(data, str) and (hint := self._typo(1)):
            raise hint
        return Document(self.name, data, self.keys, self.values, tuple(self.faults))

    def _node(self, event: Any, loc: Loc) -> Data:  # noqa: ANN401 - PyYAML's events have no common type
        self.values[loc] = _mark(event)
        if isinstance(event, yaml.AliasEvent):
            self._note(event, f'不能用 "*{event.anchor}" 引用别处，请把内容写出来')
            return ""
        if event.anchor is not None:
            self._note(event, f'不能用 "&{event.anchor}" 起名，请去掉它；文字以 & 开头时要加引号')
        if event.tag is not None:
            self._note(event, "不能用 ! 开头的类型标记，请去掉它；文字以 ! 开头时要加引号")
        if isinstance(event, yaml.ScalarEvent):
            if _UNPRINTABLE.search(event.value):
                self._note(event, "文字里有看不见的控制字符，请去掉它")
            return str(event.value)
        if len(loc) >= DEEPEST:
            raise self._stop(_mark(event), f"嵌套太深，最多 {DEEPEST} 层")
        return self._list(loc) if isinstance(event, yaml.SequenceStartEvent) else self._mapping(loc)

    def _list(self, loc: Loc) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*loc, len(items))))
        return items

    def _mapping(self, loc: Loc) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._stop(_mark(event), "冒号前面只能是一个词；以 { 或 [ 开头的文字要加引号")
            at = _mark(event)
            key = self._node(event, (*loc, ""))
            del self.values[(*loc, "")]
            path = (*loc, str(key))
            if path in self.keys:
                self._note(event, f'键 "{key}" 写了两次，第一次在第 {self.keys[path][0]} 行')
                path = (*loc, "", at[0])  # nobody looks there
                self._node(next(self.events), path)
                continue
            self.keys[path] = at
            mapping[str(key)] = self._node(next(self.events), path)
        return mapping

    def _note(self, event: Any, message: str) -> None:  # noqa: ANN401
        self.faults.append(Fault(self.name, *_mark(event), message))

    def _stop(self, place: Place, message: str) -> Faults:
        return Faults([*self.faults, Fault(self.name, *place, message)])

    def _syntax(self, error: yaml.YAMLError) -> Faults:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if mark is None:
            return self._stop((1, 1), "这个文件不合 YAML 的写法")
        if hint := self._typo(mark.line) or self._typo(mark.line + 1):
            return hint
        problem = f"{getattr(error, 'context', '')} {getattr(error, 'problem', '')}"
        if "quoted scalar" in problem or "flow" in problem:  # what was never closed, not the file's end
            mark = getattr(error, "context_mark", None) or mark
        message = next((said for part, said in _SENTENCES if part in problem), "这里不合 YAML 的写法")
        return self._stop((mark.line + 1, mark.column + 1), message)

    def _typo(self, number: int) -> Faults | None:
        """Look for what a keyboard set to Chinese, or a Tab, does to a line."""
        line = next(itertools.islice(self.text.split("\n"), number - 1, None), "") if number else ""
        if tab := re.match(r" *\t", line):
            return self._stop((number, tab.end()), "这里是 Tab，缩进要用空格")
        if colon := re.match(r"[ -]*[A-Za-z0-9_.-]+：", line):
            return self._stop((number, colon.end()), '键后面要用半角冒号加空格 ": "，不是全角的 "："')
        return None


def _mark(event: Any) -> Place:  # noqa: ANN401
    return event.start_mark.line + 1, event.start_mark.column + 1


_SENTENCES = (
    ("quoted scalar", "引号没有合上，或者引号里的 \\ 后面写得不对"),
    ("flow mapping", "花括号 {} 没有合上，或者少了逗号"),
    ("flow sequence", "方括号 [] 没有合上，或者少了逗号"),
    (
        "mapping values are not allowed",
        "这里不该有冒号：键要和上一行对齐；文字里有冒号加空格时，整段文字要加引号",
    ),
    ("could not find expected ':'", '这一行少了冒号，要写成 "键: 值"，冒号后面空一格'),
    ("cannot start any token", "文字不能用这个字符开头，整段文字要加引号"),
    ("block mapping", "缩进和上面的键没有对齐，或者引号后面多了文字"),
    ("block collection", '缩进和上面的 "- " 没有对齐'),
    ("alias", "文字以 * 开头时要加引号"),
    ("anchor", "文字以 & 开头时要加引号"),
    ("tag", "文字以 ! 开头时要加引号"),
)
