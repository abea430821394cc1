"""Who follows which calendar in a rehearsal: groups made up after the library's own audiences."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import count, cycle, islice
from random import Random

from bot.errors import Unusable
from bot.model import Person
from bot.rehearsal.people import Group, crowd
from bot.sop.hints import did_you_mean
from bot.sop.library import Library
from bot.sop.schema import Calendar

ACCOUNT = "rehearsal"
MONTH = 30  # days for which somebody is away, or until the last day of a shorter rehearsal


def casting(
    library: Library,
    calendar: str | None,
    accounts: Collection[str],
    many: int,
    members: int,
    days: int,
    seed: int,
) -> list[Group]:
    """So many groups of so many members, the calendars' audiences in turn. Raises Unusable.

    Fewer where calendars name the groups that they are for, and no more than that.
    """
    named: set[str] = set()
    tagged: set[tuple[str, ...]] = set()
    places = [_places(found, accounts, named, tagged) for found in _wanted(library, calendar)]
    groups = []
    for number, (account, chat, title, tags) in enumerate(islice(_in_turn(places), many), 1):
        chance = Random(f"{seed} {number}")
        prefix = f"p{number}"
        people = crowd(prefix, members - 1, min(MONTH, days - 1), chance)
        groups.append(
            Group(
                account or ACCOUNT,
                chat or f"g{number}",
                title or f"演练 {number} 群",
                tags,
                Person(f"{prefix}-0", "掌柜"),
                people,
                asks=number % 3 == 0,
            )
        )
    return groups


Place = tuple[str, str, str, tuple[str, ...]]  # account, chat, title, tags; "" is made up


def _wanted(library: Library, calendar: str | None) -> Sequence[Calendar]:
    if not library.calendars:
        raise Unusable("活动库里没有能用的日历，没有什么可演练。先运行 xiaoer check 看看。")
    if calendar is None:
        return list(library.calendars.values())
    if calendar not in library.calendars:
        hint = did_you_mean(calendar, library.calendars) or f"，可以写 {'、'.join(library.calendars)}"
        raise Unusable(f'不认识的日历 "{calendar}"{hint}')
    return [library.calendars[calendar]]


def _places(
    calendar: Calendar, accounts: Collection[str], named: set[str], tagged: set[tuple[str, ...]]
) -> Iterator[Place]:
    """Groups that a calendar is for: those that it names, once each; then any with a tag of its.

    Groups with a tag are made for the first calendar that has it.
    """
    audience = calendar.audience
    tags = tuple(tag for tag in audience.tags if audience.reaches([tag], []))[:1]
    for name in audience.groups:
        if name in named or not audience.reaches(tags, [name]):
            continue
        named.add(name)
        account, _, chat = name.partition("/")
        yield (account, chat, name, tags) if chat and account in accounts else ("", "", name, tags)
    if not tags or tags in tagged:
        return
    tagged.add(tags)
    for _ in count():
        yield "", "", "", tags


def _in_turn(places: Sequence[Iterator[Place]]) -> Iterator[Place]:
    """One place of each calendar, then the next of each, as long as there are any."""
    left = list(places)
    for place in cycle(places):
        if place in left:
            found = next(place, None)
            if found is None:
                left.remove(place)
            else:
                yield found
        if not left:
            return
