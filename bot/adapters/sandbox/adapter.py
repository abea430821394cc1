"""The sandbox: groups that live in the data folder, played from a page or over HTTP.

An adapter like any other: what is said here reaches 小二 as events, and what 小二 says is kept here.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from weakref import WeakValueDictionary

from bot.errors import Unsupported
from bot.model import (
    LONGEST,
    Announce,
    Joined,
    Left,
    Message,
    Outgoing,
    Person,
    Roster,
    Say,
    called,
    clean,
)
from bot.ports import (
    Clock,
    Inbox,
    SandboxGroup,
    SandboxMember,
    SandboxMessage,
    SandboxStore,
    State,
)

ACCOUNT = "sandbox"
BOT = Person("bot", "小二")
# So many lines of one chat are taken in at once; who floods a chat waits, and the other chats do not.
AT_ONCE = 256
# So many lines are read at once: who follows a long chat never holds all of it in memory.
PAGE = 250

# Typed by hand it must end somewhere (@小二哥 is somebody else); with the mention's id it need not.
_TYPED = re.compile(rf"[@＠]{BOT.name}(?=$|[\s,，:：])[\s,，:：]*")
_MENTIONED = re.compile(rf"[@＠]{BOT.name}[\s,，:：]*")


class Missing(Exception):
    """There is no such group or member; the text says which."""


class Impossible(Exception):
    """It cannot be done now; the text says why."""


class Sandbox:
    account = ACCOUNT
    state = State.ONLINE
    note = ""
    longest = LONGEST

    def __init__(self, store: SandboxStore, clock: Clock) -> None:
        self.since = clock.now()
        self._store = store
        self._clock = clock
        self._inbox: Inbox | None = None
        self._groups: dict[str, SandboxGroup] = {}
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._rooms: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._stopped = False

    # The adapter. ------------------------------------------------------------------------------------

    async def start(self, inbox: Inbox) -> None:
        """Show 小二 the groups, and again what it may not have handled when the process died."""
        self._inbox = inbox
        self._groups = {group.id: group for group in await self._store.groups()}
        for group in self._groups.values():
            inbox.feed(self._roster(group))
            # Who came or went while the process died has not been seen; the others are known.
            people = tuple(_person(member) for member in group.members)
            inbox.feed(Joined(ACCOUNT, group.id, people, self._clock.now()))
        for key, gone in await self._store.gone():
            inbox.feed(Left(ACCOUNT, key, (_person(gone),), self._clock.now()))
        here = {member.id for group in self._groups.values() for member in group.members}
        for message in await self._store.unhandled():
            # Who has left since must not be taken for somebody new.
            if message.sender in here:
                self._hand_over(message)
            else:
                self._store.handled(message.seq)

    async def stop(self) -> None:
        """Let go of whoever waits for something new, and keep what was handled."""
        self._stopped = True
        for chat in list(self._waiting):
            self._wake(chat)
        await self._store.flush()

    @property
    def stopped(self) -> bool:
        """Whether nobody is made to wait any more."""
        return self._stopped

    def sees(self, chat: str) -> bool:
        return chat in self._groups

    async def send(self, outgoing: Outgoing) -> None:
        """Show it as a line; an announcement is shown as its text."""
        if isinstance(outgoing, Announce):
            outgoing = Say(outgoing.chat, f"【群公告】\n{outgoing.text}")
        if not isinstance(outgoing, Say):
            raise Unsupported("沙箱里没有邀请")
        text = called(outgoing, [f"@{person.name} " for person in outgoing.mentions])
        await self._append(
            SandboxMessage(
                0,
                outgoing.chat,
                uuid.uuid4().hex,
                BOT.id,
                BOT.name,
                text,
                self._clock.now(),
                tuple(person.id for person in outgoing.mentions),
                str(outgoing.picture) if outgoing.picture else "",
                str(outgoing.file) if outgoing.file else "",
                outgoing.card,
            )
        )

    # What a person does here. ------------------------------------------------------------------------

    @property
    def groups(self) -> Sequence[SandboxGroup]:
        return list(self._groups.values())

    def group(self, group: str) -> SandboxGroup:
        """Raises Missing."""
        if group not in self._groups:
            raise Missing(f"没有群 {group}。")
        return self._groups[group]

    async def add_group(self, title: str, owner: str, members: Iterable[str]) -> SandboxGroup:
        """A new group with 小二 in it; returns when 小二 has seen who is there."""
        others = [name for name in dict.fromkeys(map(clean, members)) if name != clean(owner)]
        group = await self._store.add_group(clean(title), clean(owner), others)
        self._groups[group.id] = group
        await self._feed(self._roster(group))
        return group

    async def join(self, group: str, name: str) -> SandboxMember:
        """Somebody comes into a group. Raises Missing, Impossible when the name is there already."""
        found, name = self.group(group), clean(name)
        if any(member.name == name for member in found.members):
            raise Impossible(f"群里已经有 {name} 了。")
        member = await self._store.add_member(group, name)
        # Others may have come or gone in the meantime.
        found = self._groups[group]
        if any(one.id == member.id for one in found.members):
            raise Impossible(f"群里已经有 {name} 了。")
        self._groups[group] = SandboxGroup(found.id, found.title, (*found.members, member))
        await self._feed(Joined(ACCOUNT, group, (_person(member),), self._clock.now()))
        return member

    async def leave(self, group: str, member: str) -> None:
        """Somebody goes. Raises Missing."""
        gone = self.member(group, member)
        await self._store.remove_member(gone.id)
        found = self._groups[group]
        left = tuple(one for one in found.members if one.id != gone.id)
        self._groups[group] = SandboxGroup(found.id, found.title, left)
        await self._feed(Left(ACCOUNT, group, (_person(gone),), self._clock.now()))

    def member(self, group: str, member: str) -> SandboxMember:
        """Somebody in a group, by id or else by name. Raises Missing."""
        members = self.group(group).members
        for field in ("id", "name"):
            for one in members:
                if getattr(one, field) == member:
                    return one
        raise Missing(f"群 {group} 里没有 {member}。")

    def anybody(self, member: str) -> SandboxMember:
        """Somebody in any group, by id. Raises Missing."""
        for group in self._groups.values():
            for one in group.members:
                if one.id == member:
                    return one
        raise Missing(f"没有成员 {member}。")

    async def say(
        self,
        group: str,
        member: str,
        text: str,
        mentions: Sequence[str] = (),
        key: str = "",
        *,
        handled: bool = False,
    ) -> str:
        """A member writes in a group; the answer is the message's id. Raises Missing.

        Returns when the line is kept or, with `handled`, when 小二 is done with it.
        """
        sender = self.member(group, member)
        return await self._say(group, sender, text, mentions, key, wait=handled)

    async def say_privately(self, member: str, text: str) -> str:
        """Somebody writes to 小二 alone. Raises Missing."""
        sender = self.anybody(member)
        return await self._say(sender.id, sender, text, (), "", wait=False)

    async def picture(self, chat: str, seq: int) -> Path:
        """The picture that came with a line. Raises Missing."""
        if (message := await self._line(chat, seq)) and message.picture:
            return Path(message.picture)
        raise Missing("没有这张图片。")

    async def file(self, chat: str, seq: int) -> Path:
        """The file that came with a line. Raises Missing."""
        if (message := await self._line(chat, seq)) and message.file:
            return Path(message.file)
        raise Missing("没有这个文件。")

    async def messages(self, chat: str, after: int, wait: float = 0) -> Sequence[SandboxMessage]:
        """What was said in a chat after a `seq`, the first PAGE lines of it.

        With `wait` it is held for so many seconds until there is any.
        """
        found = await self._store.messages(chat, after, PAGE)
        if found or not wait or self._stopped:
            return found
        new: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(chat, [])
        waiting.append(new)
        try:
            # Something may have come between the look and the wait.
            found = await self._store.messages(chat, after, PAGE)
            if not found:
                await asyncio.wait_for(new, wait)
        except TimeoutError:
            return []
        finally:
            if new in waiting:
                waiting.remove(new)
            if not waiting and self._waiting.get(chat) is waiting:
                del self._waiting[chat]
        return found or await self._store.messages(chat, after, PAGE)

    async def messages_before(self, chat: str, seq: int, most: int) -> Sequence[SandboxMessage]:
        """The last lines of a chat before a `seq`."""
        return await self._store.messages_before(chat, seq, most)

    # Inside. -----------------------------------------------------------------------------------------

    async def _line(self, chat: str, seq: int) -> SandboxMessage | None:
        found = await self._store.messages(chat, seq - 1, 1)
        return next((message for message in found if message.seq == seq), None)

    async def _say(
        self, chat: str, sender: SandboxMember, text: str, mentions: Sequence[str], key: str, *, wait: bool
    ) -> str:
        message = SandboxMessage(
            0,
            chat,
            clean(key) or uuid.uuid4().hex,
            sender.id,
            sender.name,
            clean(text),
            self._clock.now(),
            tuple(map(clean, mentions)),
        )
        async with self._rooms.setdefault(chat, asyncio.Semaphore(AT_ONCE)):
            seq = await self._append(message)
            if not seq:
                return message.id  # said before, under this id
            event, handled = self._hand_over(replace(message, seq=seq))
            if wait and handled is not None:
                await handled
            assert self._inbox is not None
            await self._inbox.breathe(event)
        return message.id

    async def _append(self, message: SandboxMessage) -> int:
        seq = await self._store.append(message)
        self._wake(message.chat)
        return seq

    def _hand_over(self, message: SandboxMessage) -> tuple[Message, Awaitable[object] | None]:
        """Feed a member's line, and note when it needs no second reading."""
        assert self._inbox is not None
        mentioned = BOT.id in message.mentions
        text, called = (_MENTIONED if mentioned else _TYPED).subn("", message.text, count=1)
        event = Message(
            ACCOUNT,
            message.chat,
            message.id,
            Person(message.sender, message.name),
            text.strip() if called else message.text,
            message.at,
            to_bot=bool(called) or mentioned,
            private=message.chat not in self._groups,
        )
        handled = self._inbox.feed(event)
        if handled is None:
            self._store.handled(message.seq)
        else:
            handled = asyncio.ensure_future(handled)
            handled.add_done_callback(lambda _: self._store.handled(message.seq))
        return event, handled

    async def _feed(self, event: Roster | Joined | Left) -> None:
        assert self._inbox is not None
        handled = self._inbox.feed(event)
        if handled is not None:
            await handled

    def _roster(self, group: SandboxGroup) -> Roster:
        owner = next((member.id for member in group.members if member.role == "owner"), "")
        people = tuple(_person(member) for member in group.members)
        return Roster(ACCOUNT, group.id, group.title, owner, people, self._clock.now())

    def _wake(self, chat: str) -> None:
        for new in self._waiting.pop(chat, ()):
            if not new.done():
                new.set_result(None)


def _person(member: SandboxMember) -> Person:
    return Person(member.id, member.name)
