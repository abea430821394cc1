"""What falls due in groups that are alike: each slot on its days, what comes before it, and why not.

A slot that is left out is planned all the same, with the reason, so that nobody wonders where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.model import Occurrence
from bot.sop.calendar import Calendar, Slot, slot_key, warm_up_key
from bot.sop.dates import within
from bot.sop.days import Rule, asks_for_holidays, between, left_out
from bot.sop.holidays import Holidays
from bot.sop.rotation import pick
from bot.wall import moment_of, wall_of

PAUSED = "暂停中"
SKIPPED = "群主说了跳过"
NOT_HERE = "日历里写了这个群不办"

Named = tuple[str, str]  # an occurrence by its slot's key and its local time


class Own(NamedTuple):
    """What a group has for itself: slots its owner moved to another time or skipped, and who joined when."""

    moves: Mapping[Named, str] = {}
    skips: frozenset[Named] = frozenset()
    joined: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One slot of a calendar as some groups have it. Nothing is due before `floor`."""

    key: str
    slot: Slot
    calendar: Calendar
    rule: Rule
    floor: int
    skip: str = ""


class _Draft(NamedTuple):
    """An occurrence with the time that clocks show when it is due; `main` is what it comes before."""

    one: Occurrence
    wall: datetime
    counts: bool
    main: int = -1


def lines(name: str, calendar: Calendar, overrides: Iterable[int], floor: int) -> Iterator[Line]:
    """Yield the slots of a calendar, with what these of its overrides say."""
    chosen = [calendar.overrides[number] for number in overrides]
    for slot in calendar.slots:
        here, skip = slot, ""
        for one in chosen:
            if one.slot == slot.id:
                here, skip = one.changed(here), NOT_HERE if one.skip else ""
        yield Line(slot_key(name, slot), here, calendar, calendar.rule(here), floor, skip)


class Time(NamedTuple):
    local: str
    wall: datetime
    due: int


def times_of(
    at: time, rule: Rule, zone: str, first: date, last: date, holidays: Holidays
) -> tuple[Time, ...]:
    """Return when a slot is due in a time zone on these dates, whatever else is known of it."""
    tz = ZoneInfo(zone)
    walls = [datetime.combine(day, at) for day in between(rule, first, last, holidays)]
    return tuple(Time(f"{wall:%Y-%m-%dT%H:%M}", wall, moment_of(wall, tz)) for wall in walls)


Times = Callable[[time, Rule, str, date, date, Holidays], tuple[Time, ...]]


