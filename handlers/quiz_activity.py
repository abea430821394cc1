"""What a quiz's file says: its keys, and how a quiz that began keeps them."""

from __future__ import annotations

import json
from datetime import time
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, PlainSerializer, ValidationInfo, field_validator

from bot.durations import in_words
from bot.model import MINUTE, SECOND
from bot.sop.schema import (
    Activity,
    ClockTime,
    Duration,
    Part,
    Questions,
    at_least,
    one_or_list,
    template,
    variables,
)
from games.choice import Choice
from games.game import Game

if TYPE_CHECKING:
    from storage.quizzes import Round

GAMES: dict[str, Game] = {game.name: game for game in (Choice(),)}
_Time = Annotated[ClockTime, PlainSerializer(lambda at: f"{at:%H:%M}", when_used="json")]


class Rule(Part):
    """How long a round takes answers, and when the next opens: after a pause, or at a set time of the day."""

    open: Annotated[Duration, at_least(5 * SECOND, "5s")] = Field(description="一题开放多久，至少 5s")
    gap: Duration | None = Field(
        None, description="公布答案以后，歇多久出下一题；不写是 10s。写了 at 就不用它"
    )
    at: Annotated[tuple[_Time, ...], one_or_list(ClockTime), Field(min_length=1)] | None = Field(
        None, description='每题几点出，一题一个时刻，从早到晚，比如 ["10:00", "11:30", "15:00"]'
    )

    @field_validator("at")
    @classmethod
    def _apart(cls, at: tuple[time, ...] | None, info: ValidationInfo) -> tuple[time, ...] | None:
        if at and info.data.get("gap") is not None:
            raise ValueError("写了 at，几点出题就定了，请去掉 gap")
        for before, after in pairwise(at or ()):
            apart = _minutes(after) - _minutes(before)
            said = f"{before:%H:%M} 和 {after:%H:%M}"
            if apart <= 0:
                raise ValueError(f"{said} 次序不对：从早到晚写，一个时刻一题")
            if apart * MINUTE < info.data.get("open", 0):
                wanted = f"一题要开放 {in_words(info.data['open'])}"
                raise ValueError(f"{said} 只隔 {apart} 分钟，{wanted}：把时刻隔开，或者把 open 写短")
        return at

    @property
    def rest(self) -> int:
        """How long after a reveal the next question comes."""
        return 10 * SECOND if self.gap is None else self.gap


class First(Part):
    first: int = Field(ge=1, le=100, description="答对的前几名算赢，1 到 100")


Amount = Annotated[int, Field(ge=0, le=1_000_000)]


class Reward(Part):
    """Points for the winners in their order (the last for all who come after), and for taking part."""

    winners: Annotated[tuple[Amount, ...], one_or_list(Amount), Field(min_length=1)] = Field(
        description="第一名、第二名……各得几分；名次比数字多，后面的都按最后一个数"
    )
    everyone: Amount = Field(0, description="参加的每人几分，赢的也有；不写是 0")


class Posts(Part):
    opening: Annotated[str, template("rounds", "minutes", "times")] = Field(
        description="开场，可用 {rounds} 题数、{minutes} 每题几分钟；写了 at，还可用 {times} 每题几点出"
    )
    closing: Annotated[str, template("players", "rounds")] = Field(
        "", description="散场，可用 {players} 参加人数、{rounds} 题数；不写就不说"
    )


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _game(name: str) -> str:
    if name not in GAMES:
        raise ValueError(f'不认识的玩法 "{name}"，可以写 {"、".join(GAMES)}')
    return name


class QuizActivity(Activity):
    """Rounds of questions of one game: an opening, and the first of them."""

    messages: ClassVar[int] = 2
    ends: ClassVar[bool] = True

    kind: Literal["quiz"] = Field(description="种类：问答")
    game: Annotated[str, AfterValidator(_game)] = Field(description="玩法，和题库里的一样")
    questions: Questions = Field(description="从哪里抽题，抽几题")
    round: Rule = Field(description="一题的时间")
    winners: Literal["all"] | First = Field(description="谁算赢：前几名，或者答对的都算（all）")
    reward: Reward = Field(description="给多少分")
    posts: Posts = Field(description="要说的话")

    @field_validator("round")
    @classmethod
    def _one_each(cls, rule: Rule, info: ValidationInfo) -> Rule:
        asked = info.data.get("questions")
        if rule.at and asked and len(rule.at) != asked.pick:
            written = f"at 写了 {len(rule.at)} 个时刻，questions 的 pick 是 {asked.pick}"
            raise ValueError(
                f"{written}：一题一个时刻，把 pick 写成 {len(rule.at)}，或者写 {asked.pick} 个时刻"
            )
        return rule

    @field_validator("posts")
    @classmethod
    def _known_times(cls, posts: Posts, info: ValidationInfo) -> Posts:
        rule = info.data.get("round")
        if rule and not rule.at and "times" in variables(posts.opening):
            raise ValueError("opening 里的 {times} 是每题几点出，要 round 里写了 at 才有")
        return posts

    @property
    def lap(self) -> int:
        """A question, and the pause after it, which at set times of the day is none to wait for."""
        return self.round.open + (0 if self.round.at else self.round.rest)

    @property
    def facts(self) -> list[str]:
        return [*super().facts, *([f"出题 {self.times}"] if self.round.at else [])]

    @property
    def times(self) -> str:
        """When its rounds open, in words; nothing when that depends on when it starts."""
        return "、".join(f"{at:%H:%M}" for at in self.round.at or ())

    def without(self, first: int) -> QuizActivity:
        """Return it without the first rounds at set times."""
        at = (self.round.at or ())[first:]
        return self.model_copy(
            update={
                "round": self.round.model_copy(update={"at": at}),
                "questions": self.questions.model_copy(update={"pick": len(at)}),
            }
        )


@lru_cache(256)
def read(definition: str) -> QuizActivity:
    """Every answer to every round asks for it."""
    return QuizActivity.model_validate_json(definition)


def question_of(activity: QuizActivity, current: Round) -> Any:  # noqa: ANN401
    kept = json.loads(current.question)
    kept = {key: tuple(value) if isinstance(value, list) else value for key, value in kept.items()}
    return GAMES[activity.game].question(**kept)
