"""What is right as it is written and may yet not be meant, of the groups that there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.config import Pace, Settings
from bot.errors import Fault, Unusable

if TYPE_CHECKING:
    from bot.model import Group
    from bot.sop.library import Library


def doubts(library: Library, settings: Settings, place: Path | str, groups: int | None) -> list[Fault]:
    """What may not be meant, and slots that are too many for the pace; of groups as the database has them."""
    from bot.model import names_of  # noqa: PLC0415 - with what needs it
    from bot.sop.doubts import doubtful  # noqa: PLC0415
    from storage.database import look  # noqa: PLC0415

    accounts = [{name: groups} for name in library.calendars] if groups else []
    known: list[tuple[Collection[str], Collection[str]]] = []
    if groups is None:
        with suppress(Unusable):
            found, tags = look(place, lambda store: (store.groups.all(), store.groups.tags()))
            known = [(tags.get(one.id, {}), names_of(one)) for one in found if one.opened_at]
            accounts = reached(library, settings, found, tags)
    today = datetime.now(ZoneInfo(settings.timezone)).date()
    return sorted(slow(library, settings, accounts, today) + doubtful(library, today, known))


def reached(
    library: Library, settings: Settings, groups: Iterable[Group], tags: Mapping[int, Collection[str]]
) -> list[dict[str, int]]:
    """How many groups of each account each calendar is for."""
    from bot.sop.pacing import reach  # noqa: PLC0415 - with what needs it

    # The sandbox is not paced unless the file says so.
    found = reach(library, groups, tags).items()
    return [dict(each) for name, each in found if settings.pace or name != "sandbox"]


def slow(
    library: Library, settings: Settings, accounts: Iterable[Mapping[str, int]], today: date
) -> list[Fault]:
    """The slots that some account cannot send within their `late`."""
    from bot.outbox.pace import each_post  # noqa: PLC0415 - with what needs it
    from bot.sop.pacing import too_slow  # noqa: PLC0415

    return too_slow(library, accounts, each_post((settings.pace or Pace()).per_minute), today)
