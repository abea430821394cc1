"""What the operators' files may say. Unknown keys are faults; what was read never changes.

Handlers subclass `Activity` with the keys of their kind; the loader gets them in a `Kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from bot.sop.calendar import Audience, Calendar, Slot, slot_key
from bot.sop.dates import Date
from bot.sop.parts import Part, Words, digest, is_post_id
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
    "HolidaysFile",
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


class Post(Part):
    """A text of texts/*.yaml, as it will be sent, with a picture perhaps (a path in the library)."""

    text: Words
    picture: Picture | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_text(cls, value: object) -> object:
        return {"text": value} if isinstance(value, str) else value


class HolidaysFile(Part):
    """holidays.yaml: days off by what they are for, and days that are worked, beside those that are known."""

    holidays: dict[Date, Words] = Field(default_factory=dict)
    workdays: tuple[Date, ...] = ()


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
