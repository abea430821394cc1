"""What no schema can see: whether files refer to what is there, slots that are one, names of texts.

All is read as it was typed, so that what else is wrong in a file hides none of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.errors import Fault
from bot.sop.calendar import CONTENTS, NO_THING, complaints
from bot.sop.dates import calendar_date
from bot.sop.hints import did_you_mean
from bot.sop.posts import ALWAYS, NAMES
from bot.sop.reading import Document, Loc
from bot.sop.schema import Activity, Bank, Post, Slot, check_template, is_post_id, variables
from bot.sop.shelf import Shelf

Told = tuple[Loc, str]  # where, and what is said there

_NUMBER = TypeAdapter(int)
_NO_PART = ("late", "priority", "warm_up", "most")
# What a post may have beside its text, and a member text may not.
_BESIDE = {
    "picture": "带图片",
    "file": "带文件",
    "card": "带链接卡片",
    "everyone": "@所有人",
    "several": "分几条",
}
MANY = ".many"  # the ending of texts that speak to several people at once; see bot/outbox/merging.py


def wrong_questions(document: Document, banks: Shelf[Bank], game: str) -> list[Fault]:
    """Check that an activity's banks are there, are of its game (if that is known), and hold enough."""
    path = ("questions", "from")
    raws = document.items(*path) or [document.at(*path)]
    names = [raw.strip() if isinstance(raw, str) else "" for raw in raws]
    faults: list[Fault] = []
    held: dict[str, int] = {}
    for number, name in enumerate(names):
        if not name:
            continue
        if missing := banks.missing(name):
            faults.append(document.fault((*path, number), missing))
        elif game and (bank := banks.good[name]).game != game:
            message = f'题库 "{name}" 是 {bank.game} 的题，这个活动玩的是 {game}'
            faults.append(document.fault((*path, number), message))
        else:
            held[name] = len(banks.good[name].questions)
    enough = sum(held.values())
    pick = _number(document.text("questions", "pick"))
    if all(names) and not faults and pick > enough:
        message = f"要抽 {pick} 题，题库里只有 {enough} 题"
        faults.append(document.fault(("questions", "pick"), message))
    return faults


def _number(text: str) -> int:
    try:
        return _NUMBER.validate_python(text)
    except ValidationError:
        return 0


def wrong_hook(document: Document, posts: Shelf[Post]) -> list[Fault]:
    """Check that the post of an activity's hook is there, and calls nobody by name."""
    path = ("hook", "post")
    if not is_post_id(name := document.text(*path)):
        return []
    told = posts.missing(name)
    if not told and any(NAMES in variables(said) for said in posts.good[name].words):
        told = f'帖子 "{name}" 里有 {{{NAMES}}}，钩子不是写给哪几个人的，不能用它'
    return [document.fault(path, told)] if told else []


def lost_slots(document: Document, activities: Shelf[Activity], posts: Shelf[Post]) -> dict[int, list[Fault]]:
    """Return the slots of a calendar that refer to nothing, or to what does not fit, by their number."""
    lost: dict[int, list[Fault]] = {}
    for number, raw in _slots(document):
        path = ("slots", number)
        for_some = bool({"day", "segment"} & raw.keys())
        told = list(_missing(document, path, activities, posts))
        for each, name in _rotated(document, path):
            told.append((each, _not_one(name, activities, posts, for_some=for_some)))
        if not for_some:
            told += _calling((*_posts(document, path), *_rotated(document, path)), posts)
        faults = [document.fault(each, said) for each, said in told if said]
        if faults:
            lost[number] = faults
    return lost


def wrong_overrides(document: Document, activities: Shelf[Activity], posts: Shelf[Post]) -> list[Fault]:
    """Find what some groups are to have instead of nothing that there is, or as what there is not."""
    ids = {document.text("slots", number, "id"): raw for number, raw in _slots(document)}
    told: list[Told] = []
    for number, raw in enumerate(document.items("overrides")):
        path = ("overrides", number)
        if isinstance(raw, dict) and (name := document.text(*path, "slot")) and name not in ids:
            hint = did_you_mean(name, ids) or "，要写时段的 id"
            told.append(((*path, "slot"), f'这本日历没有时段 "{name}"{hint}'))
        if isinstance(raw, dict):
            told += _missing(document, path, activities, posts)
            if not {"day", "segment"} & ids.get(document.text(*path, "slot"), {}).keys():
                told += _calling(_posts(document, path), posts)
    return [document.fault(each, said) for each, said in told if said]


def _missing(
    document: Document, path: Loc, activities: Shelf[Activity], posts: Shelf[Post]
) -> Iterator[Told]:
    if do := document.text(*path, "do"):
        yield (*path, "do"), activities.missing(do)
    for each, name in _posts(document, path):
        yield each, posts.missing(name)


def _calling(named: Iterable[Told], posts: Shelf[Post]) -> Iterator[Told]:
    """Say which of these posts call people by name, where there is nobody to call."""
    for place, name in named:
        if name in posts.good and any(NAMES in variables(said) for said in posts.good[name].words):
            yield place, f'帖子 "{name}" 里有 {{{NAMES}}}，只能发在有 day 或 segment 的时段'


