"""The planner, fed from the database: one set of rules for the alarm, the chat and the pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.model import DAY, Occurrence, names_of
from bot.sop.calendar import warm_up_key
from bot.sop.due import Named
from bot.sop.holidays import NO_MORE, Holidays
from bot.sop.planner import GroupPlan, next_due, plan
from bot.sop.schema import Calendar, slot_key
from bot.wall import wall_of

if TYPE_CHECKING:
    from storage.store import Store


# Time zones differ by a day, and a clock change adds an hour.
EDGE = 2 * DAY


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
        tags, moves, joined = store.groups.tags(), self._moves(store, start), self._joined(store, start)
        made: list[GroupPlan] = []
        for group in store.groups.all():
            if not group.opened_at:
                continue
            said = moves.get(group.id, {})
            made.append(
                GroupPlan(
                    group.id,
                    tags.get(group.id, {}),
                    group.timezone or self.timezone,
                    group.opened_at,
                    group.paused,
                    names_of(group),
                    {named: instead for named, instead in said.items() if instead},
                    frozenset(named for named, instead in said.items() if not instead),
                    joined.get(group.id, ()),
                )
            )
        return made

    def of(self, store: Store, group: int, start: int, end: int) -> list[Occurrence]:
        """What one group's calendar holds after `start`, up to `end`."""
        ours = [one for one in self.groups(store, start) if one.id == group]
        return self.plan(ours, start, end)

    def plan(self, groups: Iterable[GroupPlan], start: int, end: int) -> list[Occurrence]:
        """What the calendars of these groups hold after `start`, up to `end`."""
        return plan(self.calendars, groups, start, end, self.since, self.holidays)

    def next_due(self, groups: Iterable[GroupPlan], after: int) -> int | None:
        """When something of these groups' calendars falls due next."""
        return next_due(self.calendars, groups, after, self.since, self.holidays)

    def _moves(self, store: Store, start: int) -> dict[int, dict[Named, str]]:
        return store.moves.all(f"{wall_of(start - EDGE, ZoneInfo('UTC')):%Y-%m-%d}")

    def _joined(self, store: Store, start: int) -> dict[int, tuple[int, ...]]:
        """When people joined, as long ago as any slot asks for."""
        days = [slot.day for calendar in self.calendars.values() for slot in calendar.slots if slot.day]
        return store.some.joined(start - max(days) * DAY - EDGE) if days else {}


def keys(calendars: Mapping[str, Calendar]) -> list[str]:
    """The keys of all slots, and of what comes before them."""
    found: list[str] = []
    for name, calendar in calendars.items():
        for slot in calendar.slots:
            key = slot_key(name, slot)
            found += [key, *(warm_up_key(key, one.at.written) for one in slot.warm_up)]
    return found
