"""The planner, fed from the database: one set of rules for the alarm, the chat and the pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.model import DAY, Group, Occurrence, names_of
from bot.sop.calendar import warm_up_key
from bot.sop.due import Named
from bot.sop.holidays import NO_MORE, Holidays
from bot.sop.planner import GroupPlan, Plans
from bot.sop.schema import Calendar, slot_key
from bot.wall import wall_of

if TYPE_CHECKING:
    from storage.store import Store


# Time zones differ by a day, and a clock change adds an hour.
EDGE = 2 * DAY
FOREVER = 2**62


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

    def groups(self, store: Store, start: int) -> list[GroupPlan]:
        """All groups that are 开张, with what matters from a moment on."""
        tags, moves = store.groups.tags(), store.moves.all(_date(start))
        joined = store.some.joined(self._joined_since(start)) if self._longest else {}
        return [
            self._plan(group, tags.get(group.id, {}), moves.get(group.id, {}), joined.get(group.id, ()))
            for group in store.groups.all()
            if group.opened_at
        ]

    def group(self, store: Store, group: int, start: int) -> GroupPlan | None:
        """One group, as in `groups`; None while it is not 开张."""
        found = store.groups.get(group)
        if found is None or not found.opened_at:
            return None
        since = self._joined_since(start)
        joined = store.some.who_joined(group, since, FOREVER).values() if self._longest else ()
        tags, moves = store.groups.tags_of(group), store.moves.of(group, _date(start))
        return self._plan(found, tags, moves, tuple(joined))

    def of(self, store: Store, group: int, start: int, end: int) -> list[Occurrence]:
        """What one group's calendar holds after `start`, up to `end`."""
        ours = self.group(store, group, start)
        return self.plans([ours], start).between(start, end) if ours else []

    def plans(self, groups: Iterable[GroupPlan], start: int) -> Plans:
        """What the calendars of these groups hold from a moment on."""
        return Plans(self.calendars, groups, start, self.since, self.holidays)

    def next_due(self, groups: Iterable[GroupPlan], after: int) -> int | None:
        """When the first occurrence of these groups after a moment is due; None for never."""
        return self.plans(groups, after).next_due(after)

    @cached_property
    def _longest(self) -> int:
        """After how many days the last slot comes that is for newcomers; 0 when none is."""
        days = (slot.day or 0 for calendar in self.calendars.values() for slot in calendar.slots)
        return max(days, default=0)

    def _joined_since(self, start: int) -> int:
        return start - self._longest * DAY - EDGE

    def _plan(
        self, group: Group, tags: Mapping[str, int], moves: Mapping[Named, str], joined: tuple[int, ...]
    ) -> GroupPlan:
        return GroupPlan(
            group.id,
            tags,
            group.timezone or self.timezone,
            group.opened_at,
            group.paused,
            names_of(group),
            {named: instead for named, instead in moves.items() if instead},
            frozenset(named for named, instead in moves.items() if not instead),
            joined,
        )


def _date(start: int) -> str:
    """The earliest local date that a moment may be on, or its occurrences be planned for."""
    return f"{wall_of(start - EDGE, ZoneInfo('UTC')):%Y-%m-%d}"


def keys(calendars: Mapping[str, Calendar]) -> list[str]:
    """The keys of all slots, and of what comes before them."""
    found: list[str] = []
    for name, calendar in calendars.items():
        for slot in calendar.slots:
            key = slot_key(name, slot)
            found += [key, *(warm_up_key(key, one.at.written) for one in slot.warm_up)]
    return found
