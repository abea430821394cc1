"""The protocols between the rooms: what can be replaced, in tests or by another platform."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.model import Card, Event, Outgoing


class Clock(Protocol):
    """What time it is, in microseconds UTC. It never goes back."""

    def now(self) -> int: ...

    async def sleep_until(self, moment: int) -> None: ...


class Inbox(Protocol):
    """Where adapters bring events."""

    def feed(self, event: Event) -> Awaitable[object] | None:
        """Take an event in. The answer is None for chatter, or ends when it is committed."""

    async def breathe(self, event: Event) -> None:
        """Return when the event's group has room for more: at once, unless it is flooded."""


class State(StrEnum):
    """How an account stands."""

    CONNECTING = "connecting"
    """On the way: the gateway was not heard from yet, or did not say yet who is logged in."""
    ONLINE = "online"
    SCAN = "scan"
    """It waits for somebody to scan a code with the phone."""
    LOGGED_OUT = "logged_out"
    GONE = "gone"
    """The gateway is away, or the adapter stopped."""


class Adapter(Protocol):
    """One account on one platform. It translates between the platform and events, and decides nothing.

    `longest` is how many characters one message of this platform may have, mentions and all.
    """

    account: str
    longest: int

    @property
    def state(self) -> State:
        """How the account stands now."""

    @property
    def since(self) -> int:
        """Since when it stands so."""

    @property
    def note(self) -> str:
        """What more an operator should know: why it is gone, or the link to scan."""

    def sees(self, chat: str) -> bool:
        """Whether the account is in a group, as far as the platform has told."""

    async def start(self, inbox: Inbox) -> None:
        """Begin to feed events. Returns once it is under way, connected or not."""

    async def stop(self) -> None:
        """Stop feeding and let go of the platform, without logging the account out."""

    async def send(self, outgoing: Outgoing) -> None:
        """Carry one thing out, once. Raises NotSent (TooFast among it), Unsure or Unsupported."""


# What the sandbox keeps on disk. ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SandboxMember:
    """Somebody in a sandbox group. `role` is `owner` or `member`."""

    id: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class SandboxGroup:
    """A group of the sandbox and who is in it now."""

    id: str
    title: str
    members: tuple[SandboxMember, ...]


@dataclass(frozen=True, slots=True)
class SandboxMessage:
    """One line in a sandbox chat. `sender` is a member's id, or `bot`; `seq` counts up over all chats.

    `picture` and `file` are paths.
    """

    seq: int
    chat: str
    id: str
    sender: str
    name: str
    text: str
    at: int
    mentions: tuple[str, ...] = ()
    picture: str = ""
    file: str = ""
    card: Card | None = None


class SandboxStore(Protocol):
    """The sandbox's own world, kept so that it survives a crash. Every write is durable when it returns."""

    async def groups(self) -> Sequence[SandboxGroup]: ...

    async def gone(self) -> Sequence[tuple[str, SandboxMember]]:
        """Who has left, each with their group."""

    async def add_group(self, title: str, owner: str, members: Sequence[str]) -> SandboxGroup: ...

    async def add_member(self, group: str, name: str) -> SandboxMember: ...

    async def remove_member(self, member: str) -> None: ...

    async def append(self, message: SandboxMessage) -> int:
        """Keep a line; the answer is its `seq`, or 0 when the chat has a line with this id already."""

    def handled(self, seq: int) -> None:
        """Note that a member's line needs no second reading after a crash."""

    async def flush(self) -> None:
        """Keep what `handled` noted, which else is kept with the next line."""

    async def messages(self, chat: str, after: int, most: int) -> Sequence[SandboxMessage]:
        """The first lines of a chat after a `seq`, so many at most."""

    async def messages_before(self, chat: str, seq: int, most: int) -> Sequence[SandboxMessage]:
        """The last lines of a chat before a `seq`, so many at most."""

    async def unhandled(self) -> Sequence[SandboxMessage]:
        """Members' lines that were kept when the process died, but perhaps not handled."""

    async def offset(self) -> int: ...

    async def save_offset(self, offset: int) -> None: ...
