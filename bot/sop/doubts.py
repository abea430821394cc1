"""What is right as it is written, and may yet not be meant: `xiaoer check` tells it as a warning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations, pairwise

from bot.errors import Fault
from bot.sop.calendar import Audience, Slot, slot_key
from bot.sop.days import Rule, asks_for_holidays, between, left_out
from bot.sop.due import unknown
from bot.sop.library import Library
from bot.sop.rotation import pick
from bot.sop.schema import Questions

AHEAD, SOON = timedelta(366), timedelta(56)

Pool = frozenset[str]  # the banks that an activity draws from
Has = tuple[Collection[str], Collection[str]]  # a group's tags, and the names it may be called by


def doubtful(library: Library, today: date, groups: Sequence[Has] = ()) -> list[Fault]:
    """Return what an operator should look at, as of a day. `groups` are those that are open, when it is known."""
    found = [*_collisions(library, today), *unknown_years(library, today), *_past(library, today)]
    found += [*_same_in_a_row(library, today), *_too_few_questions(library, today)]
    found += _for_nobody(library, groups)
    return sorted(found)


def _collisions(library: Library, today: date) -> Iterator[Fault]:
    """Find slots that fall on one moment in groups which can have both; each is told of one other."""
    falls: dict[Rule, frozenset[date]] = {}
    at_once: dict[object, list[tuple[str, Slot]]] = {}
    for name, calendar in library.calendars.items():
        for slot in calendar.slots:
            rule = calendar.rule(slot)
            if rule not in falls:
                year = between(rule, today, today + AHEAD, library.holidays)
                falls[rule] = frozenset(day for day in year if not left_out(rule, day, library.holidays))
            if slot.to == "group":
                at_once.setdefault(slot.at, []).append((name, slot))
    for slots in at_once.values():
        for number, (name, slot) in enumerate(slots):
            days = falls[library.calendars[name].rule(slot)]
            for other, before in slots[:number]:
                mine, theirs = library.calendars[name], library.calendars[other]
                if not _meet(mine.audience, theirs.audience):
                    continue
                if both := days & falls[theirs.rule(before)]:
                    yield _collision(library, (name, slot), (other, before), min(both))
                    break


def _collision(library: Library, mine: tuple[str, Slot], other: tuple[str, Slot], day: date) -> Fault:
    first = min(mine, other, key=lambda one: (-one[1].priority, slot_key(*one)))
    told = _told(*other) if other[0] == mine[0] else f'日历 "{other[0]}" 的{_told(*other)}'
    return replace(
        library.places[slot_key(*mine)],
        message=(
            f"{day:%Y-%m-%d} {mine[1].at:%H:%M} 和{told} 撞在同一时刻，先发的是{_told(*first)}；"
            "要错开就改 at，要换先后就写 priority"
        ),
    )


def _same_in_a_row(library: Library, today: date) -> Iterator[Fault]:
    """Find two slots of a calendar that take turns in the same things, and come to one twice in a row."""
    for name, calendar in library.calendars.items():
        turning = [slot for slot in calendar.slots if slot.rotate and not slot.for_some]
        for one, other in combinations(turning, 2):
            if not set(one.rotate or ()) & set(other.rotate or ()):
                continue
            come = sorted(
                (day, slot.at, pick(slot.rotate or (), rule, day, library.holidays))
                for slot in (one, other)
                for rule in [calendar.rule(slot)]
                for day in between(rule, today, today + SOON, library.holidays)
                if not left_out(rule, day, library.holidays)
            )
            twice = next((second for first, second in pairwise(come) if first[2] == second[2]), None)
            if twice:
                day, at, what = twice
                yield replace(
                    library.places[slot_key(name, other)],
                    message=(
                        f"和{_told(name, one)} 轮的是同样几样，{day:%Y-%m-%d} {at:%H:%M} 会连着两次是 "
                        f'"{what.rpartition(":")[2]}"；把两条合成一条，或者换一换这里的次序'
                    ),
                )


def _told(_calendar: str, slot: Slot) -> str:
    return f'时段 "{slot.id or slot.do or slot.post or "、".join(slot.rotate or ())}"'


def _meet(one: Audience, other: Audience) -> bool:
    """Whether one group can be in both, for all that the files say."""
    tags = set(one.tags) & set(other.tags)
    names = set(one.groups) & set(other.groups)
    for audience in (one, other):
        if audience.except_:
            tags -= set(audience.except_.tags)
            names -= set(audience.except_.groups)
    return bool(tags or names)


def unknown_years(library: Library, today: date) -> Iterator[Fault]:
    """Find the calendars that go by days off which nobody has arranged yet, in the year to come."""
    years = [year for year in range(today.year, (today + AHEAD).year + 1) if not library.holidays.knows(year)]
    for name, calendar in library.calendars.items():
        asking = [slot for slot in calendar.slots if asks_for_holidays(calendar.rule(slot))]
        for slot in asking[:1]:
            place = library.places[slot_key(name, slot)]
            for year in years:
                yield replace(place, message=f"{unknown(year)}；公布了可以写进 holidays.yaml")


def _past(library: Library, today: date) -> Iterator[Fault]:
    """Find the slots whose days are all over."""
    for name, calendar in library.calendars.items():
        for slot in calendar.slots:
            if slot.once and max(slot.once) < today:
                place = library.places[slot_key(name, slot)]
                yield replace(place, message=f"{max(slot.once)} 已经过去了，这一条不会再发，可以删掉")


def _too_few_questions(library: Library, today: date) -> Iterator[Fault]:
    """Find the slots whose questions must come again sooner than `not_again_within` says.

    What a group is asked counts over all calendars that it can have, with what others draw from no other bank.
    """
    drawn: dict[str, dict[Pool, Counter[date]]] = {name: {} for name in library.calendars}
    promised: list[tuple[str, Slot, str, Questions, list[date]]] = []
    for name, calendar in library.calendars.items():
        for slot in calendar.slots:
            for activity, questions, days in _asking(library, name, slot, today):
                each = drawn[name].setdefault(frozenset(questions.banks()), Counter())
                each.update(dict.fromkeys(days, questions.pick))
                if questions.days_apart:
                    promised.append((name, slot, activity, questions, days))
    for name, slot, activity, questions, days in promised:
        pool = frozenset(questions.banks())
        size = sum(len(library.banks[bank].questions) for bank in pool)
        whole = _together(library, drawn, name, pool)
        most, first = _most_within(whole, questions.days_apart, frozenset(days))
        if most > size:
            message = (
                f"题库 {'、'.join(sorted(pool))} 一共 {size} 题，从 {first:%Y-%m-%d} 起 {questions.days_apart} 天里"
                f'要抽 {most} 题，会重复；活动 "{activity}" 写了 not_again_within：多写几题，少抽几题，或者把它写短'
            )
            yield replace(library.places[slot_key(name, slot)], message=message)


def _together(
    library: Library, drawn: Mapping[str, Mapping[Pool, Counter[date]]], calendar: str, pool: Pool
) -> Counter[date]:
    """Count what is drawn on each day from these banks alone, in groups that can have a calendar."""
    whole = Counter[date]()
    for other, pools in drawn.items():
        if other == calendar or _meet(
            library.calendars[calendar].audience, library.calendars[other].audience
        ):
            for narrower in pools:
                if narrower <= pool:
                    whole.update(pools[narrower])
    return whole


def _asking(
    library: Library, calendar: str, slot: Slot, today: date
) -> Iterator[tuple[str, Questions, list[date]]]:
    """Yield the activities with questions that a slot starts, and on which days of the year to come."""
    asking: dict[str, Questions] = {}
    for one in slot.each() or [slot]:
        questions = getattr(library.activities.get(one.do or ""), "questions", None)
        if one.do and isinstance(questions, Questions):
            asking[one.do] = questions
    if not asking:
        return
    rule, holidays = library.calendars[calendar].rule(slot), library.holidays
    days: dict[str, list[date]] = {activity: [] for activity in asking}
    for day in between(rule, today, today + AHEAD, holidays):
        if left_out(rule, day, holidays):
            continue
        what = pick(slot.rotate, rule, day, holidays).rpartition(":")[2] if slot.rotate else slot.do
        if what in days:
            days[what].append(day)
    for activity, questions in asking.items():
        yield activity, questions, days[activity]


def _most_within(whole: Counter[date], span: int, ends: Collection[date]) -> tuple[int, date]:
    """Return the most that comes in so many days, of which the last is one of the ends, and the first of them."""
    days = sorted(whole)
    most, begins, held, first = 0, date.max, 0, 0
    for day in days:
        held += whole[day]
        while (day - days[first]).days >= span:
            held -= whole[days[first]]
            first += 1
        if held > most and day in ends:
            most, begins = held, days[first]
    return most, begins


def _for_nobody(library: Library, groups: Iterable[Has]) -> Iterator[Fault]:
    """Find the calendars that leave out all they are for, and, if any group is open, those that none has."""
    known = list(groups)
    for name, calendar in library.calendars.items():
        audience = calendar.audience
        message = ""
        if not _meet(audience, audience):
            message = "audience 里要的，except 又都去掉了，谁也收不到"
        elif known and not any(audience.reaches(*group) for group in known):
            wanted = "、".join((*audience.tags, *audience.groups))
            message = f"开张的群里没有一个是这本日历要的（{wanted}），现在谁也收不到"
        if message and calendar.slots:
            yield replace(library.places[slot_key(name, calendar.slots[0])], message=message)
