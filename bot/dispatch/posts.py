"""Posts as they go out: one message, or several in a row with pauses between them.

What waits for its pause is kept as it was when the post began, with a timer for it; so neither a crash nor
an edit repeats, loses or changes anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bot.dispatch.effects import REPLY_WITHIN
from bot.model import EVERYONE, Card, Person, Reply, Values, fill

if TYPE_CHECKING:
    from bot.dispatch.turn import Turn
    from bot.sop.posts import Link, Piece, Post

NEXT = "post.next"
WEEKDAYS = "一二三四五六日"
NAMES = "{names}"

Steps = Sequence[tuple[int, Reply]]  # each with the pause before it


def begin(
    turn: Turn, what: str | Post, more: Values, *, called: str, alone: Person | None, last: int
) -> list[Reply]:
    """What a post says now. It is part of the turn's occurrence, if there is one.

    `more` are further values in its texts. `called` are names that stand where it says {names}, or else at
    its head; with `alone` it is written to one person, whose name that is. After `last`, or in 10 minutes,
    it is stale; what follows a pause has as much more time.
    """
    here = turn.local(turn.now)
    values: dict[str, str | int] = {
        "group": turn.group.title or "本群",
        "date": f"{here.month} 月 {here.day} 日",
        "weekday": f"周{WEEKDAYS[here.weekday()]}",
        **more,
    }
    if called or alone:
        values["names"] = called or (alone.name if alone else "")
    private = alone is not None
    post = turn.library.posts.get(what) if isinstance(what, str) else what
    text = what if isinstance(what, str) else ""
    plain = Reply(text, values, alone, verbatim=True, private=private, occurrence=turn.occurrence_id)
    steps = [(pause, _reply(piece, plain)) for pause, piece in post.steps] if post else [(0, plain)]
    if called:
        _call(steps)
    last = last or turn.now + REPLY_WITHIN
    timed = []
    for number, (pause, reply) in enumerate(steps, 1):
        last += pause
        timed.append((pause, reply._replace(send_before=last, step=number if len(steps) > 1 else 0)))
    return _go(turn, timed, 0)


def go_on(turn: Turn, number: int) -> list[Reply]:
    """What comes next of a post that is under way."""
    steps = [(pause, _read(kept)) for pause, kept in json.loads(turn.store.posts.rest(number))]
    return _go(turn, steps, number)


def _go(turn: Turn, steps: Steps, number: int) -> list[Reply]:
    """Say what has no pause before it, and wait for the rest."""
    ahead = next((place for place, (pause, _) in enumerate(steps) if place and pause), len(steps))
    if rest := [(pause, _written(reply)) for pause, reply in steps[ahead:]]:
        number = turn.store.posts.keep(turn.group.id, json.dumps(rest, ensure_ascii=False), number)
        turn.timer(NEXT, number, turn.now + rest[0][0])
    elif number:
        turn.store.posts.end(number)
    return [reply for _, reply in steps[:ahead]]


def _reply(piece: Piece, plain: Reply) -> Reply:
    everyone = piece.everyone and not plain.private
    return plain._replace(
        text=piece.text or "",
        to=EVERYONE if everyone else plain.to,
        picture=piece.picture or "",
        file=piece.file or "",
        card=_card(piece.card, plain.values) if piece.card else None,
    )


def _card(link: Link, values: Values) -> Card:
    title, description = fill(link.title, values), fill(link.description, values)
    return Card(title, link.url, description, link.thumbnail or "")


def _call(steps: list[tuple[int, Reply]]) -> None:
    """Have people called at the head of the first text, unless a text says where."""
    if not any(NAMES in reply.text for _, reply in steps):
        first = next((place for place, (_, reply) in enumerate(steps) if reply.text), 0)
        pause, reply = steps[first]
        steps[first] = pause, reply._replace(text=f"{NAMES} {reply.text}".strip())


def _written(reply: Reply) -> dict[str, Any]:
    card = asdict(reply.card) if reply.card else None
    return {**reply._asdict(), "values": dict(reply.values), "card": card}


def _read(kept: dict[str, Any]) -> Reply:
    made = Reply(**kept)
    return made._replace(
        to=Person(*made.to) if made.to else None, card=Card(**kept["card"]) if kept["card"] else None
    )
