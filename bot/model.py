"""Events in, replies and effects out: frozen values that every room speaks.

What is made for every message is a named tuple, which takes a third of the time of a frozen dataclass.

A moment is an integer: microseconds since 1970-01-01 UTC. An id that comes from a platform is a
string; an id of our own is an integer. A chat is named by its account and the platform's id: of
the room for a group, of the other person for a private chat.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

Value = str | int
Values = Mapping[str, Value]
NOTHING: Values = MappingProxyType({})


class Role(IntEnum):
    """What somebody may ask of 小二 in one group; each role may do what the ones before it may."""

    NEWCOMER = 0
    MEMBER = 1
    OWNER = 2


class Person(NamedTuple):
    """Somebody as the platform knows them. The name may be empty where it was not looked up."""

    id: str
    name: str = ""


# Who is called when all are. A platform that cannot do it leaves the mention out.
EVERYONE = Person("all", "所有人")


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in one group, under our own id; `person` is the platform's id."""

    id: int
    person: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Group:
    """One group under our own id, and what its owner has set in the chat.

    `opened_at` is 0 before 开张; `password` is normalised, and empty when there is none; `timezone`
    is empty when the group follows the configuration.
    """

    id: int
    account: str
    chat: str
    title: str = ""
    owner: str = ""
    opened_at: int = 0
    paused: bool = False
    password: str = ""
    rules: str = ""
    rules_version: int = 0
    timezone: str = ""


def names_of(group: Group) -> tuple[str, str]:
    """By what the operators' files may call a group: its title, or its account and chat."""
    return group.title, f"{group.account}/{group.chat}"


# Events: what adapters report. ---------------------------------------------------------------


class Spoken(NamedTuple):
    """What a message is known by before it is handled: its mark, and who spoke where by our own ids."""

    account: str
    chat: str
    message: str
    group: int
    member: int


class Message(NamedTuple):
    """Somebody wrote something. `at` is when the platform says it was sent.

    `text` is what was typed, without the mention of 小二 at its head: `to_bot` says that there
    was one. In a private chat, `chat` is the sender's id.
    """

    account: str
    chat: str
    id: str
    sender: Person
    text: str
    at: int
    to_bot: bool = False
    private: bool = False


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is in a group now: sent when an account first sees a group, and at each login.

    `owner` is empty where the platform does not tell; `members` leaves 小二 itself out.
    """

    account: str
    chat: str
    title: str
    owner: str
    members: tuple[Person, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Joined:
    """People came into a group."""

    account: str
    chat: str
    people: tuple[Person, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Left:
    """People went, or were taken, out of a group."""

    account: str
    chat: str
    people: tuple[Person, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Invited:
    """小二 is asked into a group that it does not see yet. `id` names the invitation."""

    account: str
    id: str
    inviter: Person
    title: str
    at: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """Pictures of a week were drawn for a group, each with its name among those drawn, and its title.

    `key` is what they are sent by, once; `week` is the week in words.
    """

    account: str
    chat: str
    key: str
    week: str
    pictures: tuple[tuple[str, str], ...]
    at: int


Event = Message | Roster | Joined | Left | Invited | Drawn


# Events of our own: the alarm brings them. ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Timer:
    """A moment that a handler asked for; `subject` is the row that it is about."""

    id: int
    group: int
    kind: str
    subject: int
    due: int
    attempts: int = 0


class Occurrence(NamedTuple):
    """One slot of the calendar in one group at one local date and time.

    `slot` is the slot's key, `local` is `2026-11-24T20:00` in the group's time zone. `do` names an
    activity, or `post` a post, or `warm` what is announced before it comes: `2026-11-25T10:00 do:<activity>`.
    `late` is how long after `due` it may still run. `skip` says why it will not run at all, `note` what else
    there is to know. Of several at one moment, those with the higher `priority` go first.
    """

    slot: str
    group: int
    local: str
    due: int
    late: int
    do: str = ""
    post: str = ""
    skip: str = ""
    warm: str = ""
    priority: int = 0
    note: str = ""

    @property
    def what(self) -> str:
        """`do:<activity>`, `post:<post>` or `warm:<when> <what>`."""
        kinds = {"do": self.do, "warm": self.warm}
        return next((f"{kind}:{name}" for kind, name in kinds.items() if name), f"post:{self.post}")


# Replies and effects: what handlers return. ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Card:
    """A link as chats show it. `thumbnail` is the address of a small picture."""

    title: str
    url: str
    description: str = ""
    thumbnail: str = ""


class Reply(NamedTuple):
    """Something to say: a key of the texts (or a text as it stands) and the values in it.

    `to` is called by name at the head, or `EVERYONE`. `picture` and `file` are paths in the library,
    `drawn` is the name of a picture that 小二 drew itself. `occurrence` ties the message to a slot's
    occurrence, whose outcome follows the message's; `about` names what is void when the message never goes
    out; `step` is which of several messages of a post it is, from 1.
    """

    text: str
    values: Values = NOTHING
    to: Person | None = None
    picture: str = ""
    file: str = ""
    card: Card | None = None
    verbatim: bool = False
    private: bool = False
    occurrence: int = 0
    about: str = ""
    send_before: int = 0
    drawn: str = ""
    step: int = 0


@dataclass(frozen=True, slots=True)
class Accept:
    """Accept an invitation into a group."""

    invitation: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Put a text up as the group's announcement. A handler leaves `chat` out: it means its own group."""

    text: str
    chat: str = ""


Effect = Reply | Accept | Announce
Result = None | Effect | Sequence[Effect]


def effects_of(result: Result) -> Sequence[Effect]:
    """What a handler returned, one after the other."""
    if result is None:
        return ()
    return (result,) if isinstance(result, Effect) else result


# What one message may hold: 微信 cuts off what is longer (docs/how-it-works.md says who found that).
LONGEST = 2000

# What the outbox hands to an adapter. ---------------------------------------------------------


class Say(NamedTuple):
    """One message, ready to go: `mentions` are called at the head, before `text`.

    With `places` each is called where it says, a position in the text; they stand in order. How a
    mention is written differs by platform, so the adapter writes it (see `called`). Picture, file
    and card go out after the text in this order, as messages of their own where the platform wants
    that.
    """

    chat: str
    text: str
    private: bool = False
    mentions: tuple[Person, ...] = ()
    places: tuple[int, ...] = ()
    picture: Path | None = None
    file: Path | None = None
    card: Card | None = None


Outgoing = Say | Accept | Announce


def called(say: Say, calls: Sequence[str]) -> str:
    """The text of a message with its mentions in their places, each as the platform writes it."""
    if not say.places:
        return "".join(calls) + say.text
    parts, last = [], 0
    for place, call in zip(say.places, calls, strict=True):
        parts += [say.text[last:place], call]
        last = place
    return "".join(parts) + say.text[last:]


_UNSAFE = re.compile("[\0\ud800-\udfff]")


def clean(text: str) -> str:
    """Text that any database and any JSON can hold: adapters pass everything through here."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)


_VARIABLE = re.compile(r"\{([a-z_]+)\}")


def fill(text: str, values: Values) -> str:
    """Put values into a text: `{name}` alone is replaced, so a text can reach nothing else.

    A value is never read again, whatever stands in it.
    """
    parts = _parts(text)
    if len(parts) == 1:
        return text
    filled = list(parts)
    for place in range(1, len(parts), 2):
        name = parts[place]
        filled[place] = str(values[name]) if name in values else f"{{{name}}}"
    return "".join(filled)


@lru_cache(1024)
def _parts(text: str) -> list[str]:
    """What stands between the names of values, and the names, in turn."""
    return _VARIABLE.split(text)
