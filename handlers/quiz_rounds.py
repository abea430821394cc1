"""One round of a quiz: the question is put, and later the answer told and everybody paid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.dispatch.turn import Turn
from bot.durations import in_words
from bot.model import Reply, Values
from games.ranking import prizes
from handlers.quiz_activity import GAMES, QuizActivity, question_of, read

if TYPE_CHECKING:
    from storage.quizzes import Answer, Quiz, Round

TOPIC = "quiz"


def ask(turn: Turn, quiz: Quiz, activity: QuizActivity, number: int = 1, until: int = 0) -> Sequence[Reply]:
    """Open the next round: the first that was not yet, of this number or a higher one.

    It takes answers `until` a moment, or else for as long as the activity says.
    """
    upcoming = turn.store.quizzes.next_round(quiz.id, number)
    assert upcoming is not None
    closes_at = until or turn.now + activity.round.open
    turn.store.quizzes.open(upcoming.id, turn.now, closes_at)
    turn.timer("quiz.close", upcoming.id, closes_at)
    turn.listen(TOPIC, activity.game)
    values: Values = {
        "number": upcoming.number,
        "rounds": turn.store.quizzes.count(quiz.id),
        "open": in_words(activity.round.open),
        "until": f"{turn.local(closes_at):%H:%M}",
        "question": GAMES[activity.game].ask(question_of(activity, upcoming)),
    }
    said = "quiz.question_until" if until else "quiz.question"
    return [Reply(said, values, about=f"round:{upcoming.id}", send_before=closes_at)]


def reveal(turn: Turn, current: Round) -> Reply:
    """Close a round for good: the right answer is told here and nowhere before."""
    activity = definition(turn, current.quiz)
    game, question = GAMES[activity.game], question_of(activity, current)
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


def definition(turn: Turn, quiz: int) -> QuizActivity:
    found = turn.store.quizzes.get(quiz)
    assert found is not None
    return read(found.definition)
