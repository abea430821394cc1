"""What no schema can see: whether files refer to what is there, slots that are one, names of texts.

All is read as it was typed, so that what else is wrong in a file hides none of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.errors import Fault
from bot.sop.hints import did_you_mean
from bot.sop.reading import Document
from bot.sop.schema import (
    NO_THING,
    TWO_THINGS,
    Activity,
    Bank,
    Post,
    Slot,
    check_template,
    is_post_id,
    variables,
)
from bot.sop.shelf import Shelf

_NUMBER = TypeAdapter(int)
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


def lost_slots(document: Document, activities: Shelf[Activity], posts: Shelf[Post]) -> dict[int, list[Fault]]:
    """Return the slots of a calendar that refer to nothing, by their number."""
    lost: dict[int, list[Fault]] = {}
    for number, _ in _slots(document):
        do, post = (document.text("slots", number, key) for key in ("do", "post"))
        missing = {
            "do": activities.missing(do) if do else "",
            "post": posts.missing(post) if is_post_id(post) else "",
        }
        faults = [document.fault(("slots", number, key), said) for key, said in missing.items() if said]
        if faults:
            lost[number] = faults
    return lost


def wrong_slots(document: Document) -> list[Fault]:
    """Find the slots that do nothing or two things, and those that were there before."""
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    for number, raw in _slots(document):
        if document.text("slots", number, "do") and document.text("slots", number, "post"):
            faults.append(document.fault(("slots", number), TWO_THINGS))
        elif not raw.keys() & {"do", "post"} and raw.keys() <= Slot.model_fields.keys():
            faults.append(document.fault(("slots", number), NO_THING))
        identity = document.text("slots", number, "id") if "id" in raw else _identity(raw)
        first = seen.setdefault(identity, number) if identity else number
        if first != number and "id" in raw:
            message = f'id "{identity}" 和第 {first + 1} 条的一样，请换一个'
            faults.append(document.fault(("slots", number, "id"), message))
        elif first != number:
            message = f"和第 {first + 1} 条一模一样，请删掉一条"
            faults.append(document.fault(("slots", number), message))
    return faults


def _slots(document: Document) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, raw in enumerate(document.items("slots")):
        if isinstance(raw, dict):
            yield number, raw


def _identity(raw: dict[str, Any]) -> str:
    """Return the identity of a slot without an id; lateness is no part of it. "" when it has none."""
    try:
        return Slot.model_validate({key: raw[key] for key in raw if key != "late"}).identity
    except ValidationError:
        return ""


def wrong_text(document: Document, name: str, defaults: Mapping[str, str]) -> list[Fault]:
    """Check the name of a post or a member text, and the variables in it as far as they are known."""
    faults: list[Fault] = []
    text = document.text(name) or document.text(name, "text")
    known = variables(defaults.get(name, ""))
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
    if "." in name and (name, "picture") in document.values:
        faults.append(document.fault((name,), f'文字 "{name}" 不能带图片，只写一段文字'))
    try:
        check_template(text, known)
    except ValueError as error:
        faults.append(document.fault((name,), str(error)))
    return faults
