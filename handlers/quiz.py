"""问答, and the round engine of every game with questions.

Members: an answer, as the game reads it. Owners: 收题 closes the round, 结束 the whole quiz.
Slots: quiz. Timers: quiz.close, quiz.next.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from bot.dispatch.router import Router
from bot.dispatch.turn import Turn
from bot.errors import Refused
from bot.model import MINUTE, Message, Reply, Role, Timer, Values
from games.questions import unasked_longest
from handlers.quiz_activity import GAMES, QuizActivity, read
from handlers.quiz_rounds import TOPIC, ask, definition, reveal

if TYPE_CHECKING:
    from storage.quizzes import Quiz, Round

# A message sent so long before its round was opened is a replay from another one.
REPLAYED = MINUTE
# Whoever comes back after such a night offline closes the round, and does not go on.
FORGOTTEN = 10 * MINUTE

router = Router(
    "quiz",
    {
        "quiz.question": "第 {number} 题，共 {rounds} 题，{open}后公布答案\n{question}",
        "quiz.question_until": "第 {number} 题，共 {rounds} 题，{until} 公布答案\n{question}",
        "quiz.locked": "你已经选了 {answer}，以第一次为准。",
        "quiz.locked.many": "{count} 人已经选了，以第一次为准\n{lines}",
        "quiz.locked.line": "选了 {answer}",
        "quiz.closed": "第 {number} 题答案：{answer}\n{players} 人作答，{right} 人答对。{winners}",
        "quiz.winners": "得分：{names}。",
        "quiz.everyone": "参加的每人 +{points}。",
        "quiz.silence": "第 {number} 题答案：{answer}\n这一题没有人作答。",
        "quiz.busy": "已经有一场问答在进行，等它结束再来。",
        "quiz.idle": "现在没有问答在进行。",
        "quiz.between": "现在没有开着的题，下一题 {at} 出。",
        "quiz.too_late": "「{title}」今天出题的时刻都过了，最后一题是 {last}。",
        "quiz.stopped": "问答到此结束，共 {players} 人参加。",
    },
)


@router.slot("quiz", QuizActivity)
def start(activity: QuizActivity, turn: Turn) -> Sequence[Reply]:
    """The opening, and the first question. The definition is kept as it is now."""
    if turn.store.quizzes.running(turn.group.id):
        raise Refused("quiz.busy")
    if activity.round.at:
        activity = _still_to_come(activity, turn)
    questions = _pick(activity, turn)
    kept = activity.model_dump_json(by_alias=True)
    quiz = turn.store.quizzes.start(turn.group.id, kept, questions, turn.now, occurrence=turn.occurrence_id)
    turn.run = f"quiz:{quiz.id}"
    minutes = max(1, round(activity.round.open / MINUTE))
    opening = Reply(
        activity.posts.opening,
        {"rounds": len(questions), "minutes": minutes, "times": activity.times},
        verbatim=True,
        occurrence=turn.occurrence_id,
    )
    first = _in_time(turn, quiz, activity) if activity.round.at else ask(turn, quiz, activity)
    return [opening, *(first or ())]


def holds_up(turn: Turn, kind: str) -> bool:
    """Whether a slot for something of a kind has to wait for the quiz that runs.

    Between rounds at set times there is room for all but another quiz.
    """
    quiz = turn.store.quizzes.running(turn.group.id)
    if quiz is None:
        return False
    between = read(quiz.definition).round.at and turn.store.quizzes.open_round(turn.group.id) is None
    return kind == "quiz" or not between


@router.listener(TOPIC, lambda text, game: GAMES[game].read(text) is not None)
def answer(message: Message, turn: Turn) -> Reply | None:
    """Locked at its first giving, in silence; who tries another is told so once."""
    current = turn.store.quizzes.open_round(turn.group.id)
    if current is None or message.at < current.opened_at - REPLAYED:
        return None
    if turn.member.role == Role.NEWCOMER:
        raise Refused("gate.newcomer")
    given = GAMES[definition(turn, current.quiz).game].read(turn.rest)
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
        return _between(message, turn)
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
        replies.append(reveal(turn, current))
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
    activity = read(quiz.definition)
    if not activity.round.at:
        return ask(turn, quiz, activity)
    question = _in_time(turn, quiz, activity)
    if question is None:
        _end(turn, quiz, "done")
    return question or []


def _pick(activity: QuizActivity, turn: Turn) -> list[str]:
    """Questions of the banks by chance, those that the group has not had for longest."""
    pool = {
        key: question
        for bank in activity.questions.banks()
        for key, question in turn.library.banks[bank].questions.items()
    }
    asked = turn.store.quizzes.asked(turn.group.id)
    chosen = unasked_longest(pool, asked, activity.questions.pick, turn.chance)
    today, apart = turn.local(turn.now).date(), activity.questions.days_apart
    again = [key for key in chosen if key in asked and (today - turn.local(asked[key]).date()).days < apart]
    if again:
        turn.remark(
            "too few questions: some come again too soon",
            activity=activity.title,
            again=len(again),
            of=len(chosen),
            banks="、".join(activity.questions.banks()),
            days=apart,
        )
    for key in chosen:
        turn.store.quizzes.ask(turn.group.id, key, turn.now)
    return [json.dumps(asdict(cast("Any", pool[key])), ensure_ascii=False) for key in chosen]


def _still_to_come(activity: QuizActivity, turn: Turn) -> QuizActivity:
    """A quiz with rounds at set times, without those that are over. Raises Refused when all are."""
    moments = _moments(turn, activity, turn.now)
    gone = sum(not _opens(turn, activity, moment) for moment in moments)
    if gone == len(moments):
        last = f"{turn.local(moments[-1]):%H:%M}"
        raise Refused("quiz.too_late", title=activity.title, last=last)
    return activity.without(gone)


def _moments(turn: Turn, activity: QuizActivity, began: int) -> list[int]:
    """When the rounds at set times open, on the day when the quiz began."""
    day = turn.local(began).date()
    return [turn.moment(f"{day}T{at:%H:%M}") for at in activity.round.at or ()]


def _opens(turn: Turn, activity: QuizActivity, moment: int) -> bool:
    """Whether there is still time to answer a round of this moment: half of it at least."""
    return turn.now <= moment + activity.round.open // 2


def _in_time(turn: Turn, quiz: Quiz, activity: QuizActivity) -> Sequence[Reply] | None:
    """The round at a set time that is due, or nothing but a timer for the next; None when there is no more.

    What was slept through, or falls into a pause, is left out.
    """
    opened = max(turn.store.quizzes.opened(quiz.id), default=0)
    for number, moment in enumerate(_moments(turn, activity, quiz.at), 1):
        if number <= opened:
            continue
        if moment > turn.now:
            turn.timer("quiz.next", quiz.id, moment)
            return []
        if _opens(turn, activity, moment) and not turn.group.paused:
            return ask(turn, quiz, activity, number, moment + activity.round.open)
    return None


def _close(turn: Turn, current: Round, *, go_on: bool = True) -> Sequence[Reply]:
    """Reveal and pay; then the next round after a pause, or the end."""
    quiz, activity = turn.store.quizzes.get(current.quiz), definition(turn, current.quiz)
    assert quiz is not None
    revealed = reveal(turn, current)
    if activity.round.at:
        following = _in_time(turn, quiz, activity)
        if following is not None:
            return [revealed, *following]
    elif go_on and turn.store.quizzes.next_round(quiz.id):
        turn.timer("quiz.next", quiz.id, turn.now + activity.round.rest)
        return [revealed]
    _end(turn, quiz, "done")
    if not activity.posts.closing:
        return [revealed]
    values: Values = {
        "players": turn.store.quizzes.players(quiz.id),
        "rounds": len(turn.store.quizzes.opened(quiz.id)),
    }
    return [revealed, Reply(activity.posts.closing, values, verbatim=True)]


def _void(turn: Turn, current: Round) -> Sequence[Reply]:
    """Nobody was ever asked: no answer, no points; no further round but one at a set time."""
    quiz, activity = turn.store.quizzes.get(current.quiz), definition(turn, current.quiz)
    assert quiz is not None
    turn.unlisten(TOPIC)
    turn.store.quizzes.close(current.id, turn.now)
    following = _in_time(turn, quiz, activity) if activity.round.at else None
    if following is None:
        _end(turn, quiz, "void")
    return following or []


def _end(turn: Turn, quiz: Quiz, state: str) -> None:
    turn.store.quizzes.end(quiz.id, state)
    turn.cancel("quiz.next", quiz.id)
    turn.unlisten(TOPIC)
    if state == "void" and turn.store.quizzes.players(quiz.id):
        state = "done"  # its last question was lost, but not all of it
    turn.ended(f"quiz:{quiz.id}", state)


def _between(message: Message, turn: Turn) -> Sequence[Reply]:
    """There is no round to close; where one comes at a set time, say when."""
    quiz = turn.store.quizzes.running(turn.group.id)
    if quiz is None or not message.to_bot:
        return _idle(message)
    coming = [one for one in _moments(turn, read(quiz.definition), quiz.at) if one > turn.now]
    if not coming:
        return _idle(message)
    raise Refused("quiz.between", at=f"{turn.local(coming[0]):%H:%M}")


def _idle(message: Message) -> Sequence[Reply]:
    if message.to_bot:
        raise Refused("quiz.idle")
    return []
