"""A time of the day as people say it: `20:00`, `8点半`, `晚上八点`."""

from __future__ import annotations

import re
from datetime import time

HOW_TIME = "要写成 8:00、20:30 或 晚上8点 这样"
_PARTS = "凌晨|清晨|早晨|早上|上午|早|中午|午间|下午|午后|傍晚|晚间|晚上|今晚|夜里|夜间|晚"
_LATER = ("下午", "午后", "傍晚", "晚间", "晚上", "今晚", "夜里", "夜间", "晚")
CLOCK = re.compile(
    rf"(?P<part>{_PARTS})?(?P<hour>\d{{1,2}}|[一二三四五六七八九十两零]{{1,3}})"
    r"(?::(?P<minute>\d{2})(?::\d{2})?|[点时](?:钟|整|(?P<said>半|一刻|三刻|\d{1,2}|[一二三四五六七八九十零]{1,3})分?)?)?"
    r"(?P<half>am|pm)?(?:左右|前后|开始|起)?"
)
_SAID_NUMBERS = {
    tens + (ones if ones != "零" or not tens else ""): ten * 10 + one
    for ten, tens in enumerate(("", "十", "二十", "三十", "四十", "五十"))
    for one, ones in enumerate("零一二三四五六七八九")
} | {"两": 2}


def clock_of(text: str) -> time | None:
    """Return the time of the day that a word in half-width letters is, or None."""
    match = CLOCK.fullmatch(text)
    try:
        return read_clock(match, text) if match else None
    except ValueError:
        return None


def read_clock(match: re.Match[str], text: str) -> time:
    """Read what CLOCK found in a text. Raises ValueError with a sentence."""
    part, said = match["part"] or "", match["said"] or ""
    hour = _number(match["hour"])
    fractions = {"半": 30, "一刻": 15, "三刻": 45}
    minute = int(match["minute"] or 0) or fractions.get(said) or _number(said or "0")
    bare = not (match["minute"] or match["half"] or "点" in text or "时" in text)
    late = part in _LATER or match["half"] == "pm"
    if bare or (part in _LATER and hour == 12 and part not in ("下午", "午后")):
        raise ValueError(f'"{text}" 看不出是几点，{HOW_TIME}')
    if (late and hour < 12) or (part in ("中午", "午间") and hour < 4):
        hour += 12
    if hour == 12 and (part == "凌晨" or match["half"] == "am"):
        hour = 0
    if hour > 23 or minute > 59:
        raise ValueError(f'"{text}" 不是一天里的时刻，要在 00:00 到 23:59 之间')
    return time(hour, minute)


def _number(said: str) -> int:
    return int(said) if said.isdigit() else _SAID_NUMBERS.get(said, 99)
