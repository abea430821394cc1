"""Check a document against a pydantic model, and say in plain Chinese what is wrong and where."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, RootModel, ValidationError
from pydantic_core import ErrorDetails

from bot.errors import Fault
from bot.sop.hints import did_you_mean, nearest
from bot.sop.reading import Data, Document, Loc

M = TypeVar("M", bound=BaseModel)

_Found = tuple[Loc, ErrorDetails, str]  # where, what, and the sentence when it is known already

LONGEST = 40

_EXTRA = ("extra_forbidden", "unexpected_keyword_argument")
_MISSING = ("missing", "missing_argument", "missing_keyword_only_argument")


def validate(document: Document, model: type[M], *, root: Path | None = None) -> tuple[M | None, list[Fault]]:
    """Return the document as the model, or None with all its faults.

    `root` is the folder that pictures are in; without it they are not looked for.
    """
    faults = list(document.faults)
    try:
        made = model.model_validate(document.data, context={"root": root})
    except ValidationError as error:
        return None, faults + _faults(document, model, error.errors(include_url=False))
    return (None if faults else made), faults


def _faults(document: Document, model: type[BaseModel], errors: list[ErrorDetails]) -> list[Fault]:
    told: list[Fault] = []
    misspelt: set[Loc] = set()
    found = list(_found(document.data, errors))
    for path, error, sentence in found:
        if error["type"] in _EXTRA:
            hint, meant = _unknown_key(document, model, path)
            misspelt.add(meant)
            told.append(document.fault(path, hint, at_key=True))
        elif error["type"] not in _MISSING:
            at_key = error["loc"][-1:] == ("[key]",)
            told.append(document.fault(path, sentence or _sentence(path, error), at_key=at_key))
    for path, error, _ in found:
        if error["type"] in _MISSING and path not in misspelt:
            told.append(document.fault(path, f'缺 "{path[-1]}"，请补上'))
    return told


def _unknown_key(document: Document, model: type[BaseModel], path: Loc) -> tuple[str, Loc]:
    """Say that a key is not known, and return the path that it was meant to have."""
    key, where = str(path[-1]), path[:-1]
    known = _known_keys(model, where)
    absent = [each for each in known if (*where, each) not in document.values]
    hint = did_you_mean(key, absent) or did_you_mean(key, known) or f"，这里可以写 {'、'.join(known)}"
    return f'不认识的键 "{key}"{hint}', (*where, nearest(key, absent))


def _found(data: Data, errors: list[ErrorDetails]) -> Iterator[_Found]:
    """Bring each error to its path in the data, and those of a union to the branch that was meant."""
    unions: dict[Loc, dict[str, list[_Found]]] = {}
    for error in errors:
        if error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]:
            continue  # pydantic counts the good items alone
        path, branch, at = _path(data, error)
        if branch:
            unions.setdefault(at, {}).setdefault(branch, []).append((path, error, ""))
        else:
            yield path, error, ""
    for at, branches in unions.items():
        yield from _meant(at, list(branches.values()))


def _meant(at: Loc, branches: list[list[_Found]]) -> list[_Found]:
    """Return the errors of the one branch whose shape is right, or else one that tells of them all."""
    shaped = [branch for branch in branches if all(path != at for path, _, _ in branch)]
    if len(branches) == 1 or len(shaped) == 1:
        return (shaped or branches)[0]
    sentences = {_sentence(path, error): error for branch in branches for path, error, _ in branch}
    first = next(error for error in sentences.values())
    return [(at, first, "；或者 ".join(sentences))]


def _path(data: Data, error: ErrorDetails) -> tuple[Loc, str, Loc]:
    """Return the error's path in the data, and the branch of a union it is in (or ""), with its path."""
    path: Loc = ()
    at: Loc = ()
    branch = ""
    here: Any = data
    for number, part in enumerate(error["loc"], start=1):
        absent = error["type"] in _MISSING and number == len(error["loc"])
        if _holds(here, part):
            here = here[part]
            path = (*path, part)
        elif absent and isinstance(here, dict):
            path = (*path, part)
        elif isinstance(part, str) and part != "[key]" and not branch:
            branch, at = part, path
    return path, branch, at


