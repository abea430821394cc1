"""Routers: what each handler file answers to. `Routes` is all of them put together, checked at start."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from bot.dispatch.lanes import Lane
from bot.dispatch.text import LONGEST, plain, spellings, words
from bot.model import Drawn, Invited, Joined, Left, Member, Message, Result, Role, Roster, Timer

if TYPE_CHECKING:
    from bot.dispatch.turn import PrivateTurn, Turn

OnMessage = Callable[[Message, "Turn"], Result]
OnPrivate = Callable[[Message, "PrivateTurn"], Result]
OnTimer = Callable[[Timer, "Turn"], Result]
OnSlot = Callable[[Any, "Turn"], Result]
OnEvent = Callable[[Any, Any], Result]
H = TypeVar("H", bound=Callable[..., Result])

_NUMBERED = re.compile(r"(\D+?)([-+]?\d.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """One way to ask for something by name.

    `role` is who may; `rest` says that more words may follow; `talk` marks everyday words, which
    are a command only from who may give it, or with @小二; `early` that it works before 开张.
    """

    name: str
    handler: OnMessage
    role: Role = Role.MEMBER
    rest: bool = False
    talk: bool = False
    early: bool = False


@dataclass(frozen=True, slots=True)
class Listener:
    """Ordinary text that a handler waits for; `match` gets it in plain form, and the topic's value.

    With `only`, it is talk when anybody of another role says it.
    """

    name: str
    match: Callable[[str, str], bool]
    handler: OnMessage
    only: Role | None = None

    def hears(self, member: Member | None) -> bool:
        """Whether it is meant for somebody; who was never seen is a newcomer."""
        return self.only is None or self.only == (member.role if member else Role.NEWCOMER)


@dataclass(slots=True)
class Router:
    """What one handler file owns: its commands, listeners, timers, slots, events and default texts."""

    name: str
    texts: Mapping[str, str] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    privately: dict[str, OnPrivate] = field(default_factory=dict)
    listeners: dict[str, Listener] = field(default_factory=dict)
    timers: dict[str, OnTimer] = field(default_factory=dict)
    slots: dict[str, tuple[type[Any], OnSlot]] = field(default_factory=dict)
    events: dict[type[Any], OnEvent] = field(default_factory=dict)

    def command(
        self,
        *names: str,
        role: Role = Role.MEMBER,
        rest: bool = False,
        talk: bool = False,
        early: bool = False,
    ) -> Callable[[H], H]:
        def register(handler: H) -> H:
            for name in names:
                command = Command(self.name, handler, role, rest, talk, early)
                _once(self.commands, plain(name), command)
            return handler

        return register

    def private(self, *names: str) -> Callable[[H], H]:
        """The same words in a private chat with 小二."""

        def register(handler: H) -> H:
            for name in names:
                _once(self.privately, plain(name), handler)
            return handler

        return register

    def listener(
        self, topic: str, match: Callable[[str, str], bool], only: Role | None = None
    ) -> Callable[[H], H]:
        return lambda handler: _once(
            self.listeners, topic, Listener(self.name, match, handler, only), handler
        )

    def timer(self, kind: str) -> Callable[[H], H]:
        return lambda handler: _once(self.timers, kind, handler, handler)

    def slot(self, kind: str, definition: type[Any]) -> Callable[[H], H]:
        """Start an activity of this kind, from the calendar or by the owner's word."""
        return lambda handler: _once(self.slots, kind, (definition, handler), handler)

    def on(self, event: type[Roster | Joined | Left | Invited | Drawn]) -> Callable[[H], H]:
        return lambda handler: _once(self.events, event, handler, handler)


class Routes:
    """All routers in one table. Two that claim the same word are an error at start."""

    def __init__(self, routers: Sequence[Router]) -> None:
        self.commands: dict[str, Command] = {}
        self.private: dict[str, OnPrivate] = {}
        self.listeners: dict[str, Listener] = {}
        self.timers: dict[str, OnTimer] = {}
        self.slots: dict[str, tuple[type[Any], OnSlot]] = {}
        self.events: dict[type[Any], OnEvent] = {}
        self.texts: dict[str, str] = {}
        for router in routers:
            for ours, theirs in (
                (self.commands, router.commands),
                (self.private, router.privately),
                (self.listeners, router.listeners),
                (self.timers, router.timers),
                (self.slots, router.slots),
                (self.events, router.events),
                (self.texts, router.texts),
            ):
                for key, value in theirs.items():
                    _once(ours, key, value)
        # What a command begins with: most talk begins with something else, and is looked at no further.
        self._heads = spellings(name[0] for name in self.commands)
        self._longer = spellings(name[0] for name, command in self.commands.items() if command.rest)

    @property
    def called(self) -> tuple[Command, str]:
        """Who answers when somebody calls 小二 and says nothing that is known."""
        return self.commands["小二"], ""

    def match(self, lane: Lane, message: Message) -> tuple[Command | Listener, str] | None:
        """Who answers a message, and the words behind the command. None is chatter.

        Runs for every message of every group, so nothing here is slow or makes anything.
        """
        text = message.text
        head = text[:1]
        listening = lane.listening if lane.group.opened_at else None
        if (listening or head in self._heads) and len(text) <= LONGEST:
            flat = plain(text)
            command = self.commands.get(flat)
            if command is not None:
                return command, ""
            if listening:
                for topic, value in listening.items():
                    listener = self.listeners[topic]
                    if listener.match(flat, value) and listener.hears(lane.members.get(message.sender.id)):
                        return listener, flat
        return self.with_rest(text) if head in self._longer else None

    def with_rest(self, text: str) -> tuple[Command, str] | None:
        """A command that more words follow: `开张 理财`, `发红包100 10`."""
        head, rest = words(text)
        if not head:
            return None
        command = self.commands.get(head)
        if command is None and (numbered := _NUMBERED.fullmatch(head)):
            command = self.commands.get(numbered[1])
            rest = f"{numbered[2]} {rest}".strip()
        if command is None or not command.rest:
            return None
        return command, rest


def _once(table: dict[Any, Any], key: object, value: object, answer: Any = None) -> Any:  # noqa: ANN401
    if key in table:
        raise ValueError(f"two handlers claim {key!r}")
    table[key] = value
    return answer
