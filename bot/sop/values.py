"""The little languages in the operators' files: durations, times of day, weekdays, templates, files.

Dates of every kind are in bot/sop/dates.py.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from bot.durations import duration
from bot.sop.days import DAYS_OFF, WORKDAYS
from bot.sop.hints import did_you_mean, nearest

PICTURES = (".png", ".jpg", ".jpeg", ".gif")
# How the files of these kinds begin, whatever they are called.
_BEGINNINGS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
# 微信 shows no larger picture in a chat, and takes no larger file.
LARGEST_PICTURE, LARGEST_FILE = 10_000_000, 100_000_000

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_NUMBERS = {day: number for number, day in enumerate(_DAYS)} | {
    week + day: number % 7
    for week in ("周", "星期")
    for day, number in zip("一二三四五六日天", (0, 1, 2, 3, 4, 5, 6, 6), strict=True)
}
_KINDS_OF_DAY = {WORKDAYS: WORKDAYS, DAYS_OFF: DAYS_OFF, "工作日": WORKDAYS, "节假日": DAYS_OFF}
_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)
_ADDRESS = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://[^\s/]+\S*")


def clock_time(text: str) -> time:
    """Read `08:00`. Raises ValueError with a sentence."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" 不是一天里的时刻，要写成 00:00 到 23:59，比如 08:00')
    return time(int(match[1]), int(match[2]))


def days(value: object) -> frozenset[int] | str:
    """Read `daily`, `mon-fri`, `周一`, `[mon, wed]`, … as weekdays, 0 for Monday; or `workdays`, `holidays`.

    Raises ValueError.
    """
    if isinstance(value, frozenset):
        return value
    if isinstance(value, str) and value in _KINDS_OF_DAY:
        return _KINDS_OF_DAY[value]
    parts = value if isinstance(value, list) else [value]
    if mixed := [part for part in parts if isinstance(part, str) and part in _KINDS_OF_DAY]:
        raise ValueError(f'"{mixed[0]}" 要单独写，不能和别的日子放在一个列表里')
    if not parts:
        raise ValueError("on 不能空着，要写星期几，比如 mon-fri、[mon, wed] 或 daily")
    return frozenset(day for part in parts for day in _days(typed(part, "星期几，比如 mon-fri 或 daily")))


def _days(text: str) -> set[int]:
    if text in ("daily", "每天"):
        return set(range(7))
    first, dash, last = text.partition("-")
    start = _day(first.strip(), text)
    end = _day(last.strip(), text) if dash else start
    return {(start + step) % 7 for step in range((end - start) % 7 + 1)}


def _day(name: str, text: str) -> int:
    number = _DAY_NUMBERS.get(name.lower())
    if number is None:
        hint = did_you_mean(name, (*_DAYS, WORKDAYS, DAYS_OFF) if name.isascii() else _DAY_NUMBERS)
        known = "，要写 mon 到 sun、mon-fri、[mon, wed]、daily、周一到周日、workdays 或 holidays"
        raise ValueError(f'不认识的日子 "{text}"' + (hint or known))
    return number


def _in_any_case(word: str) -> str:
    """Return a pattern for a word in large or small letters, for who has no flags."""
    return "".join(f"[{letter.upper()}{letter}]" for letter in word)


def variables(text: str) -> tuple[str, ...]:
    """Return the names that stand as `{name}` in a text, in order."""
    return tuple(dict.fromkeys(_VARIABLE.findall(text)))


def check_template(text: str, names: Collection[str]) -> str:
    """Return the text when its variables are among the names. Raises ValueError with all that is wrong."""
    wrong: list[str] = []
    if brace := re.search(r"[{}]", _VARIABLE.sub("", text)):
        wrong.append(f'单独的 "{brace[0]}" 不能用：变量写成 {{名字}}，括号请改用全角的（）')
    for name in variables(text):
        if name not in names:
            known = "、".join(f"{{{each}}}" for each in names)
            hint = f"，可以用 {known}" if known else "，这里不能用变量"
            if meant := nearest(name, names):
                hint = f"，是不是 {{{meant}}}？"
            wrong.append(f"没有 {{{name}}} 这个变量" + hint)
    if wrong:
        raise ValueError("；".join(wrong))
    return text


def template(*names: str) -> AfterValidator:
    """Check the variables of a text: annotate it with `Annotated[str, ...]` and this."""
    return AfterValidator(lambda text: check_template(text, names))


def _picture(name: str, info: ValidationInfo) -> str:
    if not name.lower().endswith(PICTURES):
        raise ValueError(f'图片 "{name}" 要以 .png、.jpg、.jpeg 或 .gif 结尾')
    if path := _there("图片", name, info, LARGEST_PICTURE):
        try:
            with path.open("rb") as file:
                head = file.read(8)
        except OSError as error:
            raise ValueError(f'读不了图片 "{name}"：{error.strerror}') from None
        if not head.startswith(_BEGINNINGS):
            raise ValueError(f'"{name}" 不是图片：里面不是 PNG、JPEG 或 GIF，请另存成这几种')
    return name