class Due:
    """The occurrences of groups with these lines in one time zone. Those that are made are of group 0."""

    def __init__(
        self,
        held: Sequence[Line],
        zone: str,
        since: Mapping[str, int],
        holidays: Holidays,
        own: Own,
        *,
        paused: bool,
    ) -> None:
        self._lines = held
        self._zone = zone
        self._since = since
        self._holidays = holidays
        self._own = own
        self._paused = paused
        self._lead = max((one.at.earliest for line in held for one in line.slot.warm_up), default=0)
        caps = [line.calendar.posts_a_day for line in held if line.calendar.posts_a_day]
        self._most = min(caps, default=0)

    def between(self, start: int, end: int, times: Times) -> list[Occurrence]:
        """Return what is due after `start`, up to `end`, in order.

        Whole dates are planned, as many more as a warning-up may come before: how many posts a day has does
        not depend on where the planning begins.
        """
        tz = ZoneInfo(self._zone)
        first = wall_of(start, tz).date() - timedelta(1)
        last = wall_of(end, tz).date() + timedelta(1 + 2 * self._lead)
        drafts: list[_Draft] = []
        for line in self._lines:
            for draft in self._mains(line, first, last, times):
                drafts.append(draft)
                drafts += self._before(line, draft, len(drafts) - 1, tz)
        made = self._capped(drafts) if self._most else [draft.one for draft in drafts]
        return sorted((one for one in made if start < one.due <= end), key=_order)

    def _mains(self, line: Line, first: date, last: date, times: Times) -> Iterator[_Draft]:
        slot, own = line.slot, self._own
        since = max(line.floor, self._since.get(line.key, line.floor))
        for local, planned, at_first in times(slot.at, line.rule, self._zone, first, last, self._holidays):
            wall, due, notes = planned, at_first, []
            if moved := own.moves.get((line.key, local)):
                wall = datetime.fromisoformat(moved)
                due = moment_of(wall, ZoneInfo(self._zone))
                notes.append(f"原定 {planned:%H:%M}")
            if due < since or (slot.day is not None and not self._somebody(slot.day, planned)):
                continue
            day = planned.date()
            if asks_for_holidays(line.rule) and not self._holidays.knows(day.year):
                notes.append(unknown(day.year))
            do, post = self._content(line, day)
            skip = (
                (PAUSED if self._paused else "")
                or (SKIPPED if (line.key, local) in own.skips else "")
                or line.skip
                or (self._holidays.why(day) if left_out(line.rule, day, self._holidays) else "")
                or ("" if moved else _quiet(line.calendar, wall))
            )
            one = Occurrence(
                line.key, 0, local, due, slot.late, do, post, skip, "", slot.priority, "；".join(notes)
            )
            yield _Draft(one, wall, slot.to == "group")

    def _before(self, line: Line, main: _Draft, number: int, tz: ZoneInfo) -> Iterator[_Draft]:
        for early in line.slot.warm_up:
            key = warm_up_key(line.key, early.at.written)
            wall = planned = early.at.of(main.wall)
            local = f"{planned:%Y-%m-%dT%H:%M}"
            moved = self._own.moves.get((key, local))
            if moved:
                wall = datetime.fromisoformat(moved)
            due = moment_of(wall, tz)
            if due >= main.one.due or due < max(line.floor, self._since.get(key, line.floor)):
                continue
            skip = (
                main.one.skip
                or (SKIPPED if (key, local) in self._own.skips else "")
                or ("" if moved else _quiet(line.calendar, wall))
            )
            warm = "" if early.post else f"{main.wall:%Y-%m-%dT%H:%M} {main.one.what}"
            late = min(line.slot.late, main.one.due - due)
            note = f"原定 {planned:%H:%M}" if moved else ""
            what = early.post or ""
            one = Occurrence(key, 0, local, due, late, "", what, skip, warm, line.slot.priority, note)
            yield _Draft(one, wall, True, number)

    def _content(self, line: Line, day: date) -> tuple[str, str]:
        """What a slot does and what it posts on a date."""
        slot = line.slot
        if not slot.rotate:
            return slot.do or "", slot.post or ""
        kind, _, name = pick(slot.rotate, line.rule, day, self._holidays).rpartition(":")
        return ("", name) if kind == "post" else (name, "")

    def _somebody(self, day: int, wall: datetime) -> bool:
        """Whether for somebody this is the so-many-eth time since they joined."""
        if not self._own.joined:
            return False
        tz = ZoneInfo(self._zone)
        first, last = (moment_of(wall - timedelta(back), tz) for back in (day, day - 1))
        return any(first <= moment < last for moment in self._own.joined)

    def _capped(self, drafts: Sequence[_Draft]) -> list[Occurrence]:
        """Skip what a day has too many of: of lower priority first, then later."""
        days: dict[date, list[int]] = {}
        for number, draft in enumerate(drafts):
            if draft.counts and not draft.one.skip:
                days.setdefault(draft.wall.date(), []).append(number)
        made = [draft.one for draft in drafts]
        for numbers in days.values():
            numbers.sort(key=lambda number: (-made[number].priority, made[number].due, made[number].slot))
            for number in numbers[self._most :]:
                made[number] = made[number]._replace(skip=f"一天最多 {self._most} 条")
        return [
            one._replace(skip=made[draft.main].skip) if draft.main >= 0 and not one.skip else one
            for one, draft in zip(made, drafts, strict=True)
        ]


def _order(one: Occurrence) -> tuple[int, int, str, str]:
    return one.due, -one.priority, one.slot, one.local


def _quiet(calendar: Calendar, wall: datetime) -> str:
    """Say that it is no time to speak, or nothing."""
    span = calendar.quiet
    return f"安静时间 {span[0]:%H:%M}-{span[1]:%H:%M}" if span and within(wall.time(), span) else ""


def unknown(year: int) -> str:
    """Say that nobody has arranged a year yet."""
    return f"还不知道 {year} 年的放假安排，按周一到周五算工作日"
