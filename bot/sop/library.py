"""The library: everything that the operators wrote, checked, with all that is wrong in it.

    activities/<id>.yaml   calendars/<id>.yaml   questions/<bank>.yaml   texts/*.yaml   holidays.yaml

A faulty file is put aside and the rest runs; of a calendar, only the slots that refer to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model

from bot.errors import Fault, Faults
from bot.sop.checking import validate
from bot.sop.hints import did_you_mean
from bot.sop.holidays import NO_MORE, Holidays
from bot.sop.parts import Part, Words, digest
from bot.sop.reading import Document
from bot.sop.references import (
    lost_slots,
    wrong_holidays,
    wrong_hook,
    wrong_overrides,
    wrong_questions,
    wrong_slots,
    wrong_text,
)
from bot.sop.schema import Activity, Bank, Calendar, HolidaysFile, Kinds, Post, Slot, slot_key
from bot.sop.shelf import FOLDERS, HOLIDAYS, Files, Shelf, is_library, shown, stray

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Library:
    """One state of the operators' files. `texts` are the defaults with their overrides.

    `places` says where each slot is written, by its key; `holidays` are days off and days of work.
    `sources` is what stands in each file that is as it should be, and `kept` names the files that have
    faults now, of which the last good version runs.
    """

    activities: Mapping[str, Activity]
    calendars: Mapping[str, Calendar]
    banks: Mapping[str, Bank]
    posts: Mapping[str, Post]
    texts: Mapping[str, str]
    faults: tuple[Fault, ...] = ()
    places: Mapping[str, Fault] = field(default_factory=dict)
    holidays: Holidays = NO_MORE
    sources: dict[str, bytes] = field(default_factory=dict, repr=False)
    kept: frozenset[str] = frozenset()

    @property
    def newcomers(self) -> bool:
        """Whether any slot is for those who joined so many days ago."""
        return any(slot.day for calendar in self.calendars.values() for slot in calendar.slots)

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
        return _nothing(root, kinds, "找不到这个文件夹")
    if not is_library(root):
        return _nothing(root, kinds, f"这里没有活动库：要有 {'、'.join(FOLDERS)} 这几个文件夹")
    return _Loader(root, kinds, Files()).load()


def reload(root: Path, kinds: Kinds, before: Library) -> Library:
    """Read the whole library again. Of a file with faults, and of what refers to it, the last good version
    is taken, where `before` has one; the faults are told all the same.
    """
    if not is_library(root):
        return replace(before, faults=load(root, kinds).faults, kept=frozenset(before.sources))
    files = Files()
    kept = files.kept
    library = _Loader(root, kinds, files).load()
    told = set(library.faults)
    while faulty := {fault.file for fault in library.faults} & before.sources.keys() - kept.keys():
        kept |= {file: before.sources[file] for file in faulty}
        library = _Loader(root, kinds, files).load()
        told |= {fault for fault in library.faults if fault.file not in kept}
    return replace(library, faults=tuple(sorted(told)), sources=library.sources | kept, kept=frozenset(kept))


def _nothing(root: Path, kinds: Kinds, message: str) -> Library:
    return replace(Library.empty(kinds), faults=(Fault(shown(root), 1, 1, message),))


class _Loader:
    """Checks each file in several ways, none of which waits for another, so that all faults come at once."""

    def __init__(self, root: Path, kinds: Kinds, files: Files) -> None:
        self.root = root
        self.kinds = kinds
        self.files = files
        self.faults: set[Fault] = set(stray(root))
        self.banks = Shelf[Bank](root, "questions", "题库", files)
        self.activities = Shelf[Activity](root, "activities", "活动", files)
        self.posts = Shelf[Post](root, "texts", "帖子", files)
        self.calendars = Shelf[Calendar](root, "calendars", "日历", files)
        self.texts = dict(self.kinds.texts)
        self.hooked: dict[str, Document] = {}  # activities, which are read before the posts
        self.named: set[str] = set()  # in texts/ so far
        self.places: dict[str, Fault] = {}
        self.holidays = NO_MORE

    def load(self) -> Library:
        """Read the folders in the order in which they refer to one another."""
        for name, document in self.banks.files(self.faults):
            self._bank(name, document)
        for name, document in self.activities.files(self.faults):
            self._activity(name, document)
        if (self.root / HOLIDAYS).is_file():
            self._holidays()
        for _, document in self.posts.files(self.faults):
            self._texts(document)
        for name, document in self.hooked.items():
            if wrong := wrong_hook(document, self.posts):
                self.faults.update(wrong)
                self.activities.good.pop(name, None)
        for name, document in self.calendars.files(self.faults):
            self._calendar(name, document)
        faulty = {fault.file for fault in self.faults}
        return Library(
            activities=MappingProxyType(self.activities.good),
            calendars=MappingProxyType(self.calendars.good),
            banks=MappingProxyType(self.banks.good),
            posts=MappingProxyType(self.posts.good),
            texts=MappingProxyType(self.texts),
            faults=tuple(sorted(self.faults)),
            places=MappingProxyType(self.places),
            holidays=self.holidays,
            sources={name: raw for name, raw in self.files.sources.items() if name not in faulty},
        )

    def _holidays(self) -> None:
        path = self.root / HOLIDAYS
        try:
            document = self.files.read(path, shown(path))
        except Faults as error:
            self.faults.update(error.faults)
            return
        found = self._valid(document, HolidaysFile)
        twice = wrong_holidays(document)
        self.faults.update(twice)
        if found and not twice:
            self.holidays = Holidays(found.holidays, frozenset(found.workdays))

    def _bank(self, name: str, document: Document) -> None:
        game = self._named(document, "game", self.kinds.games, "玩法")
        head = self._valid(document, bank_model(game) if game else _AnyBank)
        first: dict[str, int] = {}
        twins: set[Fault] = set()
        for number, raw in enumerate(document.items("questions")):
            same = first.setdefault(digest([name, raw]), number)
            if same != number:
                message = f"和第 {same + 1} 题一模一样，请删掉一道"
                twins.add(document.fault(("questions", number), message))
        self.faults |= twins
        if game and head and not twins:
            questions = dict(zip(first, head.questions, strict=True))
            self.banks.good[name] = Bank(head.title, head.game, MappingProxyType(questions))

    def _activity(self, name: str, document: Document) -> None:
        self.hooked[name] = document
        kind = self._named(document, "kind", self.kinds.activities, "活动种类")
        activity = self._valid(document, kind or _AnyActivity)
        if kind is None:
            self._named(document, "game", self.kinds.games, "玩法")
        game = "" if self._told(document, "game") else document.text("game")
        asks = kind is None or "questions" in kind.model_fields
        wrong = wrong_questions(document, self.banks, game) if asks else []
        self.faults.update(wrong)
        if kind and activity and not wrong:
            self.activities.good[name] = activity

    def _calendar(self, name: str, document: Document) -> None:
        calendar = self._valid(document, Calendar)
        wrong = wrong_slots(document) + wrong_overrides(document, self.activities, self.posts)
        lost = lost_slots(document, self.activities, self.posts)
        self.faults.update(wrong, *lost.values())
        if calendar and not wrong:
            kept = {
                number: self._turns(slot) for number, slot in enumerate(calendar.slots) if number not in lost
            }
            self.calendars.good[name] = calendar.model_copy(update={"slots": tuple(kept.values())})
            for number, slot in kept.items():
                self.places[slot_key(name, slot)] = document.fault(("slots", number, "late"), "")

    def _turns(self, slot: Slot) -> Slot:
        """The slot with what takes turns in it as `do:<activity>` and `post:<post>`."""
        if not slot.rotate:
            return slot
        kinds = {name: "do" if name in self.activities.good else "post" for name in slot.rotate}
        return slot.model_copy(update={"rotate": tuple(f"{kinds[name]}:{name}" for name in slot.rotate)})

    def _texts(self, document: Document) -> None:
        texts = self._valid(document, _Texts)
        for name in document.data if isinstance(document.data, dict) else ():
            wrong = wrong_text(document, name, self.kinds.texts)
            if name in self.named:
                wrong.append(
                    document.fault((name,), f'"{name}" 在前面的文件里已经有了，请删掉一个', at_key=True)
                )
            self.named.add(name)
            self.faults.update(wrong)
            if wrong or texts is None:
                self.posts.broken.add(name)
            elif "." in name:
                self.texts[name] = texts.root[name].text or ""
            else:
                self.posts.good[name] = texts.root[name]

    def _named(self, document: Document, key: str, table: Mapping[str, T], noun: str) -> T | None:
        """Return what the file's `kind:` or `game:` names; that nothing has the name is told."""
        word = document.at(key)
        if not isinstance(word, str) or not word.strip():
            return None  # which the model tells
        if word not in table:
            hint = did_you_mean(word, table) or f"，可以写 {'、'.join(table)}"
            self.faults.add(document.fault((key,), f'不认识的{noun} "{word}"{hint}'))
        return table.get(word)

    def _told(self, document: Document, key: str) -> bool:
        """Whether a fault of this value is told already."""
        place = document.values.get((key,))
        return any(each.file == document.name and (each.line, each.col) == place for each in self.faults)

    def _valid(self, document: Document, model: type[M]) -> M | None:
        # A picture that went away since takes no good version with it.
        root = None if document.name in self.files.kept else self.root
        made, faults = validate(document, model, root=root)
        self.faults.update(faults)
        return made


class _AnyActivity(Activity):
    """A file whose kind is not known: what every kind has is checked."""

    model_config = ConfigDict(extra="ignore")
    ends: ClassVar[bool] = True


class _BankHead(Part):
    title: Words = Field(description="名称，给自己人看")
    game: Words = Field(description="玩法，和活动里的一样")
    questions: Any


class _AnyBank(_BankHead):
    """A file whose game is not known."""

    questions: Annotated[list[dict[str, Any]], Field(min_length=1)]


@lru_cache
def bank_model(game: type) -> type[_BankHead]:
    """Return the model of a file of questions of one game."""
    told = Field(description="题目，至少一道，不能有两道一模一样")
    questions: Any = (Annotated[list[game], Field(min_length=1)], told)  # type: ignore[valid-type]
    return create_model(f"BankOf{game.__module__}", __base__=_BankHead, questions=questions)


class _Texts(RootModel[dict[str, Post]]):
    """A file of texts/: name → text, or a post with more than that."""
