"""What a member meant by what they typed: one form for simplified and traditional, full and half width."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import opencc


def _table() -> dict[int, str | None]:
    """Each character that is written in another way in `plain`, made once.

    Traditional characters come from OpenCC one by one: commands are too short for its phrases.
    """
    table: dict[int, str | None] = {}
    for code in (*range(0x3001), *range(0xD800, 0xE000), *range(0xFE00, 0x10000), *range(0xE0000, 0xE0080)):
        char = chr(code)
        category = unicodedata.category(char)
        if category in {"Cc", "Cf", "Cs"}:
            table[code] = " " if char in "\t\n\r\v\f" else None
        elif category[0] == "Z":
            table[code] = " "
    for code in (*range(0xFF01, 0xFF5F), *range(0x24B6, 0x24EA), *range(0x1D400, 0x1D7FF)):
        table[code] = unicodedata.normalize("NFKC", chr(code))
    han = [chr(code) for code in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))]
    simple = opencc.OpenCC("t2s").convert("\n".join(han)).split("\n")
    table.update({ord(a): b for a, b in zip(han, simple, strict=True) if a != b})
    return table


# No command, answer or password is longer; what is, is talk and not looked at any further.
LONGEST = 24
_TABLE = _table()
# One range for all that lies beyond the first plane keeps the pattern a bitmap.
_ODD = re.compile(
    "[" + "".join(re.escape(chr(code)) for code in _TABLE if code < 0x10000) + "\U00010000-\U0010ffff]"
)
_APART = re.compile(r"[\s:：]+")
_TRAILING = " 。.！!～~，,、"


def plain(text: str) -> str:
    """The form in which texts are compared: `簽到 。` becomes `签到`, `Ｂ` becomes `b`.

    Spaces and full stops at the end go, runs of spaces become one, and letters are small.
    """
    # Most of what people write is in its plain form already, and a search is quicker than a table.
    flat = text.translate(_TABLE) if _ODD.search(text) else text
    flat = flat.strip().rstrip(_TRAILING).lower()
    return " ".join(flat.split()) if "  " in flat else flat


def spellings(chars: Iterable[str]) -> frozenset[str]:
    """Every character that a text can begin with when its plain form begins with one of these."""
    wanted = set(chars)
    skipped = {chr(code) for code, char in _TABLE.items() if char is None or char == " "}
    others = {chr(code) for code, char in _TABLE.items() if char and char[0].lower() in wanted}
    return frozenset(wanted | skipped | others | {char.upper() for char in wanted})


def words(text: str) -> tuple[str, str]:
    """The first word in its plain form, and the rest as it was typed."""
    parts = _APART.split(text.strip(), maxsplit=1)
    if not parts[0] or len(parts[0]) > LONGEST:
        return "", ""
    return plain(parts[0]), parts[1].strip() if len(parts) > 1 else ""


def display(name: str) -> str:
    """A nickname fit to stand in a sentence: one line, nothing invisible, at most 24 characters."""
    kept = "".join(char for char in name if unicodedata.category(char)[0] != "C")
    kept = " ".join(kept.split())
    return (kept[:23] + "…" if len(kept) > 24 else kept) or "群友"
