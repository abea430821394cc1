"""What `xiaoer status` reads from the database, in one look at it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.clock import as_datetime, as_moment
from bot.model import SECOND, Occurrence
from bot.schedule.planning import Planning

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.sop.library import Library
    from storage.store import Store

LONGEST = 20


@dataclass(frozen=True, slots=True)
class Next:
    """The next moment at which something falls due, and what that is."""

    at: datetime
    what: list[str]


@dataclass(frozen=True, slots=True)
class Books:
    """`now` is what the bot's clock says; `waits` for how many seconds the oldest message has waited."""

    now: datetime
    groups: int
    groups_open: int
    members: int
    outbox: Mapping[str, int]
    waits: float | None
    today: Mapping[str, int]
    parked: int
    next: Next | None


def reader(settings: Settings, library: Library) -> Callable[[Store], Books]:
    """What reads the books; days are those of the default time zone."""
    zone = ZoneInfo(settings.timezone)

    def read(store: Store) -> Books:
        census = store.census
        movable = settings.with_sandbox and not settings.accounts
        now = time.time_ns() // 1000 + (store.sandbox.offset() if movable else 0)
        oldest = census.oldest()
        due = _next(store, settings, library, now)
        return Books(
            _local(now, zone),
            *census.groups(),
            census.members(),
            census.outbox(),
            max(0, now - oldest) / SECOND if oldest else None,
            census.occurrences(*_day(now, zone)),
            census.parked(),
            Next(_local(due[0], zone), due[1]) if due else None,
        )

    return read


def _next(store: Store, settings: Settings, library: Library, now: int) -> tuple[int, list[str]] | None:
    since = store.occurrences.slots()
    planning = Planning(library.calendars, settings.timezone, since, library.holidays)
    plans = planning.plans(planning.groups(store, now), now)
    slot = plans.next_due(now)
    timer = store.census.next_timer()
    if timer is not None and (slot is None or timer[0] < slot):
        return timer[0], [timer[1]]
    if slot is None:
        return None
    due = plans.between(slot - 1, slot)
    return slot, list(dict.fromkeys(_title(library, one) for one in due))


def _title(library: Library, one: Occurrence) -> str:
    activity, post = library.activities.get(one.do), library.posts.get(one.post)
    said = activity.title if activity else one.do or (post.text if post else one.post) or one.warm
    return said.strip().partition("\n")[0][:LONGEST]


def _local(moment: int, zone: ZoneInfo) -> datetime:
    return as_datetime(moment).astimezone(zone)


def _day(now: int, zone: ZoneInfo) -> tuple[int, int]:
    """Today from its midnight to the next."""
    today = _local(now, zone).date()
    first, last = (
        datetime(day.year, day.month, day.day, tzinfo=zone) for day in (today, today + timedelta(days=1))
    )
    return as_moment(first), as_moment(last)