def _attachment(name: str, info: ValidationInfo) -> str:
    _there("文件", name, info, LARGEST_FILE)
    return name


def _there(noun: str, name: str, info: ValidationInfo, largest: int) -> Path | None:
    """The path of a file of the library; None where nobody looks. Raises ValueError when it cannot be sent."""
    root = (info.context or {}).get("root")
    if not isinstance(root, Path):
        return None
    try:
        path = (root / name).resolve()
        inside, found = path.is_relative_to(root.resolve()), path.is_file()
        size = path.stat().st_size if found else 0
    except ValueError:  # a zero byte, of which the reader tells
        return None
    except (OSError, RuntimeError):  # a name too long, links in a circle
        inside = found = False
    if found and not inside:
        raise ValueError(f'{noun} "{name}" 不在 {root.name} 里面，请把它放进来')
    if not found:
        raise ValueError(f'找不到{noun} "{name}"，路径从 {root.name} 算起')
    if not size:
        raise ValueError(f'{noun} "{name}" 是空的')
    if size > largest:
        mb = f"{size / 1_000_000:.1f} MB，最多 {largest // 1_000_000} MB"
        raise ValueError(f'{noun} "{name}" 太大：{mb}')
    return path


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f'"{text}" 不是网址，要以 http:// 或 https:// 开头，中间没有空格')
    return text


def typed(value: object, what: str) -> str:
    """Return a text, or raise ValueError with what is to be written."""
    if not isinstance(value, str):
        raise ValueError(f"要写{what}")  # noqa: TRY004 - pydantic takes ValueError
    return value


def at_least(shortest: int, written: str) -> AfterValidator:
    """Refuse a shorter duration; stands in an annotation beside `Duration`."""

    def check(value: int) -> int:
        if value < shortest:
            raise ValueError(f"时长太短，至少 {written}")
        return value

    return AfterValidator(check)


def at_most(longest: int, written: str) -> AfterValidator:
    """Refuse a longer duration; stands in an annotation beside `Duration`."""

    def check(value: int) -> int:
        if value > longest:
            raise ValueError(f"时长太长，最多 {written}")
        return value

    return AfterValidator(check)


def shaped(pattern: str, *examples: str) -> Any:  # noqa: ANN401 - a type, as pydantic wants it
    """Return what an editor is told of a text that a BeforeValidator reads: its pattern, and examples."""
    return Annotated[
        str, WithJsonSchema({"type": "string", "pattern": f"^({pattern})$", "examples": list(examples)})
    ]


def one_or_list(item: Any) -> BeforeValidator:  # noqa: ANN401
    """Take one thing for a list of it: stands in an annotation beside a tuple."""
    return BeforeValidator(
        lambda value: (value,) if isinstance(value, str | int) else value,
        json_schema_input_type=item | list[item],
    )


_A_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_A_DAY = f"({'|'.join((*map(_in_any_case, _DAYS), *(day for day in _DAY_NUMBERS if not day.isascii())))})"
_KIND_OF_DAY: Any = shaped("|".join(_KINDS_OF_DAY), "workdays", "holidays")
_DAY_OR_SPAN: Any = shaped(f"daily|每天|{_A_DAY}( *- *{_A_DAY})?", "daily", "mon-fri", "sat", "周一")

Duration = Annotated[
    int,
    BeforeValidator(
        lambda value: value if isinstance(value, int) else duration(typed(value, "时长，比如 3m")),
        json_schema_input_type=shaped("(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?", "90s", "3m", "1h30m"),
    ),
]
ClockTime = Annotated[
    time,
    BeforeValidator(
        lambda value: value if isinstance(value, time) else clock_time(typed(value, "时刻，比如 08:00")),
        json_schema_input_type=shaped(_A_CLOCK, "08:00", "20:00"),
    ),
]
Days = Annotated[
    frozenset[int] | Literal["workdays", "holidays"],
    BeforeValidator(days, json_schema_input_type=_KIND_OF_DAY | _DAY_OR_SPAN | list[_DAY_OR_SPAN]),
]
Picture = Annotated[
    str,
    AfterValidator(_picture),
    WithJsonSchema(
        {"type": "string", "pattern": rf"\.({'|'.join(_in_any_case(each[1:]) for each in PICTURES)})$"}
    ),
]
Attachment = Annotated[str, Field(min_length=1), AfterValidator(_attachment)]
Address = Annotated[
    str,
    AfterValidator(_address),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{_ADDRESS.pattern}$", "examples": ["https://example.com/menu"]}
    ),
]
