"""texts/*.yaml: what a post says, shows and hands out; one message, or several in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from bot.model import HOUR
from bot.sop.parts import Part, Words
from bot.sop.values import Address, Attachment, Duration, Picture, at_most

# What any post may say besides its own words; Turn.post knows the values.
ALWAYS = ("group", "date", "weekday")
# The same, where it is meant for some people alone.
NAMES = "names"

ALONE = "several 里是一条一条的消息，外面的 {} 请挪进去"
NOTHING = "要写 text、picture、file、card 里的一样；几条连着发，写 several"

FIRST = "several 的第一条不用写 pause，它是和上一条隔多久"


class Link(Part):
    """A link as chats show it: a card."""

    title: Words = Field(description="卡片的标题")
    url: Address = Field(description="点开以后的网址，以 http:// 或 https:// 开头")
    description: str = Field("", description="标题下面的一行小字")
    thumbnail: Address | None = Field(None, description="小图的网址，以 http:// 或 https:// 开头")


class Piece(Part):
    """One message: a text, a picture, a file, a card, or several of these; a bare text is one."""

    text: Words | None = Field(
        None, description="要发的话，可以用 {group} {date} {weekday}；写给几个人的，还有 {names}"
    )
    picture: Picture | None = Field(None, description="图片，路径从活动库算起，比如 pictures/room.png")
    file: Attachment | None = Field(None, description="文件，路径从活动库算起，比如 files/menu.pdf")
    card: Link | None = Field(None, description="链接卡片，写 title 和 url")
    everyone: bool = Field(False, description="写 true，在平台办得到的地方 @所有人")

    @model_validator(mode="before")
    @classmethod
    def _bare_text(cls, value: object) -> object:
        return {"text": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not any((self.text, self.picture, self.file, self.card, getattr(self, "several", ()))):
            raise ValueError(NOTHING)
        return self

    @property
    def words(self) -> Sequence[str]:
        """All that may have variables in it."""
        card = (self.card.title, self.card.description) if self.card else ()
        return [said for said in (self.text, *card) if said]

    @property
    def called(self) -> str:
        """By what it is known: its first words, or else what it shows."""
        return next(iter(self.words), "") or f"［{(self.picture or self.file or '').rpartition('/')[2]}］"


class Step(Piece):
    """One of several messages."""

    pause: Annotated[Duration, at_most(HOUR, "1h")] = Field(
        0, description="和上一条隔多久，比如 5s，最多 1h；不写就紧接着发"
    )


class Post(Piece):
    """A post of texts/*.yaml, as it will be sent: one message, or `several` in a row."""

    several: Annotated[tuple[Step, ...], Field(min_length=1)] = Field((), description="几条连着发，一条一项")

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        if self.several and (beside := self.model_fields_set - {"several"}):
            raise ValueError(ALONE.format("、".join(sorted(beside))))
        if self.several and self.several[0].pause:
            raise ValueError(FIRST)
        return self

    @property
    def steps(self) -> Sequence[tuple[int, Piece]]:
        """Its messages, each with how long it waits after the one before."""
        return [(step.pause, step) for step in self.several] or [(0, self)]

    @property
    def words(self) -> Sequence[str]:
        """All that may have variables in it."""
        return [said for step in self.several for said in step.words] or super().words

    @property
    def title(self) -> str:
        """The line that it is known by in a list."""
        return (self.several[0] if self.several else self).called.strip().splitlines()[0]