def _holds(here: object, part: str | int) -> bool:
    if isinstance(here, list):
        return isinstance(part, int) and part < len(here)
    return isinstance(here, dict) and part in here


def _known_keys(model: type[BaseModel], path: Loc) -> list[str]:
    level: list[type] = [model]
    if issubclass(model, RootModel):
        level, path = list(_models(model.model_fields["root"].annotation)), path[1:]
    for part in path:
        inner = [each for one in level if part in (keys := _keys(one)) for each in _models(keys[str(part)])]
        level = inner or level
    return list(dict.fromkeys(key for one in level for key in _keys(one)))


def _keys(model: type) -> dict[str, Any]:
    if issubclass(model, BaseModel):
        return {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    return get_type_hints(model)  # a dataclass


def _models(annotation: object) -> Iterator[type]:
    if isinstance(annotation, type) and (
        issubclass(annotation, BaseModel) or dataclasses.is_dataclass(annotation)
    ):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _sentence(path: Loc, error: ErrorDetails) -> str:
    context: Mapping[str, Any] = error.get("ctx", {})
    kind = error["type"]
    if kind in ("value_error", "assertion_error"):
        return str(context["error"])
    subject = _subject(path)
    given = _shortened(error["input"]) if path and isinstance(error["input"], str) else ""
    if kind in ("literal_error", "enum"):
        allowed = re.findall(r"'([^']*)'", str(context["expected"]))
        return f'{subject}只能写 {"、".join(allowed)}，不能写 "{given}"{did_you_mean(given, allowed)}'
    for part, say in _SENTENCES.items():
        if kind.startswith(part):
            said = say(context)
            return subject + said + (f'，不能写 "{given}"' if given and said.startswith("要写") else "")
    return f"{subject}写得不对（{error['msg']}）"


def _shortened(text: str) -> str:
    """A value as it is told: of what is longer than a line, how it begins."""
    line = text.strip().partition("\n")[0]
    return text if line == text and len(line) <= LONGEST else line[:LONGEST] + "…"


def _subject(path: Loc) -> str:
    names = [part for part in path if isinstance(part, str)]
    place = f"第 {path[-1] + 1} 项" if path and isinstance(path[-1], int) else ""
    return (f'"{names[-1]}" ' if names else "整个文件") + (place + " " if place else "")


_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "int_": lambda _: "要写整数",
    "float_": lambda _: "要写数字",
    "decimal_": lambda _: "要写数字",
    "bool_": lambda _: "要写 true 或 false",
    "string_type": lambda _: "要写一段文字；以 { 或 [ 开头的文字要加引号",
    "string_too_short": lambda c: "不能空着" if c["min_length"] == 1 else f"至少 {c['min_length']} 个字",
    "string_too_long": lambda c: f"最多 {c['max_length']} 个字",
    "string_pattern_mismatch": lambda c: f"的写法不对，要合 {c['pattern']}",
    "url_": lambda _: "要写网址，比如 https://example.com",
    "path_": lambda _: "要写路径",
    "list_type": lambda _: "要写成列表，比如 [a, b]",
    "tuple_type": lambda _: "要写成列表，比如 [a, b]",
    "set_type": lambda _: "要写成列表，比如 [a, b]",
    "frozen_set_type": lambda _: "要写成列表，比如 [a, b]",
    "model_": lambda _: '要写成 "键: 值" 的样子',
    "dataclass_": lambda _: '要写成 "键: 值" 的样子',
    "dict_": lambda _: '要写成 "键: 值" 的样子',
    "mapping_": lambda _: '要写成 "键: 值" 的样子',
    "too_short": lambda c: "不能空着" if c["min_length"] == 1 else f"至少要有 {c['min_length']} 项",
    "too_long": lambda c: f"最多 {c['max_length']} 项",
    "greater_than_equal": lambda c: f"不能小于 {c['ge']}",
    "greater_than": lambda c: f"要大于 {c['gt']}",
    "less_than_equal": lambda c: f"不能大于 {c['le']}",
    "less_than": lambda c: f"要小于 {c['lt']}",
}
