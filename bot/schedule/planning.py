"""The planner, fed from the database: one set of rules for the alarm, the chat and the pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from bot.model import Group, Occurrence, names_of
from bot.sop.calendar import warm_up_key
from bot.sop.holidays import NO_MORE, Holidays
from bot.sop.planner import GroupPlan, next_due, plan
from bot.sop.schema import Calendar, slot_key

if TYPE_CHECKING:
    from storage.store import Store


class Planning:
    """A library's calendars, the time zone of groups that set none, since when each slot exists, days off."""

    def __init__(
        self,
        calendars: Mapping[str, Calendar],
        timezone: str,
        since: Mapping[str, int],
        holidays: Holidays = NO_MORE,
    ) -> None:
        self.calendars = calendars
        self.timezone = timezone
        self.since = since
        self.holidays = holidays

    def groups(self, store: Store) -> list[GroupPlan]:
        """All groups that are 开张."""
        tags = store.groups.tags()
        return [self._plan(group, tags) for group in store.groups.all() if group.opened_at]

    def of(self, store: Store, group: int, start: int, end: int) -> list[Occurrence]:
        """What one group's calendar holds after `start`, up to `end`."""
        ours = [one for one in self.groups(store) if one.id == group]
        return self.plan(ours, start, end)

    def plan(self, groups: Iterable[GroupPlan], start: int, end: int) -> list[Occurrence]:
        """What the calendars of these groups hold after `start`, up to `end`."""
        return plan(self.calendars, groups, start, end, self.since, self.holidays)

    def next_due(self, groups: Iterable[GroupPlan], after: int) -> int | None:
        """When something of these groups' calendars falls due next."""
        return next_due(self.calendars, groups, after, self.since, self.holidays)

    def _plan(self, group: Group, tags: Mapping[int, Mapping[str, int]]) -> GroupPlan:
        zone = group.timezone or self.timezone
        held = tags.get(group.id, {})
        return GroupPlan(group.id, held, zone, group.opened_at, group.paused, names_of(group))


def keys(calendars: Mapping[str, Calendar]) -> list[str]:
    """The keys of all slots, and of what comes before them."""
    found: list[str] = []
    for name, calendar in calendars.items():
        for slot in calendar.slots:
            key = slot_key(name, slot)
            found += [key, *(warm_up_key(key, one.at.written) for one in slot.warm_up)]
    return found
