"""Two kinds of activity and one game, as small as they can be, and a way to write a library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from bot.sop.library import Library, load
from bot.sop.schema import Activity, Duration, Kinds, Part, Questions, template


class Round(Part):
    open: Duration
    gap: Annotated[Duration, Field(gt=0)] = 10


class Winners(Part):
    first: Annotated[int, Field(ge=1, le=10)]


class Posts(Part):
    opening: Annotated[str, template("rounds", "minutes")] = ""


class Quiz(Activity):
    game: str
    questions: Questions
    round: Round
    winners: Winners | Literal["all"] = "all"
    again: bool = False
    mode: Literal["fast", "slow"] = "fast"
    posts: Posts = Posts()


class SignIn(Activity):
    points: int = 1


@dataclass(frozen=True)
class Choice:
    ask: str
    options: tuple[str, ...]
    answer: str
    why: str = ""

    def __post_init__(self) -> None:
        if self.answer not in "ABCD"[: len(self.options)]:
            raise ValueError(f'答案 "{self.answer}" 不在选项里')


KINDS = Kinds(
    activities={"quiz": Quiz, "sign_in": SignIn},
    games={"choice": Choice},
    texts={"sign_in.done": "签到成功，今天第 {place} 个", "sign_in.again": "今天签过了"},
)

GOOD = {
    "activities/morning.yaml": "title: 早安\nkind: sign_in\n",
    "activities/quiz-night.yaml": """\
title: 问答夜
goal: 暖场
kind: quiz
game: choice
questions: {from: general, pick: 2}
round: {open: 3m, gap: 10s}
winners: {first: 3}
posts: {opening: "共 {rounds} 题"}
""",
    "questions/general.yaml": """\
title: 常识
game: choice
questions:
  - {ask: 一加一, options: [一, 二], answer: B, why: 算一下}
  - {ask: 二加二, options: [四, 五], answer: A}
""",
    "texts/posts.yaml": "brief: 今天的行情\nsign_in.done: 第 {place} 位，早\n",
    "calendars/bank.yaml": """\
title: 理财群
audience: {tags: [理财]}
slots:
  - {id: morning, at: 08:00, on: mon-fri, do: morning}
  - {id: game, at: "20:00", on: [tue, thu], do: quiz-night, late: 15m}
  - {at: 12:10, post: brief}
  - {at: 21:00, post: 晚安，明天见。}
""",
}


def write(root: Path, files: dict[str, str | bytes]) -> None:
    """Write files under a folder; a key ending with / is a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def library(root: Path, files: dict[str, str | bytes]) -> Library:
    """Load the good files with some of them replaced or added."""
    write(root, {**GOOD, **files})
    return load(root, KINDS)
