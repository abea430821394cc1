"""What runs when in which group, and what does not and why: as the alarm plans it, and as it went."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.errors import Fault, Unusable
from bot.model import Group, Occurrence, names_of
from bot.schedule.planning import Planning, keys
from bot.sop.planner import GroupPlan
from bot.sop.schema import slot_key
from bot.wall import moment_of, wall_of

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.sop.library import Library
    from storage.store import Store

from bot.console.report.reading import find, now_of
from handlers.plan import Planned, merged
from handlers.report import DAYS, title_of

MOST = 92
YEARS = range(2000, 2100)
UNRECORDED = "过了点，没有记录"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is planned. `at` is its local time; `note` what there is to say of it, in words.

    `state` is that of its occurrence, or planned, skipped (it will be) or gone (it should have come).
    """

    one: Planned
    at: datetime
    title: str
    state: str
    note: str


@dataclass(frozen=True, slots=True)
class Day:
    """`kind` is 国庆节放假 and the like, or empty on a day as any other."""

    day: date
    kind: str
    lines: Sequence[Line]

    @property
    def name(self) -> str:
        return f"周{DAYS[self.day.weekday()]}"


@dataclass(frozen=True, slots=True)
class GroupDays:
    """The days of one group, in its own time zone. One that is imagined has the id 0."""

    group: Group
    zone: ZoneInfo
    tags: Sequence[str]
    calendars: Sequence[str]
    days: Sequence[Day]

    @property
    def title(self) -> str:
        return self.group.title or f"{self.group.account}/{self.group.chat}"

    @property
    def empty(self) -> bool:
        return not any(day.lines for day in self.days)

    def as_json(self) -> dict[str, Any]:
        group = self.group
        return {
            "group": group.id or None,
            "title": group.title,
            "account": group.account,
            "chat": group.chat,
            "timezone": self.zone.key,
            "tags": list(self.tags),
            "calendars": list(self.calendars),
            "paused": group.paused,
            "days": [
                {
                    "date": day.day.isoformat(),
                    "weekday": day.name,
                    "kind": day.kind,
                    "slots": [self._slot(line) for line in day.lines],
                }
                for day in self.days
            ],
        }

    def _slot(self, line: Line) -> dict[str, Any]:
        one = line.one
        return {
            "slot": one.slot,
            "at": line.at.replace(tzinfo=self.zone).isoformat(),
            "planned": one.local,
            "what": one.what,
            "title": line.title,
            "state": line.state,
            "reason": one.why,
            "note": line.note,
            "priority": one.priority,
        }


@dataclass(frozen=True, slots=True)
class Preview:
    """So many days from the first. `imagined`: no group is open yet, and these are made up.

    `warnings` are things that hold for several slots; what is in the `faults` is not planned.
    """

    first: date
    days: int
    groups: Sequence[GroupDays]
    imagined: bool
    faults: Sequence[Fault]
    warnings: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """For a program; moments in ISO 8601."""
        return {
            "from": self.first.isoformat(),
            "to": (self.first + timedelta(self.days - 1)).isoformat(),
            "imagined": self.imagined,
            "groups": [one.as_json() for one in self.groups],
            "faults": [asdict(one) for one in self.faults],
            "warnings": list(self.warnings),
        }


def asked(first: str, days: int) -> date | None:
    """The first day that is wanted, None for today. Raises Unusable for what cannot be shown."""
    if not 1 <= days <= MOST:
        raise Unusable(f"--days 要写 1 到 {MOST}，现在是 {days}。")
    try:
        day = date.fromisoformat(first.strip()) if first else None
    except ValueError:
        day = date.min
    if day is not None and day.year not in YEARS:
        raise Unusable(f"--from 要写 2026-12-24 这样的日子，现在是「{first}」。")
    return day


def reader(
    settings: Settings, library: Library, day: date | None, days: int, group: str = ""
) -> Callable[[Store], Preview]:
    """What reads the preview of one group or of all that are open; of imagined ones when none is.

    What it makes raises Unusable for a group that is not there.
    """

    def look(store: Store) -> Preview:
        now = now_of(store, settings)
        since = {**dict.fromkeys(keys(library.calendars), now), **store.occurrences.slots()}
        planning = Planning(library.calendars, settings.timezone, since, library.holidays)
        groups = store.groups.all()
        wanted = [find(groups, group)] if group else [one for one in groups if one.opened_at]
        if wanted and not wanted[0].opened_at:
            raise Unusable(f"群「{group}」还没有开张，没有安排。请群主在群里说一声「开张」。")
        if not wanted:
            return imagine(settings, library, day, days)
        first = day or wall_of(now, ZoneInfo(settings.timezone)).date()
        made = [of_group(store, library, planning, one, first, days, now) for one in wanted]
        return _preview(library, first, days, made, imagined=False)

    return look


