"""What is different between two states of the library, by kind and id. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.sop.calendar import Calendar, slot_key
from bot.sop.holidays import Holidays
from bot.sop.library import Library

NOUNS = {
    "activity": "活动",
    "calendar": "日历",
    "slot": "时段",
    "holiday": "假日",
    "bank": "题库",
    "post": "帖子",
    "text": "小二的话",
}
MOST = 8


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of the library; `kind` is a key of NOUNS."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True, slots=True)
class Changes:
    """What was added, changed and removed, in the order of NOUNS."""

    added: tuple[Item, ...] = ()
    changed: tuple[Item, ...] = ()
    removed: tuple[Item, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def touched(self, keys: Iterable[str]) -> list[str]:
        """Those of these slots, and of what comes before them, that are new or may fall otherwise."""
        items = {*self.added, *self.changed, *self.removed}
        slots = {item.id for item in items if item.kind == "slot"}
        calendars = {item.id for item in items if item.kind == "calendar"}
        if any(item.kind == "holiday" for item in items):
            return list(keys)
        return [key for key in keys if key.partition("~")[0] in slots or key.partition("/")[0] in calendars]

    def lines(self) -> Iterator[str]:
        """For people: one line for each way, with the first few names."""
        for word, items in (("新增", self.added), ("改了", self.changed), ("去掉", self.removed)):
            if items:
                names = "、".join(f"{NOUNS[item.kind]} {item.id}" for item in items[:MOST])
                more = f"……一共 {len(items)} 样" if len(items) > MOST else ""
                yield f"{word} {names}{more}"


def compare(before: Library, after: Library) -> Changes:
    """What makes one state of the library into another."""
    added: list[Item] = []
    changed: list[Item] = []
    removed: list[Item] = []
    for kind, was, now in _tables(before, after):
        added += [Item(kind, key) for key in now if key not in was]
        changed += [Item(kind, key) for key in now if key in was and now[key] != was[key]]
        removed += [Item(kind, key) for key in was if key not in now]
    return Changes(tuple(added), tuple(changed), tuple(removed))


def _tables(
    before: Library, after: Library
) -> Iterator[tuple[str, Mapping[str, object], Mapping[str, object]]]:
    yield "activity", before.activities, after.activities
    yield "calendar", _heads(before.calendars), _heads(after.calendars)
    yield "slot", _slots(before.calendars), _slots(after.calendars)
    yield "holiday", _days(before.holidays), _days(after.holidays)
    yield "bank", before.banks, after.banks
    yield "post", before.posts, after.posts
    yield "text", before.texts, after.texts


def _heads(calendars: Mapping[str, Calendar]) -> Mapping[str, object]:
    """The calendars without their slots, which are compared one by one."""
    return {name: calendar.model_copy(update={"slots": ()}) for name, calendar in calendars.items()}


def _days(holidays: Holidays) -> Mapping[str, object]:
    worked = dict.fromkeys(map(str, holidays.workdays), "上班")
    return worked | {str(day): name for day, name in holidays.named.items()}


def _slots(calendars: Mapping[str, Calendar]) -> Mapping[str, object]:
    return {slot_key(name, slot): slot for name, calendar in calendars.items() for slot in calendar.slots}
