"""The library: everything that the operators wrote, checked, with all that is wrong in it.

    activities/<id>.yaml   calendars/<id>.yaml   questions/<bank>.yaml   texts/*.yaml

A faulty file is put aside and the rest runs; of a calendar, only the slots that refer to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, Field, RootModel, create_model

from bot.errors import Fault
from bot.sop.checking import validate
from bot.sop.hints import did_you_mean
from bot.sop.reading import Document
from bot.sop.references import check_activity, check_calendar
from bot.sop.schema import (
    Activity,
    Bank,
    Calendar,
    Kinds,
    Part,
    Post,
    Words,
    check_template,
    digest,
    is_post_id,
    variables,
)
from bot.sop.shelf import Shelf, stray

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Library:
    """One state of the operators' files. `texts` are the defaults with their overrides."""

    activities: Mapping[str, Activity]
    calendars: Mapping[str, Calendar]
    banks: Mapping[str, Bank]
    posts: Mapping[str, Post]
    texts: Mapping[str, str]
    faults: tuple[Fault, ...] = ()

    @classmethod
    def empty(cls, kinds: Kinds) -> Self:
        """Return a library with the default texts alone."""
        nothing: Mapping[str, Any] = MappingProxyType({})
        return cls(nothing, nothing, nothing, nothing, MappingProxyType(dict(kinds.texts)))

    def text(self, key: str) -> str:
        """Return a member text: the operators' own, or the default. Raises KeyError."""
        return self.texts[key]


def load(root: Path, kinds: Kinds) -> Library:
    """Read the whole library. Whatever is wrong is in its `faults`, sorted; a bad file never raises."""
    if not root.is_dir():
        fault = Fault(root.as_posix(), 1, 1, "找不到这个文件夹")
        return replace(Library.empty(kinds), faults=(fault,))
    return _Loader(root, kinds).load()


class _Loader:
    def __init__(self, root: Path, kinds: Kinds) -> None:
        self.root = root
        self.kinds = kinds
        self.faults: set[Fault] = set(stray(root))
        self.banks = Shelf[Bank](root, "questions", "题库")
        self.activities = Shelf[Activity](root, "activities", "活动")
        self.posts = Shelf[Post](root, "texts", "帖子")
        self.calendars = Shelf[Calendar](root, "calendars", "日历")
        self.texts = dict(self.kinds.texts)

    def load(self) -> Library:
        """Read the folders in the order in which they refer to one another."""
        for name, document in self.banks.files(self.faults):
            self._bank(name, document)
        for name, document in self.activities.files(self.faults):
            self._activity(name, document)
        for _, document in self.posts.files(self.faults):
            self._texts(document)
        for name, document in self.calendars.files(self.faults):
            self._calendar(name, document)
        return Library(
            activities=MappingProxyType(self.activities.good),
            calendars=MappingProxyType(self.calendars.good),
            banks=MappingProxyType(self.banks.good),
            posts=MappingProxyType(self.posts.good),
            texts=MappingProxyType(self.texts),
            faults=tuple(sorted(self.faults)),
        )

    def _bank(self, name: str, document: Document) -> None:
        game = self._kind(document, "game", self.kinds.games, "玩法")
        head = self._valid(document, _bank_model(game)) if game else None
        if head is None or not isinstance(document.data, dict):
            return
        questions: dict[str, object] = {}
        raws = document.data["questions"]
        for number, (raw, question) in enumerate(zip(raws, head.questions, strict=True)):
            key = digest([name, raw])
            if key in questions:
                message = f"和第 {list(questions).index(key) + 1} 题一模一样，请删掉一道"
                self.faults.add(document.fault(("questions", number), message))
                return
            questions[key] = question
        self.banks.good[name] = Bank(head.title, head.game, MappingProxyType(questions))

    def _activity(self, name: str, document: Document) -> None:
        kind = self._kind(document, "kind", self.kinds.activities, "活动种类")
        activity = self._valid(document, kind) if kind else None
        if activity is None:
            return
        faults = check_activity(activity, document, self.banks)
        self.faults.update(faults)
        if not faults:
            self.activities.good[name] = activity

    def _calendar(self, name: str, document: Document) -> None:
        calendar = self._valid(document, Calendar)
        if calendar is None:
            return
        checked, faults = check_calendar(calendar, document, self.activities, self.posts)
        self.faults.update(faults)
        if checked is not None:
            self.calendars.good[name] = checked

    def _texts(self, document: Document) -> None:
        texts = self._valid(document, _Texts)
        if texts is None:
            self.posts.broken.update(document.data if isinstance(document.data, dict) else ())
            return
        for name, post in texts.root.items():
            at_key, message = self._text(name, post)
            if message:
                self.posts.broken.add(name)
                self.faults.add(document.fault((name,), message, at_key=at_key))

    def _text(self, name: str, post: Post) -> tuple[bool, str]:
        """Take one text in, or say what is wrong: with its name (True), or with the text."""
        if name in self.posts.good or self.texts.get(name) != self.kinds.texts.get(name):
            return True, f'"{name}" 在前面的文件里已经有了，请删掉一个'
        default = self.kinds.texts.get(name, "")
        if "." in name and name not in self.kinds.texts:
            return True, f'不认识的文字 "{name}"{did_you_mean(name, self.kinds.texts)}'
        if "." not in name and not is_post_id(name):
            return True, f'名字 "{name}" 只能用小写字母、数字和 "-"'
        if "." in name and post.picture is not None:
            return False, f'文字 "{name}" 不能带图片，只写一段文字'
        try:
            check_template(post.text, variables(default))
        except ValueError as error:
            return False, str(error)
        if "." in name:
            self.texts[name] = post.text
        else:
            self.posts.good[name] = post
        return False, ""

    def _kind(self, document: Document, key: str, table: Mapping[str, T], noun: str) -> T | None:
        """Return what the file's `kind:` or `game:` names, or report that nothing does."""
        data = document.data
        if not isinstance(data, dict):
            fault = document.fault((), '整个文件要写成 "键: 值" 的样子')
        elif key not in data:
            fault = document.fault((), f'缺 "{key}"，请补上')
        elif not isinstance(data[key], str):
            fault = document.fault((key,), f'"{key}" 要写一个词')
        elif data[key] in table:
            return table[data[key]]
        else:
            hint = did_you_mean(data[key], table) or f"，可以写 {'、'.join(table)}"
            fault = document.fault((key,), f'不认识的{noun} "{data[key]}"{hint}')
        self.faults.update((*document.faults, fault))
        return None

    def _valid(self, document: Document, model: type[M]) -> M | None:
        made, faults = validate(document, model, root=self.root)
        self.faults.update(faults)
        return made


class _BankHead(Part):
    title: Words
    game: Words
    questions: Any


@lru_cache
def _bank_model(game: type) -> type[_BankHead]:
    questions: Any = (Annotated[list[game], Field(min_length=1)], ...)  # type: ignore[valid-type]
    return create_model("BankFile", __base__=_BankHead, questions=questions)


class _Texts(RootModel[dict[str, Post]]):
    """A file of texts/: name → text, or {text, picture}."""