def imagine(settings: Settings, library: Library, day: date | None, days: int, group: str = "") -> Preview:
    """The preview of one group for each calendar's audience, in which somebody joins as the first day begins.

    Raises Unusable for a `group` that was asked for: there is none.
    """
    if group:
        raise Unusable(f"还没有数据库，也就没有叫「{group}」的群。去掉 --group，看假想的群。")
    zone = ZoneInfo(settings.timezone)
    first = day or wall_of(time.time_ns() // 1000, zone).date()
    start, stop = _span(first, days, zone)
    planning = Planning(library.calendars, settings.timezone, {}, library.holidays)
    made: dict[str, GroupDays] = {}
    for calendar in library.calendars.values():
        tags = calendar.audience.tags[:1]
        name = f"标签「{tags[0]}」的群" if tags else calendar.audience.groups[0]
        if name in made:
            continue
        one = Group(0, "", "", name)
        plan = GroupPlan(1, dict.fromkeys(tags, 0), zone.key, 0, names=(name,), joined=(start,))
        planned = planning.plans([plan], start).between(start, stop)
        made[name] = _group_days(library, one, zone, tags, planned, (), first, days, 0)
    return _preview(library, first, days, list(made.values()), imagined=True)


def of_group(
    store: Store, library: Library, planning: Planning, group: Group, first: date, days: int, now: int
) -> GroupDays:
    """So many days of a group that is open, with what became of what is over."""
    zone = ZoneInfo(group.timezone or planning.timezone)
    start, stop = _span(first, days, zone)
    planned = planning.of(store, group.id, start, stop)
    done = store.occurrences.between(group.id, start + 1, stop + 1)
    tags = sorted(store.groups.tags_of(group.id))
    return _group_days(library, group, zone, tags, planned, done, first, days, now)


def _span(first: date, days: int, zone: ZoneInfo) -> tuple[int, int]:
    """What is due on these days is due after the one moment, up to the other."""
    midnights = (datetime.combine(first + timedelta(more), datetime.min.time()) for more in (0, days))
    start, stop = (moment_of(midnight, zone) - 1 for midnight in midnights)
    return start, stop


def _group_days(
    library: Library,
    group: Group,
    zone: ZoneInfo,
    tags: Sequence[str],
    planned: Iterable[Occurrence],
    done: Iterable[Any],
    first: date,
    days: int,
    now: int,
) -> GroupDays:
    by_day: dict[date, list[Planned]] = {}
    for one in merged(done, planned):
        by_day.setdefault(wall_of(one.due, zone).date(), []).append(one)
    private = {
        slot_key(name, slot)
        for name, calendar in library.calendars.items()
        for slot in calendar.slots
        if slot.to == "private"
    }
    shown: list[Day] = []
    for day in (first + timedelta(number) for number in range(days)):
        kind = library.holidays.why(day)
        there = by_day.get(day, [])
        lines = [
            Line(
                one,
                wall_of(one.due, zone),
                title_of(library, one.what),
                *_state(one, [place, *_facts(library, one)], now),
            )
            for one, place in zip(there, _places(there, private), strict=True)
        ]
        shown.append(Day(day, "" if kind in ("工作日", "周末") else kind, lines))
    names = names_of(group)
    calendars = [one.title for one in library.calendars.values() if one.audience.reaches(tags, names)]
    return GroupDays(group, zone, tags, calendars, shown)


def _places(lines: Sequence[Planned], private: set[str]) -> list[str]:
    """Of each, where it stands among those that come at the same moment; nothing when it is alone."""
    meeting = [one.due if not one.why and one.slot not in private else 0 for one in lines]
    many, seen = Counter(meeting), Counter[int]()
    places: list[str] = []
    for due in meeting:
        seen[due] += 1
        places.append(f"同一时刻 {many[due]} 件，第 {seen[due]} 个" if due and many[due] > 1 else "")
    return places


def _facts(library: Library, one: Planned) -> Sequence[str]:
    """What there is to know of an activity that is still to come."""
    kind, _, name = one.what.partition(":")
    activity = library.activities.get(name) if kind == "do" and not one.state and not one.why else None
    return activity.facts if activity else ()


def _state(one: Planned, more: Sequence[str], now: int) -> tuple[str, str]:
    gone = not one.state and not one.why and one.due <= now
    state = one.state or ("skipped" if one.why else "gone" if gone else "planned")
    return state, "，".join(part for part in (one.said, UNRECORDED if gone else "", *more) if part)


def _preview(
    library: Library, first: date, days: int, groups: Sequence[GroupDays], *, imagined: bool
) -> Preview:
    told: Mapping[str, None] = dict.fromkeys(
        note
        for group in groups
        for day in group.days
        for line in day.lines
        if line.one.occurrence
        for note in line.one.occurrence.note.split("；")
        if note and not note.startswith("原定")
    )
    return Preview(first, days, groups, imagined, library.faults, list(told))
