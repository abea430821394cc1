"""Whether what the calendars hold can go out in time: to so many groups, by accounts that send so fast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

from bot.durations import in_words
from bot.errors import Fault
from bot.model import DAY, HOUR, LONGEST, MINUTE, SECOND, Group, names_of
from bot.sop.days import between
from bot.sop.library import Library
from bot.sop.posts import Piece
from bot.sop.schema import Slot, slot_key

# What is weekly shows in so many weeks; a slot with so few days in a year is looked at on each of them.
WEEKS = 2
RARE = 24

Reach = Mapping[str, int]  # calendar → how many groups of one account it is for


def reach(library: Library, groups: Iterable[Group], tags: Mapping[int, Collection[str]]) -> dict[str, Reach]:
    """Return, for each account, how many of its groups each calendar is for."""
    found: dict[str, Counter[str]] = {}
    for group in groups:
        for name, calendar in library.calendars.items():
            if group.opened_at and calendar.audience.reaches(tags.get(group.id, ()), names_of(group)):
                found.setdefault(group.account, Counter())[name] += 1
    return dict(found)


def too_slow(library: Library, accounts: Iterable[Reach], each: int, today: date) -> list[Fault]:
    """Return the slots that do not get to their last group within `late`, when each message takes so long.

    What falls due while others are still going out waits for them.
    """
    worst: dict[str, tuple[int, int, Slot]] = {}
    for account in accounts:
        free = 0
        for due, name, slot in _ahead(library, account, today):
            free = max(free, due) + account[name] * _messages(library, slot) * each
            key = slot_key(name, slot)
            if free - due > slot.late:
                worst[key] = max(
                    worst.get(key, (0, 0, slot)), (free - due, account[name], slot), key=_span_of
                )
    return sorted(
        replace(library.places[key], message=_sentence(span, groups, slot, each))
        for key, (span, groups, slot) in worst.items()
    )


def _ahead(library: Library, account: Reach, today: date) -> Iterator[tuple[int, str, Slot]]:
    """Yield the slots as they fall due: in two weeks, and then around each day that has one of its own.

    Those for some of the members go to few, and are left out.
    """
    year = today + timedelta(366)
    slots = [
        (name, slot, list(between(slot.rule, today, year, library.holidays)))
        for name in account
        for slot in library.calendars[name].slots
        if not slot.for_some
    ]
    looked_at = {today + timedelta(number) for number in range(WEEKS * 7)}
    for _, _, days in slots:
        if len(days) <= RARE:
            looked_at.update(day - timedelta(back) for day in days for back in (0, 1))
    due = [
        (day.toordinal() * DAY + slot.at.hour * HOUR + slot.at.minute * MINUTE, name, slot)
        for name, slot, days in slots
        for day in days
        if day in looked_at
    ]
    yield from sorted(due, key=lambda one: one[0])


def _messages(library: Library, slot: Slot) -> int:
    """Return how many messages a slot begins with in each group."""
    if slot.rotate:
        return max(_messages(library, one) for one in slot.each())
    if slot.do is not None:
        return library.activities[slot.do].messages
    post = library.posts.get(slot.post or "")
    return sum(_parts(piece) for _, piece in post.steps) if post else 1 + len(slot.post or "") // LONGEST


def _parts(piece: Piece) -> int:
    """Return as how many messages one arrives: picture, file and card come after the text."""
    told = 1 + len(piece.text) // LONGEST if piece.text else 0
    return told + sum(bool(beside) for beside in (piece.picture, piece.file, piece.card))


def _span_of(one: tuple[int, int, Slot]) -> int:
    return one[0]


def _sentence(span: int, groups: int, slot: Slot, each: int) -> str:
    return (
        f"{groups} 个群，轮到最后一个要 {_told(span)}，late 只有 {_told(slot.late)}，轮不到的会错过。"
        f"一个账号一分钟一共发 {MINUTE // each} 条，回话也算在里面"
    )


def _told(span: int) -> str:
    return in_words(-(-span // SECOND) * SECOND)
