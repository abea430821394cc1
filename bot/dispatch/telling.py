"""What the log says of an event, the same wherever one is told of."""

from __future__ import annotations

from bot.dispatch.lanes import Lane
from bot.model import Invited, Joined, Left, Message


def kind_of(event: type) -> str:
    """`message`, `joined`, `occurrence`, …: the name in the log and in /metrics."""
    return event.__name__.lower()


def about(event: object, lane: Lane | None) -> dict[str, object]:
    """Which group (our id) and whom an event is about: our id of a member, the platform's of others."""
    found: dict[str, object] = {"kind": kind_of(type(event))}
    if lane is not None:
        found["group"] = lane.group.id
    if isinstance(event, Message):
        member = lane.members.get(event.sender.id) if lane is not None else None
        found["member"] = member.id if member is not None else event.sender.id
    elif isinstance(event, Joined | Left):
        found["member"] = [person.id for person in event.people]
    elif isinstance(event, Invited):
        found["member"] = event.inviter.id
    return found
