"""The product hook of an activity: a post that is shown when people look, at the height of the talk or at the end."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from bot.durations import duration
from bot.model import MINUTE
from bot.sop.parts import Part, Words
from bot.sop.posts import ALWAYS, Post
from bot.sop.values import Duration, shaped, template, typed

CLOSING = "closing"
EARLIEST = 5 * MINUTE


def _latest(value: object) -> object:
    if isinstance(value, int) or value == CLOSING:
        return value
    text = typed(value, "时长，比如 20m，或者 closing")
    try:
        span = duration(text)
    except ValueError as error:
        raise ValueError(f"{error}；到活动结束写 closing") from None
    if span < MINUTE:
        raise ValueError("时长太短，至少 1m")
    return span


_A_MOMENT: Any = Literal["closing"] | shaped("(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?", "20m", "1h")
Latest = Annotated[int | Literal["closing"], BeforeValidator(_latest, json_schema_input_type=_A_MOMENT)]


class Hook(Part):
    """When a post goes out in the course of an activity, and which."""

    at: Literal["peak", "closing"] = Field(
        "peak", description="什么时候发：peak 是群里说话最热闹的时候，closing 是活动结束时；不写是 peak"
    )
    post: Annotated[Words, template(*ALWAYS)] = Field(description="发哪条帖子，写它的名字，或者直接写一句话")
    earliest: Duration = Field(EARLIEST, description="at: peak 时，开始多久以后才可以发；不写是 5m")
    latest: Latest = Field(
        "closing",
        description="at: peak 时，最晚什么时候发：closing（活动结束），或者开始以后多久；不写是 closing",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.at == CLOSING and (self.latest_span or self.earliest != EARLIEST):
            raise ValueError("at: closing 是结束时就发，earliest 和 latest 就不用写了")
        if self.latest_span and self.latest_span < self.earliest:
            raise ValueError("latest 比 earliest 还早，请把 latest 改晚，或者把 earliest 改早")
        return self

    @property
    def latest_span(self) -> int:
        """How long after the beginning it goes in any case; 0 when that is at the end."""
        return 0 if self.latest == CLOSING else int(self.latest)


class Running(Part):
    """A hook as it was when its activity began: with the post, how long a round is, and the activity's length."""

    hook: Hook
    post: Post
    lap: int
    length: int
