"""The planner, fed from the database: one set of rules for the alarm, the chat and the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.model import Group, Occurrence
from bot.sop.planner import GroupPlan, plan
from bot.sop.schema import Calendar, slot_key

if TYPE_CHECKING:
    from storage.store import Store


class Planning:
    """A library's calendars, the time zone of groups that set none, and since when each slot exists."""

    def __init__(self, calendars: Mapping[str, Calendar], timezone: str, since: Mapping[str, int]) -> None:
        self.calendars = calendars
        self.timezone = timezone
        self.since = since

    def groups(self, store: Store) -> list[GroupPlan]:
        """All groups that are 开张."""
        tags = store.groups.tags()
        return [self._plan(group, tags.get(group.id, {})) for group in store.groups.all() if group.opened_at]

    def group(self, store: Store, group: int) -> GroupPlan | None:
        """One group; None while it is not 开张."""
        found = store.groups.get(group)
        return self._plan(found, store.groups.tags_of(group)) if found and found.opened_at else None

    def of(self, store: Store, group: int, start: int, end: int) -> list[Occurrence]:
        """What one group's calendar holds after `start`, up to `end`."""
        ours = self.group(store, group)
        return plan(self.calendars, [ours] if ours else [], start, end, self.since)

    def _plan(self, group: Group, tags: Mapping[str, int]) -> GroupPlan:
        zone = group.timezone or self.timezone
        return GroupPlan(group.id, tags, zone, group.opened_at, group.paused)


def keys(calendars: Mapping[str, Calendar]) -> list[str]:
    """The keys of all slots."""
    return [slot_key(name, slot) for name, calendar in calendars.items() for slot in calendar.slots]
