"""One event, from the queue to what it leaves behind: on the writer's thread, in its transaction.

Before an event, the timers of its group that were due before it run. Then it is routed, marked as
seen, passes the gate, and its handler runs in a savepoint of its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.dispatch import lanes
from bot.dispatch.effects import keep
from bot.dispatch.frame import Frame
from bot.dispatch.gate import refusal
from bot.dispatch.lanes import Key, Lane
from bot.dispatch.outcome import Outcome
from bot.dispatch.outside import Outside
from bot.dispatch.remarks import Remark
from bot.dispatch.router import Command, Listener
from bot.dispatch.telling import about
from bot.dispatch.text import display
from bot.dispatch.turn import Turn
from bot.errors import Refused
from bot.model import MINUTE, Event, Invited, Joined, Message, Occurrence, Reply, Result, Spoken, Timer

if TYPE_CHECKING:
    from storage.outbox import Row
    from storage.store import Store

OUTSIDE = ""  # the chat of what happens in no group
SLOW_MS = 20
TRIES = 3


@dataclass(frozen=True, slots=True)
class Tick:
    """The alarm's word that a group has timers due."""

    account: str
    chat: str


class Turns:
    """The writer's lanes, and the handling of one event after the other against them."""

    def __init__(self, frame: Frame, made: dict[Key, Lane]) -> None:
        self._frame = frame
        self._lanes = {key: lane.copy() for key, lane in made.items()}
        self._known = {lane.group.id for lane in made.values()}
        self._outside = Outside(frame)
        self._parking = frame.parking

    def go_by(self, frame: Frame) -> None:
        """What is handled from now on sees another snapshot."""
        self._frame = frame
        self._outside.go_by(frame)

    def forget(self) -> None:
        """The batch was undone: what the lanes say may be wrong, so they are read again.

        The loop may not have heard of a group that was made in it, and is told of all once more.
        """
        self._lanes.clear()
        self._known.clear()
        self._outside.forget()

    def handle(self, store: Store, key: Key, event: Event | Tick | Occurrence, now: int) -> Outcome:
        began = time.perf_counter()
        outcome = Outcome()
        self._parking.event = event
        if isinstance(event, Invited) or (isinstance(event, Message) and event.private):
            self._outside.handle(store, event, now, outcome)
            self._took(event, None, outcome, began)
            return outcome
        lane = self._lane(store, key)
        lane.now = now = max(lane.now, now)
        if isinstance(event, Occurrence):
            self._claim(store, lane, event, outcome)
        self._run_due(store, key, now, outcome)
        if isinstance(event, Message):
            self._message(store, key, event, now, outcome)
        elif not isinstance(event, Occurrence | Tick):
            self._event(store, key, event, now, outcome)
        lane = self._lanes[key]
        if lane.group.id not in self._known:
            self._known.add(lane.group.id)
            outcome.made = lane.copy()
        self._took(event, lane, outcome, began)
        return outcome

    def spoken(self, key: Key, event: Event | Tick | Occurrence) -> Spoken | None:
        """What a message that is to be handled is known by; None for what is no member's message."""
        lane = self._lanes.get(key)
        if not isinstance(event, Message) or lane is None:
            return None
        member = lane.members.get(event.sender.id)
        return Spoken(*key, event.id, lane.group.id, member.id) if member else None

    def _took(
        self, event: Event | Tick | Occurrence, lane: Lane | None, outcome: Outcome, began: float
    ) -> None:
        outcome.ms = (time.perf_counter() - began) * 1000
        if outcome.ms > SLOW_MS:
            facts = {**about(event, lane), "ms": round(outcome.ms, 1)}
            outcome.remarks.append(Remark("slow turn", facts, like=("slow turn", type(event))))

    def _lane(self, store: Store, key: Key) -> Lane:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = lanes.load(store, *key)
        return lane

    # Messages. ---------------------------------------------------------------------------------------

    def _message(self, store: Store, key: Key, event: Message, now: int, outcome: Outcome) -> None:
        lane = self._lanes[key]
        found = self._frame.routes.match(lane, event)
        if event.sender.id not in lane.members and (found or lane.group.opened_at):
            joined = Joined(event.account, event.chat, (event.sender,), event.at)
            self._event(store, key, joined, now, outcome)
            lane = self._lanes[key]
        if found is None and event.to_bot and lane.group.opened_at:
            found = self._frame.routes.called
        if found is None or event.sender.id not in lane.members:
            return
        route, rest = found
        if not store.marks.add(event.account, event.chat, event.id, now, route.name):
            outcome.duplicate = True
            return
        outcome.handler = route.name
        self._rename(store, lane, event, outcome)
        turn = Turn(self._frame, store, lane, now)
        turn.speaks(event.sender.id)
        turn.rest = rest
        answer = self._gate(turn, event, route)
        if answer == "":
            return
        if answer is not None:
            outcome.took(turn, self._keep(store, turn, Reply(answer, to=turn.person)))
            return
        self._run(store, key, turn, event, route, outcome)

    def _rename(self, store: Store, lane: Lane, event: Message, outcome: Outcome) -> None:
        member = lane.members[event.sender.id]
        if event.sender.name in ("", member.name):
            return
        name = display(event.sender.name)
        if name != member.name:
            turn = Turn(self._frame, store, lane, lane.now)
            turn.rename(member, name)
            outcome.changes += turn.changes

    def _gate(self, turn: Turn, event: Message, route: Command | Listener) -> str | None:
        """The text that turns a message away; '' in silence; None lets it through."""
        if isinstance(route, Listener):
            return None
        return refusal(route, turn.member.role, opened=bool(turn.group.opened_at), to_bot=event.to_bot)

    def _run(
        self, store: Store, key: Key, turn: Turn, event: Message, route: Command | Listener, outcome: Outcome
    ) -> None:
        try:
            with store.savepoint():
                rows = self._keep(store, turn, self._parking.run(route.handler, event, turn))
        except Refused as refused:
            person, turn = turn.person, self._undone(store, key, turn)
            rows = self._keep(store, turn, Reply(refused.text, refused.values, to=person))
        except Exception as error:  # noqa: BLE001 - whatever it was, it is told of, and the rest goes on
            facts = {"handler": route.name, "message": event.id, **about(event, self._lanes[key])}
            outcome.raised("a handler failed", error, route.name, **facts)
            store.marks.failed(event.account, event.chat, event.id)
            person, turn = turn.person, self._undone(store, key, turn)
            rows = self._keep(store, turn, Reply("gate.sorry", to=person))
        outcome.took(turn, rows)

    def _event(self, store: Store, key: Key, event: Event, now: int, outcome: Outcome) -> None:
        turn = Turn(self._frame, store, self._lanes[key], now)
        try:
            with store.savepoint():
                handler = self._frame.routes.events[type(event)]
                rows = self._keep(store, turn, self._parking.watch(handler, event, turn))
        except Exception as error:  # noqa: BLE001 - as above
            facts = about(event, self._lanes[key])
            outcome.raised("a handler failed", error, type(event).__name__, **facts)
            self._undone(store, key, turn)
        else:
            outcome.took(turn, rows)

    # Timers and slots. -------------------------------------------------------------------------------

    def _claim(self, store: Store, lane: Lane, event: Occurrence, outcome: Outcome) -> None:
        """A slot is a claimed row and a timer that is due: from here on they are one mechanism."""
        claimed = store.occurrences.claim(event)
        if not claimed:
            return
        if event.skip:
            store.occurrences.end(claimed, "skipped", event.skip)
            return
        turn = Turn(self._frame, store, lane, lane.now)
        turn.timer("slot", claimed, min(event.due, lane.now))
        outcome.took(turn, [])

    def _run_due(self, store: Store, key: Key, now: int, outcome: Outcome) -> None:
        while (lane := self._lanes[key]).next_due and lane.next_due <= now:
            timer = store.timers.first(lane.group.id, now)
            if timer is not None:
                handled, self._parking.event = self._parking.event, timer
                self._ring(store, key, timer, now, outcome)
                self._parking.event = handled
            turn = Turn(self._frame, store, self._lanes[key], now)
            turn.timers_changed()
            outcome.took(turn, [])

    def _ring(self, store: Store, key: Key, timer: Timer, now: int, outcome: Outcome) -> None:
        began = time.perf_counter()
        turn = Turn(self._frame, store, self._lanes[key], now)
        handler = self._frame.routes.timers.get(timer.kind, _nobody)
        if parked := self._parking.until(handler, now):
            turn.timer(timer.kind, timer.subject, parked)
            outcome.took(turn, [])
            return
        try:
            with store.savepoint():
                store.timers.claim(timer.id)
                rows = self._keep(store, turn, self._parking.run(handler, timer, turn), post=True)
        except Refused as refused:
            turn = self._undone(store, key, turn)
            store.timers.claim(timer.id)
            if timer.kind == "slot":
                why = turn.words(refused.text, refused.values)
                store.occurrences.end(timer.subject, "failed", why)
                facts = {"group": timer.group, "occurrence": timer.subject, "why": why}
                outcome.remarks.append(Remark("a slot failed", facts, like=("a slot failed", why)))
        except Exception as error:  # noqa: BLE001 - as above
            last = timer.attempts + 1 >= TRIES
            facts = {"timer": timer.kind, "subject": timer.subject, "group": timer.group, "parked": last}
            outcome.remarks.append(Remark("a timer failed", facts, error))
            outcome.failed = True
            turn = self._undone(store, key, turn)
            store.timers.failed(timer, now + MINUTE, parked=last)
            if last and timer.kind == "slot":
                store.occurrences.end(timer.subject, "failed", "出了错，见日志")
        else:
            outcome.took(turn, rows)
            outcome.rang += ((timer, (time.perf_counter() - began) * 1000),)

    # Both. -------------------------------------------------------------------------------------------

    def _keep(self, store: Store, turn: Turn, result: Result, *, post: bool = False) -> list[Row]:
        chat = turn.group.account, turn.group.chat
        return keep(self._frame.library, store, chat, result, turn.now, post=post)

    def _undone(self, store: Store, key: Key, turn: Turn) -> Turn:
        """A new turn on a lane as the database has it, after a savepoint was rolled back."""
        lane = self._lanes[key]
        if turn.changes:
            fresh = lanes.load(store, *key)
            fresh.now = lane.now
            lane = self._lanes[key] = fresh
        return Turn(self._frame, store, lane, turn.now)


def _nobody(timer: Timer, _turn: Turn) -> Result:
    raise LookupError(f"no handler for timers of kind {timer.kind}")
