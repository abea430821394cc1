"""The far side of the network in a rehearsal: groups, what is written in them, and an adapter to them.

It goes on while 小二 is down. What 小二 did not get to the end of, it is told again at its next start.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from bot.errors import Unsupported
from bot.model import (
    LONGEST,
    Announce,
    Event,
    Joined,
    Left,
    Message,
    Outgoing,
    Person,
    Roster,
    Say,
    called,
    fill,
)
from bot.ports import Inbox, State
from bot.rehearsal.crash import Fate
from bot.rehearsal.virtual import VirtualLoop

if TYPE_CHECKING:
    from storage.settling import Listed

BOT = "小二"
AT_BOT = f"@{BOT} "
Key = tuple[str, str]  # account and chat


class Act(NamedTuple):
    """Somebody writes `text` in a group at a moment; or comes or goes, as `does` says."""

    at: int
    key: Key
    who: Person
    text: str = ""
    does: str = "says"  # or joins, leaves, whispers (to 小二 alone)


class Line(NamedTuple):
    """What can be read in a group. `key` is that of the group, `who` a name; `answer` is what calls somebody."""

    at: int
    key: Key
    who: str
    text: str
    answer: bool = False


class World:
    """`groups` are rosters as they stand before anything happens."""

    def __init__(self, groups: Sequence[Roster], end: int, fate: Fate) -> None:
        self.lines: list[Line] = []
        self.adapters: dict[str, Platform] = {}
        self._here = {
            (one.account, one.chat): {person.id: person for person in one.members} for one in groups
        }
        self._groups = {(one.account, one.chat): one for one in groups}
        self._end = end
        self._coming: dict[int, Act] = {}
        self._unheard: dict[int, Event] = {}
        self._count = 0
        self._awake = False
        for account, _ in self._groups:
            self.adapters.setdefault(account, Platform(account, self, fate))

    @property
    def loop(self) -> VirtualLoop:
        return self._loop

    @loop.setter
    def loop(self, loop: VirtualLoop) -> None:
        """Another process: nothing happens until it has started."""
        self._loop = loop
        self._awake = False

    def wake(self) -> None:
        """Go on."""
        self._awake = True
        for number, act in self._coming.items():
            self._loop.at(act.at, self._do, number)

    def plan(self, acts: Iterable[Act]) -> None:
        """Have people do something at its moment; what is too late for the rehearsal, they do not."""
        for act in acts:
            if act.at < self._end:
                self._count += 1
                self._coming[self._count] = act
                if self._awake:
                    self._loop.at(act.at, self._do, self._count)

    def has(self, key: Key) -> bool:
        """Whether there is such a group."""
        return key in self._groups

    def show(self, key: Key, text: str, *, answer: bool) -> None:
        """小二 has said something."""
        self.lines.append(Line(self._loop.now, key, BOT, text, answer))

    def has_read(self, row: Listed) -> bool:
        """Whether members have read a message, alone or as a part of another one."""
        key, text = (row.account, row.chat), fill(row.body.get("text", ""), row.body.get("values", {}))
        if row.body.get("private"):
            return True
        for line in reversed(self.lines):
            if line.at < row.at:
                return False
            if line.key == key and line.who == BOT:
                return text in line.text or ("to" in row.body and row.body["to"][1] in line.text)
        return False

    @property
    def unheard(self) -> list[Event]:
        """What 小二 did not get to the end of, in order."""
        return list(self._unheard.values())

    def connect(self, account: str, inbox: Inbox) -> None:
        """Tell who is in the groups of an account, and again what may not have been handled."""
        for (owner, _), group in self._groups.items():
            if owner == account:
                inbox.feed(self._roster(group))
        for number, event in list(self._unheard.items()):
            if event.account == account:
                self._feed(number, event)

    def _do(self, number: int) -> None:
        act = self._coming.pop(number)
        here = self._here[act.key]
        if (act.who.id in here) == (act.does == "joins"):
            return  # who is gone says no more
        account, chat = act.key
        if act.does == "joins":
            here[act.who.id] = act.who
            event: Event = Joined(account, chat, (act.who,), act.at)
        elif act.does == "leaves":
            del here[act.who.id]
            event = Left(account, chat, (act.who,), act.at)
        else:
            event = self._said(number, act)
        self._unheard[number] = event
        self._feed(number, event)

    def _said(self, number: int, act: Act) -> Message:
        account, chat = act.key
        private = act.does == "whispers"
        if not private:
            self.lines.append(Line(act.at, act.key, act.who.name, act.text))
        to_bot = act.text.startswith(AT_BOT)
        return Message(
            account,
            act.who.id if private else chat,
            f"m{number}",
            act.who,
            act.text.removeprefix(AT_BOT),
            act.at,
            to_bot=to_bot,
            private=private,
        )

    def _feed(self, number: int, event: Event) -> None:
        handled = self.adapters[event.account].inbox.feed(event)
        if handled is None:
            del self._unheard[number]
        else:
            self._loop.create_task(self._hear(number, handled))

    async def _hear(self, number: int, handled: Awaitable[object]) -> None:
        await handled
        self._unheard.pop(number, None)

    def _roster(self, group: Roster) -> Roster:
        """Who is in a group, but for those of whom 小二 has not heard that they came."""
        coming = {
            person.id
            for event in self._unheard.values()
            if isinstance(event, Joined) and (event.account, event.chat) == (group.account, group.chat)
            for person in event.people
        }
        here = self._here[group.account, group.chat].values()
        people = tuple(person for person in here if person.id not in coming)
        return Roster(group.account, group.chat, group.title, group.owner, people, self._loop.now)


class Platform:
    """One account in this world: an adapter that carries everything out at once."""

    state = State.ONLINE
    note = ""
    longest = LONGEST
    inbox: Inbox

    def __init__(self, account: str, world: World, fate: Fate) -> None:
        self.account = account
        self.since = 0
        self._world = world
        self._fate = fate

    def sees(self, chat: str) -> bool:
        return self._world.has((self.account, chat))

    async def start(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self._world.connect(self.account, inbox)

    async def stop(self) -> None:
        """Nothing is held."""

    async def send(self, outgoing: Outgoing) -> None:
        """Show it in its group, where a file is a line with its name."""
        if isinstance(outgoing, Announce):
            outgoing = Say(outgoing.chat, f"【群公告】\n{outgoing.text}")
        if not isinstance(outgoing, Say):
            raise Unsupported("演练里没有邀请")
        self._fate.step()
        if not outgoing.private:
            self._world.show((self.account, outgoing.chat), _shown(outgoing), answer=bool(outgoing.mentions))
        self._fate.step()


def _shown(say: Say) -> str:
    text = called(say, [f"@{person.name} " for person in say.mentions])
    attached = [f"［{path.name}］" for path in (say.picture, say.file) if path]
    if say.card is not None:
        attached.append(f"［{say.card.title}］")
    return "\n".join(filter(None, (text, *attached)))
