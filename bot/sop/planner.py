"""Which slots fall due, where and when: pure arithmetic over calendars and groups.

A slot's wall-clock times come from APScheduler's CronTrigger, run in UTC as if it were the wall
clock, and are turned into moments here: of a time that a clock change repeats, the first; for one
that it leaves out, the first moment after the gap. So each local date has its slot exactly once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from bot.model import Occurrence
from bot.sop.schema import Audience, Calendar, Slot, slot_key

PAUSED = "暂停中"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """What the planner must know of a group. `tags` says since when it has each tag."""

    id: int
    tags: Mapping[str, int]
    timezone: str
    opened_at: int
    paused: bool = False


def plan(
    calendars: Mapping[str, Calendar],
    groups: Iterable[GroupPlan],
    start: int,
    end: int,
    since: Mapping[str, int],
) -> list[Occurrence]:
    """Return all occurrences with start < due <= end, by due, group and slot.

    Nothing that was due before its slot existed (`since`; always, when it is not there), before
    the group had the tag, or before the group opened.
    """
    zones = _by_zone(groups)
    found: list[Occurrence] = []
    for name, calendar in calendars.items():
        for zone, members in zones.items():
            times = [
                (slot, slot_key(name, slot), local, due)
                for slot in calendar.slots
                for local, due in _times(slot, zone, start, end)
            ]
            if not times:
                continue
            for group in members:
                floor = _floor(group, calendar.audience)
                found += [
                    _occurrence(slot, key, group, local, due)
                    for slot, key, local, due in times
                    if floor is not None and due >= max(floor, since.get(key, due))
                ]
    return sorted(found, key=lambda one: (one.due, one.group, one.slot, one.local))


def next_due(
    calendars: Mapping[str, Calendar], groups: Iterable[GroupPlan], after: int, since: Mapping[str, int]
) -> int | None:
    """Return when the first occurrence after `after` is due, or None when there will be none."""
    zones = _first_tagged(groups)
    soonest: int | None = None
    for name, calendar in calendars.items():
        for zone, members in zones.items():
            floors = [members[tag] for tag in calendar.audience.tags if tag in members]
            if not floors:
                continue
            for slot in calendar.slots:
                begin = max(after, min(floors) - 1, since.get(slot_key(name, slot), after + 1) - 1)
                _, due = next(_times(slot, zone, begin))
                soonest = due if soonest is None else min(soonest, due)
    return soonest


def _by_zone(groups: Iterable[GroupPlan]) -> dict[str, list[GroupPlan]]:
    zones: dict[str, list[GroupPlan]] = {}
    for group in groups:
        zones.setdefault(group.timezone, []).append(group)
    return zones


def _first_tagged(groups: Iterable[GroupPlan]) -> dict[str, dict[str, int]]:
    """Return, by zone and tag, since when there is any group at all with the tag."""
    zones: dict[str, dict[str, int]] = {}
    for group in groups:
        first = zones.setdefault(group.timezone, {})
        for tag, tagged in group.tags.items():
            floor = max(tagged, group.opened_at)
            first[tag] = min(floor, first.get(tag, floor))
    return zones


def _floor(group: GroupPlan, audience: Audience) -> int | None:
    """Return since when a calendar is for a group, or None when it is not."""
    tagged = [group.tags[tag] for tag in audience.tags if tag in group.tags]
    return max(min(tagged), group.opened_at) if tagged else None


def _occurrence(slot: Slot, key: str, group: GroupPlan, local: str, due: int) -> Occurrence:
    return Occurrence(
        slot=key,
        group=group.id,
        local=local,
        due=due,
        late=slot.late,
        do=slot.do or "",
        post=slot.post or "",
        skip=PAUSED if group.paused else "",
    )


def _times(slot: Slot, zone: str, start: int, end: int | None = None) -> Iterator[tuple[str, int]]:
    """Yield a slot's local times and moments in a time zone, with start < moment <= end."""
    tz = ZoneInfo(zone)
    trigger = _trigger(slot.on, slot.at.hour, slot.at.minute)
    wall = (_EPOCH + start * _MICROSECOND).astimezone(tz).replace(tzinfo=UTC, fold=0)
    previous = None
    while (wall := trigger.get_next_fire_time(previous, wall)) is not None:
        previous = wall
        due = _moment(wall.replace(tzinfo=None), tz)
        if end is not None and due > end:
            return
        if due > start:
            yield wall.strftime("%Y-%m-%dT%H:%M"), due


@lru_cache(maxsize=4096)
def _trigger(on: frozenset[int], hour: int, minute: int) -> CronTrigger:
    week = ",".join(map(str, sorted(on)))
    return CronTrigger(day_of_week=week, hour=hour, minute=minute, second=0, timezone=UTC)


def _moment(wall: datetime, tz: ZoneInfo) -> int:
    """Return the first moment at which clocks in a zone show this time, or have just passed it."""
    moment = wall.replace(tzinfo=tz).astimezone(UTC)
    if moment.astimezone(tz).replace(tzinfo=None, fold=0) != wall:
        moment = _after_gap(wall, tz)
    return (moment - _EPOCH) // _MICROSECOND


def _after_gap(wall: datetime, tz: ZoneInfo) -> datetime:
    """Return the moment at which clocks jumped over a time, found by halving."""
    before = wall.replace(tzinfo=tz, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=tz).astimezone(UTC)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(tz).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
