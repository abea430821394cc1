"""Reading what gateways say: texts, moments and mentions. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bot.model import SECOND

# WeChat's clients end a mention with it; it counts as white space.
MENTION_END = "\u2005"

# In seconds it is the end of 2037, in milliseconds January 1970; 10**13 ms is the year 2286.
_LAST_SECOND = 2_145_888_000
_LAST_MILLISECOND = 10**13


def moment(stamp: object, now: int) -> int:
    """A gateway's timestamp, in seconds or milliseconds, as microseconds. Without a usable one, now."""
    if not isinstance(stamp, int | float) or not 0 < stamp < _LAST_MILLISECOND:
        return now
    return int(stamp * (1_000 if stamp > _LAST_SECOND else SECOND))


def payload_of(raw: str) -> dict[str, Any]:
    """An event's payload, or an empty one where it is no JSON object."""
    try:
        payload = json.loads(raw)
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}


def text_of(payload: dict[str, Any], key: str) -> str:
    """A text in a payload, or '' where there is none."""
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def ids_of(value: object) -> tuple[str, ...]:
    """The ids in a list, each once; none where it is no list."""
    if not isinstance(value, list):
        return ()
    return tuple(dict.fromkeys(item for item in value if isinstance(item, str) and item))


def after_mention(text: str, names: Iterable[str]) -> str | None:
    """What follows mentions of one of these names at the head. None where there is none."""
    found = None
    heads = tuple(f"@{name}" for name in names if name)
    while head := next((head for head in heads if _begins_with(text, head)), None):
        found = text = text[len(head) :].strip()
    return found


def after_any_mention(text: str) -> str | None:
    """What follows a mention at the head, whoever it calls, if it is ended as clients end it."""
    head, end, rest = text.partition(MENTION_END)
    return rest.strip() if end and head.startswith("@") else None


def _begins_with(text: str, head: str) -> bool:
    # 小二黑 is not 小二: white space follows the name, or nothing.
    return text.startswith(head) and text[len(head) : len(head) + 1].strip() == ""
