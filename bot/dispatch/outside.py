"""What happens in no group: private messages to 小二, and invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.dispatch.effects import keep
from bot.dispatch.frame import Frame
from bot.dispatch.telling import about
from bot.dispatch.text import LONGEST, plain
from bot.dispatch.turn import PrivateTurn
from bot.errors import Refused
from bot.model import MINUTE, Invited, Message, Reply, Result, effects_of

if TYPE_CHECKING:
    from bot.dispatch.outcome import Outcome
    from storage.store import Store

HINT_EVERY = MINUTE


class Outside:
    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._hinted: dict[str, int] = {}

    def go_by(self, frame: Frame) -> None:
        self._frame = frame

    def forget(self) -> None:
        """The batch was undone, and what was hinted in it with it."""
        self._hinted.clear()

    def handle(self, store: Store, event: Message | Invited, now: int, outcome: Outcome) -> None:
        mark, chat = (event.id, event.chat) if isinstance(event, Message) else (f"invitation:{event.id}", "")
        if not store.marks.add(event.account, chat, mark, now, "outside"):
            outcome.duplicate = True
            return
        turn = PrivateTurn(store, self._frame.library, now)
        try:
            with store.savepoint():
                result = self._invited(event, turn) if isinstance(event, Invited) else self._said(event, turn)
                rows = keep(self._frame.library, store, (event.account, chat), _private(result), now)
        except Refused as refused:
            answer = Reply(refused.text, refused.values, private=True)
            rows = keep(self._frame.library, store, (event.account, chat), answer, now)
        except Exception as error:  # noqa: BLE001 - whatever it was, it is told of, and the rest goes on
            outcome.raised("a handler failed", error, "private", **about(event, None))
            store.marks.failed(event.account, chat, mark)
            sorry = Reply("gate.sorry", private=True) if chat else None
            rows = keep(self._frame.library, store, (event.account, chat), sorry, now)
        outcome.rows += rows
        outcome.handled = bool(rows)

    def _invited(self, event: Invited, turn: PrivateTurn) -> Result:
        return self._frame.parking.watch(self._frame.routes.events[Invited], event, turn)

    def _said(self, event: Message, turn: PrivateTurn) -> Result:
        flat = plain(event.text) if len(event.text) <= LONGEST else ""
        handler = self._frame.routes.private.get(flat)
        if handler is not None:
            return self._frame.parking.run(handler, event, turn)
        if flat in self._frame.routes.commands or self._frame.routes.with_rest(event.text):
            return Reply("gate.in_group")
        # Two bots that greet each other would never end: a stranger's words get a hint once a minute.
        if turn.now - self._hinted.get(event.chat, -HINT_EVERY) < HINT_EVERY:
            return None
        if len(self._hinted) > 10_000:
            self._hinted.clear()
        self._hinted[event.chat] = turn.now
        return Reply("gate.hint")


def _private(result: Result) -> Result:
    """Replies in a private chat are private, and name nobody."""
    effects = effects_of(result)
    return [one._replace(private=True, to=None) if isinstance(one, Reply) else one for one in effects]
