"""Tells the inbox what happened in a room: called in that room's lane, so in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot.adapters.wechaty.link import Link
from bot.adapters.wechaty.names import Names
from bot.adapters.wechaty.reading import after_any_mention, after_mention, ids_of, moment
from bot.adapters.wechaty.repeats import Repeats
from bot.model import HOUR, MINUTE, Event, Invited, Joined, Left, Message, Person, Roster, clean
from bot.ports import Clock, Inbox

# As gateways count; the numbers in wechaty_grpc 0.20 are others.
TEXT_MESSAGE = 7

# Joins and leaves can be missed: the first event in a room after so long brings a new roster.
ROSTER_GOOD_FOR = 6 * HOUR
# A room that could not be had is asked for again; until then its messages go without a roster.
ROSTER_RETRY = MINUTE


class Reporter:
    """One account's view: a room's first event in a login is preceded by its roster.

    `me` is who was last logged in. It outlasts a lost connection, as does what was heard before.
    `ours` are all that are logged in at accounts of ours: what they say is nobody's word.
    """

    def __init__(
        self,
        account: str,
        inbox: Inbox,
        clock: Clock,
        *,
        link: Link,
        names: Names,
        age_limit: int,
        ours: set[str],
    ) -> None:
        self._account = account
        self._link = link
        self._names = names
        self._clock = clock
        self._age_limit = age_limit
        self._inbox = inbox
        self._ours = ours
        self._repeats = Repeats()
        self._rooms: set[str] = set()
        # Until when a room's roster need not be told again.
        self._told: dict[str, int] = {}
        self.me = ""

    def login(self, me: str) -> None:
        """From here on it is this account, and every room is told anew."""
        if me != self.me:
            self._rooms.clear()
        self.me = me
        self._ours.add(me)
        self._repeats.login()
        self._told.clear()

    def sees(self, room: str) -> bool:
        """Whether the account is in a room, as far as it was told."""
        return room in self._rooms

    def forget(self, room: str) -> None:
        """What was told of a room may be wrong: its next event brings a new roster."""
        self._told.pop(room, None)

    def is_news(self, payload: Any) -> bool:  # noqa: ANN401 - wechaty ships no types
        """Whether a message is for us: somebody else's text, not an old one replayed, nor a repeat."""
        sender = payload.from_id
        if not self.me or not sender or sender in self._ours or payload.type != TEXT_MESSAGE:
            return False
        at = self._at(payload.timestamp)
        if self._clock.now() - at > self._age_limit:
            return False
        return not self._repeats.is_one(payload.room_id or sender, sender, payload.text, at)

    async def message(self, payload: Any) -> None:  # noqa: ANN401
        """A message that is news."""
        room, sender = payload.room_id, payload.from_id
        if room:
            await self.introduce(room)
            name = await self._names.member(room, sender)
            to_bot, text = await self._addressed(room, payload)
        else:
            name = await self._names.contact(sender)
            to_bot, text = False, clean(payload.text).strip()
        await self._tell(
            Message(
                account=self._account,
                chat=room or sender,
                id=payload.id,
                sender=Person(sender, name),
                text=text,
                at=self._at(payload.timestamp),
                to_bot=to_bot,
                private=not room,
            )
        )

    async def joined(self, payload: dict[str, Any]) -> None:
        """People came in. A gateway that does not say who, or names 小二, makes for a new roster."""
        room, ids = payload["roomId"], ids_of(payload.get("inviteeIdList"))
        at = self._at(payload.get("timestamp"))
        if not ids or self._is_me(ids):
            self._names.forget_room(room)
            await self._roster(room, at, fresh=True)
            return
        for person in ids:
            self._names.forget_member(room, person)
        await self.introduce(room, without=ids)
        people = tuple(
            [Person(person, await self._names.member(room, person)) for person in self._others(ids)]
        )
        if people:
            await self._tell(Joined(self._account, room, people, at))

    async def left(self, payload: dict[str, Any]) -> None:
        """People went. Where 小二 itself is among them, the room is no longer known."""
        room, ids = payload["roomId"], ids_of(payload.get("removeeIdList"))
        at = self._at(payload.get("timestamp"))
        if self._is_me(ids):
            self._is_out_of(room)
        elif ids:
            await self.introduce(room)
        else:
            await self._roster(room, at, fresh=True)
        people = tuple(Person(person, self._names.known(room, person)) for person in self._others(ids))
        for person in ids:
            self._names.forget_member(room, person)
        if people:
            await self._tell(Left(self._account, room, people, at))

    async def renamed(self, payload: dict[str, Any]) -> None:
        """A room has another title."""
        self._names.forget_room(payload["roomId"])
        await self._roster(payload["roomId"], self._at(payload.get("timestamp")))

    async def invited(self, invitation: str) -> None:
        """小二 is asked into a room."""
        payload = await self._link.fetch(
            "invitation",
            # PuppetService.room_invitation_payload raises on every answer.
            lambda puppet: puppet.puppet_stub.room_invitation_payload(id=invitation),
        )
        if payload is None:
            return
        inviter = payload.inviter_id
        name = await self._names.contact(inviter) if inviter else ""
        at = self._at(payload.timestamp)
        await self._tell(Invited(self._account, invitation, Person(inviter, name), clean(payload.topic), at))

    async def introduce(self, room: str, without: Iterable[str] = (), *, ours_only: bool = False) -> None:
        """Tell a room's roster if this login has not told it yet, or long ago.

        `without` are people of whom the next event will tell. `ours_only` passes over rooms that
        list their members, but not us: gateways remember rooms that the account has left.
        """
        now, until = self._clock.now(), self._told.get(room)
        if until is None or now >= until:
            await self._roster(room, now, without=without, fresh=until is not None, ours_only=ours_only)

    async def _roster(
        self, room: str, at: int, *, without: Iterable[str] = (), fresh: bool = False, ours_only: bool = False
    ) -> None:
        payload = await self._link.fetch("room", lambda puppet: puppet.room_payload(room))
        if payload is None:
            self._told[room] = self._clock.now() + ROSTER_RETRY
            return
        ids = ids_of(payload.member_ids)
        if fresh or not ids:
            # A gateway may have a room's payload in its cache; its member list it asks for.
            listed = await self._link.fetch("member list", lambda puppet: puppet.room_members(room))
            ids = ids_of(listed) or ids
        if ours_only and ids and not self._is_me(ids):
            self._is_out_of(room)
            return
        self._told[room] = self._clock.now() + ROSTER_GOOD_FOR
        self._rooms.add(room)
        members = [person for person in self._others(ids) if person not in without]
        await self._tell(
            Roster(
                account=self._account,
                chat=room,
                title=clean(payload.topic),
                owner=payload.owner_id,
                members=tuple(Person(person, self._names.known(room, person)) for person in members),
                at=at,
            )
        )

        # Another account of ours that logged in later was taken for one of them.
        if ours := tuple(Person(person) for person in ids if person in self._ours and person != self.me):
            await self._tell(Left(self._account, room, ours, at))

    async def _addressed(self, room: str, payload: Any) -> tuple[bool, str]:  # noqa: ANN401
        """Whether 小二 is called, and the text without the call at its head."""
        text, called = clean(payload.text).strip(), ids_of(payload.mention_ids)
        if called and self.me not in called:
            return False, text
        rest = None
        if text.startswith("@"):
            rest = after_mention(text, [await self._names.contact(self.me)])
            if rest is None:
                rest = after_mention(text, [await self._names.member(room, self.me)])
            if rest is None and called == (self.me,):
                rest = after_any_mention(text)
        # Some puppets leave `mention_ids` empty: then the name at the head is all there is.
        return bool(called) or rest is not None, text if rest is None else rest

    def _at(self, stamp: object) -> int:
        return moment(stamp, self._clock.now())

    def _is_out_of(self, room: str) -> None:
        self._rooms.discard(room)
        self._told.pop(room, None)

    def _is_me(self, ids: Iterable[str]) -> bool:
        return self.me in ids

    def _others(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Those who are people: not 小二, by any of its accounts."""
        return tuple(person for person in ids if person not in self._ours)

    async def _tell(self, event: Event) -> None:
        self._inbox.feed(event)
        await self._inbox.breathe(event)
