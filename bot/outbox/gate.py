"""Who of an account may send next, and when: replies before posts, each at the pacer's word."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from bot.errors import Delivery, TooFast
from bot.model import SECOND, Outgoing
from bot.outbox.chat import Chat, Load, hurry, weigh, weight
from bot.outbox.pace import NEVER, Pacer
from bot.ports import Adapter, Clock, State

if TYPE_CHECKING:
    from storage.outbox import Row

NOTHING = Load((), ())
# While an account is away nothing is tried, and it is looked so often whether it is back.
AWAY = SECOND

log = structlog.get_logger()


class Gate:
    """One account's turns. Chats wait here; whatever happens, they are looked at together, once.

    Those that have but posts are looked at only when a post may go or something has changed for them:
    there may be thousands.
    """

    def __init__(self, account: str, clock: Clock, pacer: Pacer, adapter: Adapter | None = None) -> None:
        self._log = log.bind(account=account)
        self._adapter = adapter
        self._clock = clock
        self._pacer = pacer
        self._waiting: dict[Chat, asyncio.Future[Load]] = {}
        self._talking: dict[Chat, None] = {}
        self._posting: dict[Chat, None] = {}
        self._going_on: dict[Chat, int] = {}  # in the middle of a long message: the next part's size
        self._changed = False
        self._posts_from = 0
        self._no_post_before = 0
        self._looking = False
        self._closed = False
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = NEVER
        self._slept_for = 0  # as soon as the alarm really sleeps

    async def turn(self, chat: Chat) -> Load:
        """Wait until a chat may send, and take its next message out; at once for what is stale."""
        turn: asyncio.Future[Load] = asyncio.get_running_loop().create_future()
        self._waiting[chat] = turn
        self.stir(chat)
        try:
            return await turn
        finally:
            self._forget(chat)

    async def turn_to_go_on(self, chat: Chat, part: Outgoing) -> None:
        """Wait until a chat may have the next part of a message that has begun."""
        self._going_on[chat] = weigh(part)
        try:
            await self.turn(chat)
        finally:
            del self._going_on[chat]

    def stir(self, chat: Chat) -> None:
        """Something happened in a chat: look soon."""
        if chat in self._waiting:
            if chat.talk or chat in self._going_on:
                self._talking[chat] = None
                self._posting.pop(chat, None)
            else:
                self._posting[chat] = None
                if self._clock.now() >= self._no_post_before or self._pacer.follows(chat.name):
                    self._changed = True
                else:
                    self._posts_from = min(self._posts_from, self._no_post_before)
        if self._waiting and not self._looking and not self._closed:
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look)

    @contextmanager
    def passing(self, chat: Chat, rows: Sequence[Row], part: Outgoing) -> Iterator[None]:
        """A message of a chat goes now, with these rows; TooFast makes the whole account pause."""
        self._pacer.leaves(chat.name, weigh(part), post=rows[0].post)
        well = False
        try:
            yield
            well = True
        except Delivery as error:
            # Where a part had gone out, the adapter says Unsure, and this was its cause.
            for cause in (error, error.__cause__):
                if isinstance(cause, TooFast):
                    self._pause(cause)
            raise
        finally:
            self._pacer.lands(chat.name, 0 if rows[0].post else len(rows), well=well)
            self._freed(chat)

    def gives_back(self, chat: Chat) -> None:
        """A chat made nothing of its turn, or is done with it."""
        self._pacer.gives_back(chat.name)
        self._freed(chat)

    def kept(self) -> str:
        """What a crash must not forget of the pace."""
        return self._pacer.kept()

    def recall(self, kept: str) -> None:
        self._pacer.recall(kept)

    @property
    def away(self) -> bool:
        """Whether the account is not there: what would be tried now would only fail, and count."""
        return self._adapter is not None and self._adapter.state is not State.ONLINE

    @property
    def asleep(self) -> int:
        """How many chats wait for nothing but the clock."""
        resting = self._alarm is None or self._slept_for > self._clock.now()
        return len(self._waiting) if resting and not self._looking else 0

    def close(self) -> None:
        """Give no turns any more."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()

    def _freed(self, chat: Chat) -> None:
        """A place may be free for which nobody could say a moment."""
        self._changed |= NEVER in (self._posts_from, self._no_post_before)
        self.stir(chat)

    def _pause(self, error: TooFast) -> None:
        span = self._pacer.pause(error.seconds)
        if span:
            said = "the platform asks to send less: the account pauses"
            self._log.warning(said, seconds=span // SECOND, why=str(error))

    # Looking. --------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Give a turn to everybody who may have one now, and be woken when the next may."""
        self._looking = False
        if self._closed:
            return
        now = self._clock.now()
        if self.away:
            for chat in [one for one in self._waiting if one in self._going_on or one.head.late(now)]:
                self._let(chat)
            self._changed = True
            self._wake_at(now + AWAY)
            return
        if self._changed:
            self._changed, self._posts_from = False, 0
            for chat in [one for one in self._posting if one.head.late(now)]:
                self._let(chat)
        wake, ready = self._who_is_ready(self._talking, now)
        blocked = self._let_talk(ready, now)
        if blocked:
            wake = min(wake, blocked)
        elif self._posting:
            if now >= self._posts_from:
                self._posts_from = self._let_posts(now)
                self._no_post_before = self._pacer.no_post_before()
            wake = min(wake, self._posts_from)
        if wake < NEVER:
            self._wake_at(wake)

    def _who_is_ready(self, chats: Iterable[Chat], now: int) -> tuple[int, list[Chat]]:
        """Who may send for their own part, and when the first of the others may. Stale rows go at once."""
        wake, ready = NEVER, []
        for chat in list(chats):
            if chat not in self._going_on and chat.head.late(now):
                self._let(chat)
            elif (moment := self._ready(chat)) > now:
                wake = min(wake, moment)
            else:
                ready.append(chat)
        return wake, ready

    def _ready(self, chat: Chat) -> int:
        """From when a chat may send, for its own part."""
        moment = max(chat.not_before, self._pacer.rested(chat.name))
        if chat not in self._going_on and chat.gathers:
            moment = max(moment, self._pacer.gathered(chat.name, chat.head.at))
        return moment

    def _let_talk(self, chats: list[Chat], now: int) -> int:
        """Who has waited longest goes first. The moment when there is room for the next; 0 for no next."""
        for chat in sorted(chats, key=lambda one: 0 if one in self._going_on else one.head.at):
            moment = self._pacer.room(self._going_on.get(chat) or weight(chat.head))
            if moment > now:
                return moment
            self._let(chat)
        return 0

    def _let_posts(self, now: int) -> int:
        """Whose time runs out first goes first, once the chat that had the last one has all of its own.

        The answer is when the next may go.
        """
        time_each, at_most = self._time(now)
        wake, ready = self._who_is_ready(self._posting, now)
        for chat in sorted(ready, key=lambda one: (not self._pacer.follows(one.name), one.deadline)):
            moment = self._pacer.post(chat.name, weight(chat.head), time_each, at_most)
            if moment > now:
                return min(wake, moment)
            self._let(chat)
        return wake

    def _time(self, now: int) -> tuple[int, int]:
        """How long each message that waits may take, if all posts are to go in three quarters of their time,
        and in nearly all of it.
        """
        waiting = sorted(
            (row.send_before, hurry(row), weight(row))
            for chat in self._posting
            for row in chat.posts
            if row.send_before
        )
        time_each = at_most = NEVER
        size = 0
        for end, soon, more in waiting:
            size += more
            time_each = min(time_each, (soon - now) // size)
            at_most = min(at_most, (end - now) * 9 // 10 // size)
        return time_each, at_most

    def _let(self, chat: Chat) -> None:
        turn = self._waiting[chat]
        self._forget(chat)
        if turn.done():
            return
        load, now = NOTHING, self._clock.now()
        if chat in self._going_on:
            self._pacer.takes(chat.name, self._going_on[chat], post=False)
        elif stale := chat.drop_late(now):
            load = Load((), stale)
        else:
            load = Load(chat.take(now), ())
            self._pacer.takes(chat.name, weight(load.rows[0]), post=load.rows[0].post)
        turn.set_result(load)

    def _forget(self, chat: Chat) -> None:
        for chats in (self._waiting, self._talking, self._posting):
            chats.pop(chat, None)

    def _wake_at(self, moment: int) -> None:
        if self._alarm is not None:
            if self._alarm_at <= moment:
                return
            self._alarm.cancel()
        self._alarm_at, self._slept_for = moment, 0
        self._alarm = asyncio.get_running_loop().create_task(self._ring(moment))

    async def _ring(self, moment: int) -> None:
        self._slept_for = moment
        await self._clock.sleep_until(moment)
        self._alarm = None
        self._look()
