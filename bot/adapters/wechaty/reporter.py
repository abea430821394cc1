"""Tells the inbox what happened in a room: called in that room's lane, so in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot.adapters.wechaty.link import Link
from bot.adapters.wechaty.names import Names
from bot.adapters.wechaty.reading import after_any_mention, after_mention, ids_of, moment
from bot.model import Event, Invited, Joined, Left, Message, Person, Roster, clean
from bot.ports import Clock, Inbox

# As gateways count; the numbers in wechaty_grpc 0.20 are others.
TEXT_MESSAGE = 7


class Reporter:
    """One account's view: a room's first event in a login is preceded by its roster.

    `me` is who was last logged in. It outlasts a lost connection, as does what was heard before.
    """

    def __init__(
        self, account: str, inbox: Inbox, clock: Clock, *, link: Link, names: Names, age_limit: int
    ) -> None:
        self._account = account
        self._link = link
        self._names = names
        self._clock = clock
        self._age_limit = age_limit
        self._inbox = inbox
        self._introduced: set[str] = set()
        self.me: Person | None = None

    def login(self, me: Person) -> None:
        """From here on it is this account, and every room is told anew."""
        self.me = me
        self._introduced.clear()

    def is_news(self, payload: Any) -> bool:  # noqa: ANN401 - wechaty ships no types
        """Whether a message is for us: somebody else's text, and not an old one replayed."""
        if self.me is None or not payload.from_id or payload.from_id == self.me.id:
            return False
        age = self._clock.now() - self._at(payload.timestamp)
        return payload.type == TEXT_MESSAGE and age <= self._age_limit

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
        people = tuple([Person(person, await self._names.member(room, person)) for person in ids])
        await self._tell(Joined(self._account, room, people, at))

    async def left(self, payload: dict[str, Any]) -> None:
        """People went. Where 小二 itself is among them, the room is no longer known."""
        room, ids = payload["roomId"], ids_of(payload.get("removeeIdList"))
        at = self._at(payload.get("timestamp"))
        if self._is_me(ids):
            self._introduced.discard(room)
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
        """Tell a room's roster if this login has not told it yet.

        `without` are people of whom the next event will tell. `ours_only` passes over rooms that
        list their members, but not us: gateways remember rooms that the account has left.
        """
        if room not in self._introduced:
            await self._roster(room, self._clock.now(), without=without, ours_only=ours_only)

    async def _roster(
        self, room: str, at: int, *, without: Iterable[str] = (), fresh: bool = False, ours_only: bool = False
    ) -> None:
        payload = await self._link.fetch("room", lambda puppet: puppet.room_payload(room))
        if payload is None:
            return
        ids = ids_of(payload.member_ids)
        if fresh or not ids:
            # A gateway may have a room's payload in its cache; its member list it asks for.
            listed = await self._link.fetch("member list", lambda puppet: puppet.room_members(room))
            ids = ids_of(listed) or ids
        if ours_only and ids and not self._is_me(ids):
            return
        self._introduced.add(room)
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

    async def _addressed(self, room: str, payload: Any) -> tuple[bool, str]:  # noqa: ANN401
        """Whether 小二 is called, and the text without the call at its head."""
        text, called = clean(payload.text).strip(), ids_of(payload.mention_ids)
        if self.me is None or (called and self.me.id not in called):
            return False, text
        rest = None
        if text.startswith("@"):
            rest = after_mention(text, [self.me.name])
            if rest is None:
                rest = after_mention(text, [await self._names.member(room, self.me.id)])
            if rest is None and called == (self.me.id,):
                rest = after_any_mention(text)
        # Some puppets leave `mention_ids` empty: then the name at the head is all there is.
        return bool(called) or rest is not None, text if rest is None else rest

    def _at(self, stamp: object) -> int:
        return moment(stamp, self._clock.now())

    def _is_me(self, ids: Iterable[str]) -> bool:
        return self.me is not None and self.me.id in ids

    def _others(self, ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(person for person in ids if self.me is None or person != self.me.id)

    async def _tell(self, event: Event) -> None:
        self._inbox.feed(event)
        await self._inbox.breathe(event)
