"""A lane is what is kept of a group in memory: what it listens for, who is in it, what is due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.model import Group, Member

if TYPE_CHECKING:
    from storage.store import Store

Key = tuple[str, str]


@dataclass(slots=True)
class Lane:
    """One group. The writer has its own, ahead of the event loop's copy by what is not committed yet.

    `members` goes by the platform's ids. `next_due` is when its next timer is due, 0 for none; `now`
    is the stamp of its last event.
    """

    group: Group
    members: dict[str, Member] = field(default_factory=dict)
    listening: dict[str, str] = field(default_factory=dict)
    next_due: int = 0
    now: int = 0

    def copy(self) -> Lane:
        return replace(self, members=dict(self.members), listening=dict(self.listening))


# What an event changes in a lane: applied by the writer at once, by the loop after the commit.
Change = Callable[[Lane], object]


def load(store: Store, account: str, chat: str) -> Lane:
    """A group's lane from the database; the group is made if it was never seen."""
    group = store.groups.find(account, chat) or store.groups.add(account, chat)
    return Lane(
        group,
        {member.person: member for member in store.groups.members(group)},
        store.listening.of(group.id),
        store.timers.next_of(group.id),
    )


def load_all(store: Store) -> dict[Key, Lane]:
    """Every group's lane, in four queries."""
    groups = store.groups.all()
    lanes = {group.id: Lane(group) for group in groups}
    for group, member in store.groups.all_members({group.id: group.owner for group in groups}):
        lanes[group].members[member.person] = member
    for group, topics in store.listening.all().items():
        lanes[group].listening.update(topics)
    for group, due in store.timers.next_of_each().items():
        lanes[group].next_due = due
    return {(lane.group.account, lane.group.chat): lane for lane in lanes.values()}