def _posts(document: Document, path: Loc) -> Iterator[Told]:
    """Yield the posts that a slot names, and those before it."""
    places = [(*path, "post")]
    for number, _ in enumerate(document.items(*path, "warm_up")):
        places.append((*path, "warm_up", number, "post"))
    for place in places:
        if is_post_id(name := document.text(*place)):
            yield place, name


def _rotated(document: Document, path: Loc) -> Iterator[Told]:
    for number, _ in enumerate(document.items(*path, "rotate")):
        if name := document.text(*path, "rotate", number):
            yield (*path, "rotate", number), name


def _not_one(name: str, activities: Shelf[Activity], posts: Shelf[Post], *, for_some: bool) -> str:
    """Say why a name in a rotation is not just one thing, or nothing when it is."""
    if name in activities.good and name in posts.good:
        return f'"{name}" 既是活动又是帖子，分不清轮到哪个，请把一个改名'
    if for_some and name in activities.good:
        return f'"{name}" 是活动；有 day 或 segment 的时段只能轮着发帖子'
    if name in activities.good or name in posts.good:
        return ""
    if name in activities.broken or name in posts.broken:
        return (activities if name in activities.broken else posts).missing(name)
    known = (*activities.good, *activities.broken, *posts.good, *posts.broken)
    return f'不认识的活动或帖子 "{name}"{did_you_mean(name, known)}'


def wrong_slots(document: Document) -> list[Fault]:
    """Find the slots that do nothing or have keys that do not go together, and those that were there before."""
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    for number, raw in _slots(document):
        path = ("slots", number)
        given = {key for key in raw if raw[key] and not isinstance(raw[key], dict)}
        wrong = complaints(given)
        if not raw.keys() & set(CONTENTS) and raw.keys() <= Slot.model_fields.keys():
            wrong = [NO_THING]
        if wrong:
            faults.append(document.fault(path, "；".join(wrong)))
        identity = document.text(*path, "id") if "id" in raw else _identity(raw)
        first = seen.setdefault(identity, number) if identity else number
        if first != number and "id" in raw:
            message = f'id "{identity}" 和第 {first + 1} 条的一样，请换一个'
            faults.append(document.fault((*path, "id"), message))
        elif first != number:
            message = f"和第 {first + 1} 条一模一样，请删掉一条"
            faults.append(document.fault(path, message))
    return faults


def _slots(document: Document) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, raw in enumerate(document.items("slots")):
        if isinstance(raw, dict):
            yield number, raw


def _identity(raw: dict[str, Any]) -> str:
    """Return the identity of a slot without an id, of which some keys are no part. "" when it has none."""
    try:
        return Slot.model_validate({key: raw[key] for key in raw if key not in _NO_PART}).identity
    except ValidationError:
        return ""


def wrong_holidays(document: Document) -> list[Fault]:
    """Find the days that are said to be off and worked."""
    off = document.at("holidays")
    days = {_day(day) for day in off} if isinstance(off, dict) else set()
    return [
        document.fault(("workdays", number), f'"{day}" 在 holidays 里也有，只能写在一边')
        for number, day in enumerate(document.items("workdays"))
        if isinstance(day, str) and _day(day) in days - {""}
    ]


def _day(text: str) -> str:
    try:
        return calendar_date(text).isoformat()
    except ValueError:
        return ""


def wrong_text(document: Document, name: str, defaults: Mapping[str, str]) -> list[Fault]:
    """Check the name of a post or a member text, and the variables in it as far as they are known."""
    faults: list[Fault] = []
    text = document.text(name) or document.text(name, "text")
    known: tuple[str, ...] = variables(defaults.get(name, "")) if "." in name else (*ALWAYS, NAMES)
    if "." in name and name not in defaults:
        hint = did_you_mean(name, defaults)
        faults.append(document.fault((name,), f'不认识的文字 "{name}"{hint}', at_key=True))
        known = variables(text)
    elif "." not in name and not is_post_id(name):
        message = f'名字 "{name}" 只能用小写字母、数字和 "-"'
        faults.append(document.fault((name,), message, at_key=True))
    needed = next((each for each in ("lines", "names") if name.endswith(MANY) and each in known), "")
    if text and needed and needed not in variables(text):
        faults.append(document.fault((name,), f"里面要有 {{{needed}}}，不然少了要告诉每个人的话"))
    beside = next((said for key, said in _BESIDE.items() if (name, key) in document.values), "")
    if "." in name and beside:
        faults.append(document.fault((name,), f'文字 "{name}" 不能{beside}，只写一段文字'))
    for place in _said(document, (name,)):
        try:
            check_template(document.text(*place), known)
        except ValueError as error:
            faults.append(document.fault(place, str(error)))
    return faults


def _said(document: Document, path: Loc) -> Iterator[Loc]:
    """Yield where a post has texts that may have variables."""
    yield path
    yield from ((*path, *key) for key in (("text",), ("card", "title"), ("card", "description")))
    for number, _ in enumerate(document.items(*path, "several")):
        yield from _said(document, (*path, "several", number))
