"""What the operators' files may say. Unknown keys are faults; what was read never changes.

Handlers subclass `Activity` with the keys of their kind; the loader gets them in a `Kinds`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.model import MINUTE
from bot.sop.values import (
    ClockTime,
    Days,
    Duration,
    Picture,
    at_least,
    check_template,
    template,
    variables,
)

__all__ = [
    "Activity",
    "Audience",
    "Bank",
    "Calendar",
    "ClockTime",
    "Days",
    "Duration",
    "Kinds",
    "Part",
    "Picture",
    "Post",
    "Questions",
    "Slot",
    "at_least",
    "check_template",
    "digest",
    "is_post_id",
    "slot_key",
    "template",
    "variables",
]

NAME = re.compile(r"[\w-]+")
_POST_ID = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)


class Part(BaseModel):
    """Anything in a file that has keys of its own: handlers build theirs on it."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Words = Annotated[str, Field(min_length=1)]


class Activity(Part):
    """activities/<id>.yaml: what every kind has. `kind` names the subclass.

    `messages` is how many messages it begins with.
    """

    messages: ClassVar[int] = 1

    title: Words
    goal: str = ""
    kind: Words


class Questions(Part):
    """Where an activity takes its questions from, and how many: the key `questions` of any kind."""

    from_: Annotated[
        tuple[Words, ...],
        BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
        Field(alias="from", min_length=1),
    ]
    pick: Annotated[int, Field(ge=1)]

    def banks(self) -> Sequence[str]:
        """Return the ids of the banks."""
        return self.from_


def is_post_id(text: str) -> bool:
    """Whether a slot's `post` names a post, rather than being the text itself."""
    return _POST_ID.fullmatch(text) is not None


NO_THING = "do 和 post 要写一个：do 是办活动，post 是发一段文字"
TWO_THINGS = "do 和 post 只能写一个，要办活动又要发文字就写成两条"


def _slot_id(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(f'id "{text}" 只能用字母、数字、汉字、"-" 和 "_"')
    return text


class Slot(Part):
    """One line of a calendar: at what time, on which days, what to do or to post."""

    id: Annotated[Words, AfterValidator(_slot_id)] | None = None
    at: ClockTime
    on: Days = frozenset(range(7))
    do: Words | None = None
    post: Annotated[Words, template()] | None = None
    late: Annotated[Duration, at_least(MINUTE, "1m")] = 10 * MINUTE

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.do is None) == (self.post is None):
            raise ValueError(NO_THING if self.do is None else TWO_THINGS)
        return self

    @property
    def identity(self) -> str:
        """Return its id, or else a hash of its rule and content, which begins with #."""
        return self.id or "#" + digest([self.at.isoformat("minutes"), sorted(self.on), self.do, self.post])


def slot_key(calendar: str, slot: Slot) -> str:
    """Return the key that a slot keeps, wherever in its calendar's file it stands."""
    return f"{calendar}/{slot.identity}"


class Audience(Part):
    """Which groups a calendar is for: those with any of the tags."""

    tags: Annotated[tuple[Words, ...], Field(min_length=1)]


class Calendar(Part):
    """calendars/<id>.yaml."""

    title: Words
    audience: Audience
    slots: Annotated[tuple[Slot, ...], Field(min_length=1)]


class Post(Part):
    """A text of texts/*.yaml, as it will be sent, with a picture perhaps (a path in the library)."""

    text: Words
    picture: Picture | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_text(cls, value: object) -> object:
        return {"text": value} if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Bank:
    """questions/<id>.yaml: the questions of one game, by an id that depends on their content alone."""

    title: str
    game: str
    questions: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Kinds:
    """What the handlers and games offer to the files, and the member texts in code.

    `activities` by `kind:`, the dataclass of a question by `game:`, default texts by their key.
    """

    activities: Mapping[str, type[Activity]] = field(default_factory=dict)
    games: Mapping[str, type] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def digest(value: object) -> str:
    """Return 12 hex digits that stand for plain data."""
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
