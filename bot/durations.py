"""Spans of time as operators write them, in their files and on the sandbox's page."""

from __future__ import annotations

import re

from bot.model import DAY, HOUR, MINUTE, SECOND

LONGEST = 366 * DAY

_UNITS = {"d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND}
_DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)


def in_words(span: int) -> str:
    """Say a span of microseconds: `1 小时 30 分钟`; what is less than a second is left out."""
    seconds = span // SECOND
    parts = ((seconds // 3600, "小时"), (seconds // 60 % 60, "分钟"), (seconds % 60, "秒"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 秒"


def duration(text: str) -> int:
    """Read `90s`, `3m`, `1h30m` or `2d` as microseconds. Raises ValueError with a sentence."""
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError(f'"{text}" 不是时长，要写成 90s、3m、1h30m 或 2d 这样')
    total = sum(int(n) * unit for n, unit in zip(match.groups("0"), _UNITS.values(), strict=True))
    if total > LONGEST:
        raise ValueError(f'时长 "{text}" 太长，最多 366d')
    return total
