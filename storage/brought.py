"""What a report of a week is made of: what each occurrence brought, and who did what."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Brought:
    """One occurrence, and what it brought. `sent_at` and `hooked_at` are 0 for never.

    `kind` is quiz, red_packet, sign_in, or post for what nobody takes part in. `members` were in the group
    then. `messages` came in the hour after, `around_hook` in the five minutes of the clock in which its hook
    went out; None where that is not known (any more). `unhooked` says why a hook did not go out.
    """

    slot: str
    local: str
    due: int
    what: str
    state: str
    reason: str
    sent_at: int
    members: int
    hooked_at: int
    kind: str = "post"
    players: set[int] = field(default_factory=set)
    answers: int = 0
    right: int = 0
    paid: int = 0
    messages: int | None = None
    around_hook: int | None = None
    unhooked: str = ""

    @property
    def played(self) -> bool:
        """Whether members could take part in it."""
        return self.kind != "post" and self.state in ("sent", "late", "unknown")


@dataclass(frozen=True, slots=True)
class Ranked:
    """Somebody who did something in the week: points got, and messages written."""

    name: str
    points: int
    messages: int


@dataclass(slots=True)
class Week:
    """A group's week. `players` took part in anything, `wrote` wrote anything; `points` is all they got."""

    occurrences: list[Brought]
    members: int = 0
    joined: int = 0
    sign_ins: int = 0
    players: set[int] = field(default_factory=set)
    wrote: int = 0
    messages: int = 0
    points: int = 0
    top: list[Ranked] = field(default_factory=list)

    @property
    def active(self) -> bool:
        """Whether there is more to tell than that people talked."""
        return bool(self.occurrences or self.players)
