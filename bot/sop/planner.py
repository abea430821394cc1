"""Which slots fall due, where and when: pure arithmetic over calendars and groups.

Groups that have the same calendars, in the same time zone, with nothing of their own, are planned once for
all of them (bot/sop/due.py). Each local date has its slot exactly once: of a time that a clock change
repeats, the first; for one that it leaves out, the first moment after the gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter

from bot.model import DAY, Occurrence
from bot.sop.calendar import Calendar
from bot.sop.due import PAUSED, Due, Named, Own, lines, times_of
from bot.sop.holidays import NO_MORE, Holidays

__all__ = ["PAUSED", "GroupPlan", "Plans", "next_due", "plan"]

# The rarest day, 29 February, comes after eight years at most.
_LONGEST = 9 * 366 * DAY
# What began so long before a span cannot reach into it; clocks are changed by less.
_LONG_BEFORE = 4 * DAY

_Held = tuple[str, tuple[int, ...], int]  # a calendar, with which overrides, since when


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """What the planner must know of a group. `tags` says since when it has each tag.

    `names` are those that a calendar may call it by. `moves` and `skips` are what its owner said of single
    occurrences, each by its slot's key and its local time; a move gives another local time of that day.
    `joined` is when people came, as long ago as any slot asks for.
    """

    id: int
    tags: Mapping[str, int]
    timezone: str
    opened_at: int
    paused: bool = False
    names: tuple[str, ...] = ()
    moves: Mapping[Named, str] = field(default_factory=dict)
    skips: frozenset[Named] = frozenset()
    joined: tuple[int, ...] = ()


def plan(
    calendars: Mapping[str, Calendar],
    groups: Iterable[GroupPlan],
    start: int,
    end: int,
    since: Mapping[str, int],
    holidays: Holidays = NO_MORE,
) -> list[Occurrence]:
    """Return all occurrences with start < due <= end, by due, group, priority and slot.

    Nothing that was due before its slot existed (`since`; always, when it is not there), before
    the group had the tag, or before the group opened.
    """
    return Plans(calendars, groups, start, since, holidays).between(start, end)


def next_due(
    calendars: Mapping[str, Calendar],
    groups: Iterable[GroupPlan],
    after: int,
    since: Mapping[str, int],
    holidays: Holidays = NO_MORE,
) -> int | None:
    """Return when the first occurrence after `after` is due, or None when there will be none."""
    return Plans(calendars, groups, after, since, holidays).next_due(after)


class Plans:
    """The groups, those put together that have the same plan, for who asks again and again.

    `begin` is the earliest moment that will be asked for.
    """

    def __init__(
        self,
        calendars: Mapping[str, Calendar],
        groups: Iterable[GroupPlan],
        begin: int,
        since: Mapping[str, int],
        holidays: Holidays = NO_MORE,
    ) -> None:
        alike: dict[tuple[object, ...], tuple[GroupPlan, list[_Held], list[int]]] = {}
        for group, has in _with_calendars(calendars, groups):
            held = [(one.calendar, one.overrides, _floor(group, one, begin - _LONG_BEFORE)) for one in has]
            alone = group.id if group.moves or group.skips or group.joined else 0
            key = (group.timezone, group.paused, alone, *held)
            alike.setdefault(key, (group, held, []))[2].append(group.id)
        self._families: list[tuple[Due, list[int]]] = []
        for group, held, ids in alike.values():
            slots = [
                line for name, chosen, floor in held for line in lines(name, calendars[name], chosen, floor)
            ]
            own = Own(group.moves, group.skips, group.joined)
            due = Due(slots, group.timezone, since, holidays, own, paused=group.paused)
            self._families.append((due, ids))

    def between(self, start: int, end: int) -> list[Occurrence]:
        """Return all occurrences with start < due <= end, by due, group, priority and slot."""
        found: list[Occurrence] = []
        times = cache(times_of)  # many groups ask for the same
        for due, alike in self._families:
            for slot, _, *rest in due.between(start, end, times):
                found += [Occurrence._make((slot, group, *rest)) for group in alike]
        # Those of one group are in order already, and stay in it.
        found.sort(key=attrgetter("group"))
        found.sort(key=attrgetter("due"))
        return found

    def next_due(self, after: int) -> int | None:
        """Return when the first occurrence after `after` is due, or None when there will be none."""
        start, span = after, DAY
        while self._families and span <= _LONGEST:
            times = cache(times_of)
            made = [due.between(start, after + span, times) for due, _ in self._families]
            if any(made):
                return min(some[0].due for some in made if some)
            start, span = after + span, span * 2
        return None


def _with_calendars(
    calendars: Mapping[str, Calendar], groups: Iterable[GroupPlan]
) -> Iterator[tuple[GroupPlan, list[_Has]]]:
    """Yield the groups that have any calendar, and which."""
    called = _called(calendars)
    kinds: dict[tuple[tuple[str, ...], tuple[str, ...]], list[_Has]] = {}
    for group in groups:
        kind = tuple(group.tags), tuple(name for name in group.names if name in called)
        if kind not in kinds:
            kinds[kind] = _what(calendars, *kind)
        if kinds[kind]:
            yield group, kinds[kind]


@dataclass(frozen=True, slots=True)
class _Has:
    """A calendar that is for a group: by which of its tags, or by its name, and with which overrides."""

    calendar: str
    tags: tuple[str, ...]
    named: bool
    overrides: tuple[int, ...]


def _what(calendars: Mapping[str, Calendar], tags: tuple[str, ...], names: tuple[str, ...]) -> list[_Has]:
    return [
        _Has(
            key,
            tuple(tag for tag in calendar.audience.tags if tag in tags),
            any(name in names for name in calendar.audience.groups),
            tuple(number for number, one in enumerate(calendar.overrides) if one.hold(tags, names)),
        )
        for key, calendar in calendars.items()
        if calendar.audience.reaches(tags, names)
    ]


def _floor(group: GroupPlan, has: _Has, long_before: int) -> int:
    """Return since when a calendar is for a group; 0 when that was long before."""
    tagged = 0 if has.named else min(group.tags[tag] for tag in has.tags)
    floor = max(tagged, group.opened_at)
    return floor if floor > long_before else 0


def _called(calendars: Mapping[str, Calendar]) -> set[str]:
    """Return all names by which any calendar calls a group."""
    called: set[str] = set()
    for calendar in calendars.values():
        called.update(calendar.audience.groups)
        called.update(name for one in calendar.overrides for name in one.groups)
        if calendar.audience.except_:
            called.update(calendar.audience.except_.groups)
    return called
