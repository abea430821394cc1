"""Whether what the calendars hold can go out in time: to so many groups, by accounts that send so fast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from bot.errors import Fault
from bot.model import DAY, HOUR, LONGEST, MINUTE, SECOND, Group
from bot.sop.library import Library
from bot.sop.schema import Slot, slot_key

Reach = Mapping[str, int]  # calendar → how many groups of one account it is for


def reach(library: Library, groups: Iterable[Group], tags: Mapping[int, Collection[str]]) -> dict[str, Reach]:
    """Return, for each account, how many of its groups each calendar is for."""
    found: dict[str, Counter[str]] = {}
    for group in groups:
        for name, calendar in library.calendars.items():
            if group.opened_at and set(calendar.audience.tags) & set(tags.get(group.id, ())):
                found.setdefault(group.account, Counter())[name] += 1
    return dict(found)


def too_slow(library: Library, accounts: Iterable[Reach], each: int) -> list[Fault]:
    """Return the slots that do not get to their last group within `late`, when each message takes so long.

    What falls due while others are still going out waits for them.
    """
    worst: dict[str, tuple[int, int, Slot]] = {}
    for account in accounts:
        free = 0
        for due, name, slot in _week(library, account):
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


def _week(library: Library, account: Reach) -> Iterator[tuple[int, str, Slot]]:
    """Yield the slots of a week as they fall due, and once more, for what the end of one leaves to the next."""
    slots = [
        (day * DAY + slot.at.hour * HOUR + slot.at.minute * MINUTE, name, slot)
        for name in account
        for slot in library.calendars[name].slots
        for day in slot.on
    ]
    slots.sort(key=lambda one: one[0])
    for week in (0, 7 * DAY):
        for due, name, slot in slots:
            yield week + due, name, slot


def _messages(library: Library, slot: Slot) -> int:
    """Return how many messages a slot begins with in each group."""
    if slot.do is not None:
        return library.activities[slot.do].messages
    post = library.posts.get(slot.post or "")
    text = post.text if post else slot.post or ""
    return 1 + len(text) // LONGEST + bool(post and post.picture)


def _span_of(one: tuple[int, int, Slot]) -> int:
    return one[0]


def _sentence(span: int, groups: int, slot: Slot, each: int) -> str:
    return (
        f"{groups} 个群，轮到最后一个要 {_told(span)}，late 只有 {_told(slot.late)}，轮不到的会错过。"
        f"一个账号一分钟一共发 {MINUTE // each} 条，回话也算在里面"
    )


def _told(span: int) -> str:
    seconds = -(-span // SECOND)
    parts = ((seconds // 3600, "小时"), (seconds // 60 % 60, "分钟"), (seconds % 60, "秒"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
