"""What the operators' files may say. Unknown keys are faults; what was read never changes.

Handlers subclass `Activity` with the keys of their kind; the loader gets them in a `Kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from bot.durations import in_words
from bot.model import DAY, MINUTE
from bot.sop.calendar import Audience, Calendar, Slot, slot_key
from bot.sop.dates import Date
from bot.sop.hook import Hook, Running
from bot.sop.parts import Part, Words, digest, is_post_id
from bot.sop.posts import Post
from bot.sop.values import (
    Attachment,
    ClockTime,
    Days,
    Duration,
    Picture,
    at_least,
    check_template,
    one_or_list,
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
    "one_or_list",
    "slot_key",
    "template",
    "variables",
]


class Activity(Part):
    """activities/<id>.yaml: what every kind has. `kind` names the subclass.

    `messages` is how many messages it begins with. Of a kind that `ends` by itself, the handler says so
    with `turn.ended`.
    """

    messages: ClassVar[int] = 1
    ends: ClassVar[bool] = False

    title: Words = Field(description="名称：今日安排里是它，群主说「开始」也用它")
    goal: str = Field("", description="目的，给自己人看，群里不显示")
    kind: Words = Field(description="种类")
    length: Annotated[Duration, at_least(MINUTE, "1m")] | None = Field(
        None, description="大约办多久，比如 1h，至少 1m：活动库和安排里写给人看；钩子写到活动结束，就按它算"
    )
    materials: Annotated[tuple[Attachment, ...], one_or_list(Attachment)] = Field(
        (), description="要备好的东西：活动库里的文件，路径从活动库的根算起；安排里写给自己人看，群里不发"
    )
    hook: Hook | None = Field(None, description="钩子：大家正看着群的时候，发一条产品帖子")

    @field_validator("hook")
    @classmethod
    def _ends_some_time(cls, hook: Hook | None, info: ValidationInfo) -> Hook | None:
        if hook is None or hook.latest_span or "length" not in info.data:
            return hook
        length = info.data["length"]
        if not length and not cls.ends:
            other = "" if hook.at == "closing" else "，或者给 latest 写一个时长，比如 20m"
            raise ValueError(f"这种活动自己不会结束：请加上 length，比如 1h{other}")
        if length and hook.at == "peak" and length < hook.earliest:
            raise ValueError("length 比 earliest 还短，活动结束了也发不了，请把 earliest 改早")
        return hook

    @property
    def lap(self) -> int:
        """How long it takes until what happens in it comes round again: talk is compared over as much."""
        return 2 * MINUTE

    def running_hook(self, posts: Mapping[str, Post]) -> Running | None:
        """Its hook as it begins now, with the post that it names, or that is its text."""
        if self.hook is None:
            return None
        named = self.hook.post
        post = posts[named] if is_post_id(named) else Post.model_validate(named)
        return Running(hook=self.hook, post=post, lap=self.lap, length=self.length or 0)

    @property
    def facts(self) -> list[str]:
        """What there is to know of it beside its title, in words for who plans it."""
        length = [f"约 {in_words(self.length)}"] if self.length else []
        return length + ([f"备好 {'、'.join(self.materials)}"] if self.materials else [])


class Questions(Part):
    """Where an activity takes its questions from, and how many: the key `questions` of any kind."""

    from_: Annotated[tuple[Words, ...], one_or_list(Words), Field(min_length=1)] = Field(
        alias="from", description="题库的编号，可以写几个"
    )
    pick: int = Field(ge=1, description="抽几题，不能比题库里的多")
    not_again_within: Annotated[Duration, at_least(DAY, "1d")] | None = Field(
        None, description="一个群问过的题，这么久以内不再问，比如 30d，按天算，至少 1d"
    )

    @property
    def days_apart(self) -> int:
        """Return for how many days a group is not asked a question again; 0 when nothing is said."""
        return -(-(self.not_again_within or 0) // DAY)

    def banks(self) -> Sequence[str]:
        """Return the ids of the banks."""
        return self.from_


class HolidaysFile(Part):
    """holidays.yaml: days off by what they are for, and days that are worked, beside those that are known."""

    holidays: dict[Date, Words] = Field(
        default_factory=dict, description="放假的日子和名目，比如 2027-02-06: 春节"
    )
    workdays: tuple[Date, ...] = Field((), description="调休要上班的周末，比如 [2027-02-14]")


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
