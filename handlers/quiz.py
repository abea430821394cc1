"""问答, and the round engine of every game with questions.

Members: an answer, as the game reads it. Owners: 收题 closes the round, 结束 the whole quiz.
Slots: quiz. Timers: quiz.close, quiz.next.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, cast

from pydantic import AfterValidator, Field

from bot.dispatch.router import Router
from bot.dispatch.turn import Turn
from bot.errors import Refused
from bot.model import MINUTE, SECOND, Message, Reply, Role, Timer, Values
from bot.sop.schema import Activity, Duration, Part, Questions, at_least, one_or_list, template
from games.choice import Choice
from games.game import Game
from games.ranking import prizes

if TYPE_CHECKING:
    from storage.quizzes import Answer, Quiz, Round

GAMES: dict[str, Game] = {game.name: game for game in (Choice(),)}
TOPIC = "quiz"
# A message sent so long before its round was opened is a replay from another one.
REPLAYED = MINUTE
# Whoever comes back after such a night offline closes the round, and does not go on.
FORGOTTEN = 10 * MINUTE

router = Router(
    "quiz",
    {
        "quiz.question": "第 {number} 题，共 {rounds} 题，{open}后公布答案\n{question}",
        "quiz.locked": "你已经选了 {answer}，以第一次为准。",
        "quiz.locked.many": "{count} 人已经选了，以第一次为准\n{lines}",
        "quiz.locked.line": "选了 {answer}",
        "quiz.closed": "第 {number} 题答案：{answer}\n{players} 人作答，{right} 人答对。{winners}",
        "quiz.winners": "得分：{names}。",
        "quiz.everyone": "参加的每人 +{points}。",
        "quiz.silence": "第 {number} 题答案：{answer}\n这一题没有人作答。",
        "quiz.busy": "已经有一场问答在进行，等它结束再来。",
        "quiz.idle": "现在没有问答在进行。",
        "quiz.stopped": "问答到此结束，共 {players} 人参加。",
    },
)


class Rule(Part):
    """How long a round takes answers, and the pause before the next."""

    open: Annotated[Duration, at_least(5 * SECOND, "5s")] = Field(description="一题开放多久，至少 5s")
    gap: Duration = Field(10 * SECOND, description="公布答案以后，歇多久出下一题；不写是 10s")


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
    opening: Annotated[str, template("rounds", "minutes")] = Field(
        description="开场，可用 {rounds} 题数、{minutes} 每题几分钟"
    )
    closing: Annotated[str, template("players", "rounds")] = Field(
        "", description="散场，可用 {players} 参加人数、{rounds} 题数；不写就不说"
    )


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

    @property
    def lap(self) -> int:
        """A question, and the pause after it."""
        return self.round.open + self.round.gap


@router.slot("quiz", QuizActivity)
def start(activity: QuizActivity, turn: Turn) -> Sequence[Reply]:
    """The opening, and the first question. The definition is kept as it is now."""
    if turn.store.quizzes.running(turn.group.id):
        raise Refused("quiz.busy")
    questions = _pick(activity, turn)
    definition = activity.model_dump_json(by_alias=True)
    quiz = turn.store.quizzes.start(
        turn.group.id, definition, questions, turn.now, occurrence=turn.occurrence_id
    )
    turn.run = f"quiz:{quiz.id}"
    minutes = max(1, round(activity.round.open / MINUTE))
    opening = Reply(
        activity.posts.opening,
        {"rounds": len(questions), "minutes": minutes},
        verbatim=True,
        occurrence=turn.occurrence_id,
    )
    return [opening, *_open(turn, quiz, activity)]


@router.listener(TOPIC, lambda text, game: GAMES[game].read(text) is not None)
def answer(message: Message, turn: Turn) -> Reply | None:
    """Locked at its first giving, in silence; who tries another is told so once."""
    current = turn.store.quizzes.open_round(turn.group.id)
    if current is None or message.at < current.opened_at - REPLAYED:
        return None
    if turn.member.role == Role.NEWCOMER:
        raise Refused("gate.newcomer")
    given = GAMES[_definition(turn, current.quiz).game].read(turn.rest)
    assert given is not None
    before = turn.store.quizzes.answer_of(current.id, turn.member.id)
    if before is None:
        turn.store.quizzes.answer(current.id, turn.member.id, given, turn.now)
        return None
    locked, warned = before
    if locked == given or warned:
        return None
    turn.store.quizzes.warn(current.id, turn.member.id)
    return Reply("quiz.locked", {"answer": locked}, to=turn.person)


@router.command("收题", "公布答案", role=Role.OWNER, talk=True)
def close_now(message: Message, turn: Turn) -> Sequence[Reply]:
    current = turn.store.quizzes.open_round(turn.group.id)
    if current is None:
        return _idle(message)
    turn.cancel("quiz.close", current.id)
    return _close(turn, current)


@router.command("结束", role=Role.OWNER, talk=True)
def stop(message: Message, turn: Turn) -> Sequence[Reply]:
    """Close the round that is open, and play no further."""
    quiz = turn.store.quizzes.running(turn.group.id)
    if quiz is None:
        return _idle(message)
    current = turn.store.quizzes.open_round(turn.group.id)
    replies: list[Reply] = []
    if current is not None:
        turn.cancel("quiz.close", current.id)
        replies.append(_reveal(turn, current))
    _end(turn, quiz, "stopped")
    return [*replies, Reply("quiz.stopped", {"players": turn.store.quizzes.players(quiz.id)})]


@router.timer("quiz.close")
def close(timer: Timer, turn: Turn) -> Sequence[Reply]:
    current = turn.store.quizzes.round(timer.subject)
    if current is None or current.closed_at:
        return []
    if not turn.store.outbox.went_out(f"round:{current.id}"):
        return _void(turn, current)
    return _close(turn, current, go_on=turn.now - timer.due <= FORGOTTEN)


@router.timer("quiz.next")
def next_round(timer: Timer, turn: Turn) -> Sequence[Reply]:
    quiz = turn.store.quizzes.get(timer.subject)
    if quiz is None or quiz.state != "running":
        return []
    return _open(turn, quiz, _read(quiz.definition))


def _pick(activity: QuizActivity, turn: Turn) -> list[str]:
    """Questions of the banks by chance, those that the group has not had for longest."""
    pool = {
        key: question
        for bank in activity.questions.banks()
        for key, question in turn.library.banks[bank].questions.items()
    }
    asked = turn.store.quizzes.asked(turn.group.id)
    order = turn.chance.sample(sorted(pool), len(pool))
    chosen = sorted(order, key=lambda key: asked.get(key, 0))[: activity.questions.pick]
    for key in chosen:
        turn.store.quizzes.ask(turn.group.id, key, turn.now)
    return [json.dumps(asdict(cast("Any", pool[key])), ensure_ascii=False) for key in chosen]


def _open(turn: Turn, quiz: Quiz, activity: QuizActivity) -> Sequence[Reply]:
    upcoming = turn.store.quizzes.next_round(quiz.id)
    assert upcoming is not None
    closes_at = turn.now + activity.round.open
    turn.store.quizzes.open(upcoming.id, turn.now, closes_at)
    turn.timer("quiz.close", upcoming.id, closes_at)
    turn.listen(TOPIC, activity.game)
    values: Values = {
        "number": upcoming.number,
        "rounds": turn.store.quizzes.count(quiz.id),
        "open": _span(activity.round.open),
        "question": GAMES[activity.game].ask(_question(activity, upcoming)),
    }
    return [Reply("quiz.question", values, about=f"round:{upcoming.id}", send_before=closes_at)]


def _close(turn: Turn, current: Round, *, go_on: bool = True) -> Sequence[Reply]:
    """Reveal and pay; then the next round after a pause, or the end."""
    quiz, activity = turn.store.quizzes.get(current.quiz), _definition(turn, current.quiz)
    assert quiz is not None
    revealed = _reveal(turn, current)
    if go_on and turn.store.quizzes.next_round(quiz.id):
        turn.timer("quiz.next", quiz.id, turn.now + activity.round.gap)
        return [revealed]
    _end(turn, quiz, "done")
    if not activity.posts.closing:
        return [revealed]
    values: Values = {
        "players": turn.store.quizzes.players(quiz.id),
        "rounds": turn.store.quizzes.count(quiz.id),
    }
    return [revealed, Reply(activity.posts.closing, values, verbatim=True)]


def _reveal(turn: Turn, current: Round) -> Reply:
    """Close a round for good: the right answer is told here and nowhere before."""
    activity = _definition(turn, current.quiz)
    game, question = GAMES[activity.game], _question(activity, current)
    turn.unlisten(TOPIC)
    answers = turn.store.quizzes.answers(current.id)
    right = [one for one in answers if game.right(question, one.answer)]
    turn.store.quizzes.close(current.id, turn.now, right=len(right))
    values: Values = {"number": current.number, "answer": game.reveal(question)}
    if not answers:
        return Reply("quiz.silence", values)
    return Reply(
        "quiz.closed",
        {
            **values,
            "players": len(answers),
            "right": len(right),
            "winners": _pay(turn, activity, current, answers, right),
        },
    )


def _pay(
    turn: Turn, activity: QuizActivity, current: Round, answers: Sequence[Answer], right: Sequence[Answer]
) -> str:
    """Pay everybody once, and say who won what."""
    first = 0 if activity.winners == "all" else activity.winners.first
    each, amounts = activity.reward.everyone, activity.reward.winners
    won = prizes([one.member for one in right], [one.member for one in answers], first, amounts, each)
    for member, points in won.items():
        turn.store.ledger.transfer(
            turn.group.id, ("house", 0), ("purse", member), points, f"quiz:{current.id}:{member}", turn.now
        )
    said = ""
    winners = [one for one in right[: first or None] if won.get(one.member, 0) > each]
    if winners:
        names = "、".join(f"{one.name} +{won[one.member] - each}" for one in winners)
        said += "\n" + turn.words("quiz.winners", {"names": names})
    if each:
        said += "\n" + turn.words("quiz.everyone", {"points": each})
    return said


def _void(turn: Turn, current: Round) -> Sequence[Reply]:
    """Nobody was ever asked: no answer, no points, no further round."""
    quiz = turn.store.quizzes.get(current.quiz)
    assert quiz is not None
    turn.store.quizzes.close(current.id, turn.now)
    _end(turn, quiz, "void")
    return []


def _end(turn: Turn, quiz: Quiz, state: str) -> None:
    turn.store.quizzes.end(quiz.id, state)
    turn.cancel("quiz.next", quiz.id)
    turn.unlisten(TOPIC)
    turn.ended(f"quiz:{quiz.id}", state)


def _idle(message: Message) -> Sequence[Reply]:
    if message.to_bot:
        raise Refused("quiz.idle")
    return []


def _definition(turn: Turn, quiz: int) -> QuizActivity:
    found = turn.store.quizzes.get(quiz)
    assert found is not None
    return _read(found.definition)


@lru_cache(256)
def _read(definition: str) -> QuizActivity:
    """Every answer to every round asks for it."""
    return QuizActivity.model_validate_json(definition)


def _question(activity: QuizActivity, current: Round) -> Any:  # noqa: ANN401
    kept = json.loads(current.question)
    kept = {key: tuple(value) if isinstance(value, list) else value for key, value in kept.items()}
    return GAMES[activity.game].question(**kept)


def _span(microseconds: int) -> str:
    seconds = microseconds // SECOND
    minutes, rest = divmod(seconds, 60)
    return " ".join([f"{minutes} 分钟"] * bool(minutes) + [f"{rest} 秒"] * bool(rest))
