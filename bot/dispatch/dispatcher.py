"""The one door in: every event enters here, is put in order, handled once, and committed.

`feed` runs on the event loop. It drops chatter by itself and queues the rest for the writer, where
bot/dispatch/turns.py handles it. After the commit the loop's lanes are brought up to date, and what is
to be sent goes to the outbox.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, get_args

import structlog

from bot.dispatch.duty import Duty
from bot.dispatch.frame import Frame
from bot.dispatch.lanes import Key, Lane
from bot.dispatch.outcome import ENDINGS, Outcome
from bot.dispatch.remarks import Remarks
from bot.dispatch.telling import about
from bot.dispatch.turns import OUTSIDE, Tick, Turns
from bot.model import Event, Invited, Message, Occurrence
from bot.ports import Adapter, Clock

if TYPE_CHECKING:
    from storage.outbox import Row
    from storage.writer import Writer

# So many events may wait in one group, and so many in all, before adapters read on.
FLOOD = 1000
CROWD = 20_000
# Seconds until what was counted is written.
COUNTING = 5.0
# Prometheus wants to see a count at 0 before it can tell that it grew.
KINDS = (*get_args(Event), Occurrence, Tick)

log = structlog.get_logger()


class Downstream(Protocol):
    """Who hears of what was committed."""

    def deliver(self, rows: list[Row]) -> None: ...

    def due(self, moment: int) -> None: ...

    def replan(self, group: int) -> None: ...


class Dispatcher:
    """Made with the lanes as they are in the database, and the adapters in their order."""

    def __init__(
        self,
        frame: Frame,
        clock: Clock,
        writer: Writer,
        made: dict[Key, Lane],
        downstream: Downstream,
        adapters: Mapping[str, Adapter] | None = None,
    ) -> None:
        self._routes = frame.routes
        self._clock = clock
        self._writer = writer
        self._downstream = downstream
        self._lanes = made
        self._keys = {lane.group.id: key for key, lane in made.items()}
        self._waiting: Counter[Key] = Counter()
        self._inside = 0
        # Who waits for room: in a group, or anywhere at all.
        self._at_door: dict[Key | None, list[asyncio.Future[None]]] = {}
        self._remarks = Remarks()
        self._log = log.bind()  # found once: to look for it costs more than to route a message
        self._tells = bool(self._log.is_enabled_for(logging.DEBUG))
        # For /metrics: messages that were dropped at the door, and what became of all else, by its type.
        self.chatter = 0
        self.events = Counter[tuple[type, str]]({(kind, ended): 0 for kind in KINDS for ended in ENDINGS})
        self._counts = frame.counts
        self._counting: asyncio.TimerHandle | None = None
        self._turns = Turns(frame, made)
        self._duty = Duty(adapters, made) if adapters and len(adapters) > 1 else None
        writer.on_rollback = self._turns.forget

    def feed(self, event: Event) -> asyncio.Future[bool | None] | None:
        """Take an event in. None for chatter; else the answer is as `_queue` says."""
        if self._duty is not None and not self._duty.hears(event):
            return None
        if not isinstance(event, Message) or event.private:
            return self._queue(_key(event), event)
        key = event.account, event.chat
        if key not in self._waiting:
            lane = self._lanes.get(key)
            if lane is not None and self._routes.match(lane, event) is None and self._talk(lane, event):
                self.chatter += 1
                return None
        return self._queue(key, event)

    def _talk(self, lane: Lane, message: Message) -> bool:
        """Whether a message that nobody answers is for nobody, and count it as talk then.

        It is for somebody when it is to 小二, or the first of a newcomer's.
        """
        group = lane.group
        if not group.opened_at:
            return True
        member = lane.members.get(message.sender.id)
        if member is None or message.to_bot:
            return False
        self._counts.add(group, member.id, message.at)
        if self._counting is None:
            self._count_on()
        return True

    def feed_slot(self, occurrence: Occurrence) -> asyncio.Future[bool | None]:
        """A slot of the calendar is due in a group."""
        self.write_counts()
        key = account, chat = self._keys[occurrence.group]
        if self._duty is not None and (other := self._duty.of(account, chat)) != account:
            occurrence = occurrence._replace(skip=f"这个群由账号 {other} 当差")
        return self._queue(key, occurrence)

    def feed_timers(self, now: int) -> list[asyncio.Future[bool | None]]:
        """Have every group run its timers that are due."""
        self.write_counts()
        due = [(lane.next_due, key) for key, lane in self._lanes.items() if 0 < lane.next_due <= now]
        return [self._queue(key, Tick(*key)) for _, key in sorted(due)]

    def go_by(self, frame: Frame) -> None:
        """On the writer's thread: what is handled from now on sees another snapshot, of the same routes."""
        self._turns.go_by(frame)

    def write_counts(self) -> None:
        """Have what was counted written, before anything that is queued later."""
        if self._counting is None:
            return
        self._counting.cancel()
        self._counting = None
        members, groups = self._counts.take()

        def done(_: None, error: BaseException | None) -> None:
            if error is not None:
                self._log.warning("what was counted was not written", messages=sum(groups.values()))

        self._writer.submit(lambda store: store.written.add(members, groups), done)

    @property
    def next_timer(self) -> int:
        """When the next timer of any group is due; 0 for none."""
        return min((lane.next_due for lane in self._lanes.values() if lane.next_due), default=0)

    async def breathe(self, event: Event) -> None:
        """Wait while the event's group is flooded, or all are, so that its account is read no further."""
        key = _key(event)
        flooded = self._waiting[key] >= FLOOD
        if flooded or self._inside >= CROWD:
            room: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._at_door.setdefault(key if flooded else None, []).append(room)
            await room

    @property
    def idle(self) -> bool:
        """Whether all that was fed is committed."""
        return self._writer.idle

    @property
    def waiting(self) -> int:
        """How many events wait in all lanes."""
        return sum(self._waiting.values())

    @property
    def depth(self) -> int:
        """How many events wait in the fullest lane."""
        return max(self._waiting.values(), default=0)

    def _queue(self, key: Key, event: Event | Tick | Occurrence) -> asyncio.Future[bool | None]:
        """The answer is whether something was done; None when it could not be committed."""
        future: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
        now = self._clock.now()
        self._waiting[key] += 1
        self._inside += 1

        def done(outcome: Outcome | None, _error: BaseException | None) -> None:
            self._waiting[key] -= 1
            self._inside -= 1
            if not self._waiting[key]:
                del self._waiting[key]
            if self._at_door:
                self._let_in(key)
            self.events[type(event), "failed" if outcome is None else outcome.ended] += 1
            if outcome is not None:
                self._committed(key, outcome)
                if isinstance(event, Message) and not outcome.duplicate:
                    self.count(key, event, now)
                if self._tells and outcome.handled:
                    self._tell(self._lanes.get(key), event, outcome)
            if not future.done():
                future.set_result(None if outcome is None else outcome.handled)

        turns = self._turns
        self._writer.submit(
            lambda store: turns.handle(store, key, event, now), done, lambda: turns.spoken(key, event)
        )
        return future

    def _count_on(self) -> None:
        """There is something to write, soon."""
        self._counting = asyncio.get_running_loop().call_later(COUNTING, self.write_counts)

    def count(self, key: Key, message: Message, now: int) -> None:
        """Count a message that was handled, if it was a member's in a group that is 开张."""
        lane = self._lanes.get(key)
        member = lane.members.get(message.sender.id) if lane is not None else None
        if lane is not None and member is not None and lane.group.opened_at:
            self._counts.add(lane.group, member.id, now)
            if self._counting is None:
                self._count_on()

    def _let_in(self, key: Key) -> None:
        rooms = self._at_door.pop(key, []) if self._waiting[key] < FLOOD // 2 else []
        if self._inside < CROWD // 2:
            rooms += self._at_door.pop(None, [])
        for room in rooms:
            if not room.done():
                room.set_result(None)

    def _committed(self, key: Key, outcome: Outcome) -> None:
        lane = self._lanes.get(key)
        if lane is not None:
            for change in outcome.changes:
                change(lane)
        elif outcome.made is not None:
            lane = self._lanes[key] = outcome.made
            self._keys[lane.group.id] = key
        if outcome.remarks:
            self._remarks.tell(outcome.remarks)
        if outcome.rows:
            self._downstream.deliver(outcome.rows)
        if lane is not None and outcome.changes and lane.next_due:
            self._downstream.due(lane.next_due)
        if lane is not None and outcome.replan:
            self._downstream.replan(lane.group.id)

    def _tell(self, lane: Lane | None, event: Event | Tick | Occurrence, outcome: Outcome) -> None:
        """One line for each thing that was handled; talk has none."""
        for timer, ms in outcome.rang:
            rang = {"timer": timer.kind, "subject": timer.subject}
            self._log.debug("handled", **about(timer, lane), **rang, ms=round(ms, 1))
        told = about(event, lane)
        if outcome.handler:
            told["handler"] = outcome.handler
        self._log.debug(outcome.ended, **told, ms=round(outcome.ms, 1))


def _key(event: Event) -> Key:
    """Whose turn an event is: its group's, or that of all that happens in none."""
    if isinstance(event, Invited) or (isinstance(event, Message) and event.private):
        return event.account, OUTSIDE
    return event.account, event.chat
