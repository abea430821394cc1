"""How people write times and days in a table: `早上8点`, `12.24`, `周二、周四`, `工作日`, or Excel's own."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.importing.workbook import Cell
from bot.sop.said import CLOCK, HOW_TIME, read_clock

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SAID = "一二三四五六日"

_NUMERALS = {**{said: number for number, said in enumerate(SAID)}, "天": 6} | {
    str(number + 1): number for number in range(7)
}
_LONGEST_RANGE = 62
_EPOCH = date(1899, 12, 30)  # Excel's day 0

_TO = r"(?:到|至|~|—+|–|-+)"
_DATE = r"(?:(20\d\d)[年/.-])?(\d{1,2})[月/.-](\d{1,2})[日号]?"
_COMPACT = re.compile(r"(20\d\d)(\d\d)(\d\d)")
_WEEK = "(?:每个?)?(?:周|星期|礼拜)"
_WEEKDAYS = re.compile(rf"(?:{_WEEK})?([一二三四五六日天1-7]+)")
_WEEK_RANGE = re.compile(rf"{_WEEK}([一二三四五六日天1-7]){_TO}(?:{_WEEK})?([一二三四五六日天1-7])")
_BARE = re.compile(rf"[一二三四五六日天1-7]([、,]|{_TO}|[一二三四五六日天1-7])*")
_BESIDE = re.compile(r"[(、]?(?:周|星期|礼拜)([一二三四五六日天])\)?$")
_MONTHLY = re.compile(r"每个?月(?:的)?(\d{1,2})[日号]?")
_WORDS = {
    **dict.fromkeys(("每天", "每日", "天天", "daily"), ("daily",)),
    **dict.fromkeys(("工作日", "每个工作日", "上班日", "法定工作日"), ("workdays",)),
    **dict.fromkeys(("节假日", "休息日", "假日", "法定节假日"), ("holidays",)),
    **dict.fromkeys(("周末", "每周末", "双休日"), ("sat", "sun")),
}
HOW_DAY = "要写成 2026-12-24、12月24日、周一、周二、周四、每天 或 工作日 这样"


@dataclass(frozen=True, slots=True)
class When:
    """On which days: some `dates`, or a rule of `on`, or days of each month. One of the three."""

    dates: tuple[date, ...] = ()
    on: tuple[str, ...] = ()
    monthly: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Years:
    """Which year a day without one is in: the one that the table names, or else whichever is nearest."""

    today: date
    named: int | None = None

    def day(self, year: str | None, month: str, day: str) -> date:
        """Return the date. Raises ValueError with a sentence."""
        try:
            given = int(year) if year else self.named
            if given:
                return date(given, int(month), int(day))
            near = [made for each in (-1, 0, 1) if (made := _made(self.today.year + each, month, day))]
            return min(near, key=lambda each: abs(each - self.today))
        except ValueError:
            raise ValueError(f"没有 {int(month)} 月 {int(day)} 日这一天") from None


def _made(year: int, month: str, day: str) -> date | None:
    try:
        return date(year, int(month), int(day))
    except ValueError:
        return None


def clean(value: object) -> str:
    """Return a cell's text with half-width letters, digits and marks, and no space around it."""
    return unicodedata.normalize("NFKC", str(value)).strip()


def clock(cell: Cell) -> time:
    """Read a time of day, to the minute. Raises ValueError with a sentence."""
    value = cell.value
    if isinstance(value, datetime):
        value = value.time()
    if isinstance(value, timedelta):
        value = value / timedelta(days=1)
    if isinstance(value, time):
        value = (value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6) / 86400
    if isinstance(value, float) and 0 <= value < 1:
        minutes = round(value * 1440) % 1440
        return time(minutes // 60, minutes % 60)
    text = re.sub(r"\s+", "", clean(value)).lower()
    if re.fullmatch(r"[\d.]+", text):
        raise ValueError(f'"{text}" 看不出是几点，{HOW_TIME}')
    start, *end = re.split(_TO, text, maxsplit=1)
    if not (match := CLOCK.fullmatch(start)) or (end and not CLOCK.fullmatch(end[0])):
        many = "一格只写一个时间，几个时间请分成几行" if len(re.findall(r"\d[:点]", text)) > 1 else HOW_TIME
        raise ValueError(f'"{text}" 不是时间，{many}')
    return read_clock(match, text)


def moment(cell: Cell) -> tuple[Cell | None, Cell]:
    """Part a cell such as `12月24日 20:00` into day and time of day; the first is None when it has no day."""
    if isinstance(cell.value, datetime) and cell.value.year > 1900:
        return Cell(cell.value.date()), Cell(cell.value.time())
    day, space, rest = clean(cell.value).partition(" ")
    if space and re.match(rf"(?:{_DATE}|20\d{{6}})(?:\D|$)", day):
        return Cell(day), Cell(rest)
    return None, cell


def when(cell: Cell, years: Years) -> When:
    """Read the days that a cell names. Raises ValueError with a sentence."""
    value = cell.value
    if isinstance(value, datetime):
        return When(dates=(value.date(),))
    if isinstance(value, date):
        return When(dates=(value,))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return When(dates=(_of_number(value, cell.shown_as, years),))
    text = re.sub(r"\s*([年月])\s*|\s+(?=[日号])", r"\1", clean(value)).lower().removesuffix(" 00:00:00")
    return _named(re.sub(r"\s+", "、", text), years)


def _named(text: str, years: Years) -> When:
    if text in _WORDS:
        return When(on=_WORDS[text])
    if match := _MONTHLY.fullmatch(text):
        if not 1 <= int(match[1]) <= 31:
            raise ValueError(f"一个月里没有 {match[1]} 日")
        return When(monthly=(str(int(match[1])),))
    if text in ("每月最后一天", "月底", "每月底"):
        return When(monthly=("last",))
    return _several(text, years)


def weekdays(cell: Cell) -> When:
    """Read a cell of the column of weekdays, where 三 and 3 are Wednesday. Raises ValueError with a sentence."""
    if isinstance(cell.value, datetime | date):
        return When(on=(DAYS[cell.value.weekday()],))
    text = clean(f"{cell.value:g}" if isinstance(cell.value, float) else cell.value)
    found = when(Cell(f"周{text}" if _BARE.fullmatch(text) else text), Years(date.min))
    if found.dates:
        raise ValueError(f'"{text}" 不是星期几，要写成 周一、周二、周四、每天 或 工作日 这样')
    return found


def _several(text: str, years: Years) -> When:
    beside = _BESIDE.search(text) if re.match(r"\d", text) else None
    pieces = [
        piece
        for piece in re.split(r"[、,;和及与&]|/(?=周|星期|礼拜)", text[: beside.start()] if beside else text)
        if piece
    ]
    dates: list[date] = []
    numbers: list[int] = []
    for piece in pieces:
        if re.match(r"\d", piece) and (found := list(_dates(piece, years))):
            dates += found
        elif match := _WEEK_RANGE.fullmatch(piece):
            first, last = _NUMERALS[match[1]], _NUMERALS[match[2]]
            numbers += [(first + step) % 7 for step in range((last - first) % 7 + 1)]
        elif (match := _WEEKDAYS.fullmatch(piece)) and (numbers or not match[0][0].isdigit()):
            if not numbers and len(match[0]) == len(match[1]):
                break
            numbers += [_NUMERALS[each] for each in match[1]]
        else:
            break
    else:
        if dates and not numbers:
            if beside:
                agree(When(dates=tuple(dates)), When(on=(DAYS[_NUMERALS[beside[1]]],)))
            return When(dates=tuple(sorted(set(dates))))
        if numbers and not dates:
            chosen = tuple(DAYS[each] for each in sorted(set(numbers)))
            return When(on=("daily",) if len(chosen) == 7 else chosen)
    raise ValueError(f'"{text}" 看不出是哪一天，{HOW_DAY}')


def _dates(piece: str, years: Years) -> Iterator[date]:
    if match := _COMPACT.fullmatch(piece) or re.fullmatch(_DATE, piece):
        yield years.day(match[1], match[2], match[3])
        return
    if match := re.fullmatch(rf"{_DATE}{_TO}{_DATE}", piece):
        first, last = years.day(*match.groups()[:3]), years.day(match[4] or match[1], match[5], match[6])
    elif match := re.fullmatch(rf"{_DATE}{_TO}(\d{{1,2}})[日号]?", piece):
        first, last = years.day(*match.groups()[:3]), years.day(match[1], match[2], match[4])
    else:
        return
    if last < first and not match[1]:
        last = last.replace(year=last.year + 1)
    if not timedelta(0) <= last - first <= timedelta(days=_LONGEST_RANGE):
        raise ValueError(f'"{piece}" 的头和尾不对，头要在前面，最多隔 {_LONGEST_RANGE} 天')
    for step in range((last - first).days + 1):
        yield first + timedelta(days=step)


def _of_number(value: float, shown_as: str, years: Years) -> date:
    """Read a number: Excel's count of days, 20261224, or 12.24 that Excel took for a number."""
    whole = math.isfinite(value) and value == int(value)
    if whole and 36526 <= value < 73051:
        return _EPOCH + timedelta(days=int(value))
    if whole and (match := _COMPACT.fullmatch(str(int(value)))):
        return years.day(match[1], match[2], match[3])
    text = f"{value:g}"
    month, _, day = f"{value if abs(value) < 100 else 0:.2f}".partition(".")
    if value == round(value, 2) and 1 <= int(month) <= 12 and not whole:
        if shown_as != "0.00" and day in ("10", "20", "30"):
            raise ValueError(
                f'"{text}" 分不清是 {month} 月 {day[0]} 日还是 {month} 月 {day} 日，请写成 {month}月{day}日'
            )
        return years.day(None, month, day[0] if day[1] == "0" and shown_as != "0.00" else day)
    raise ValueError(f'"{text}" 看不出是哪一天，{HOW_DAY}')


def agree(days: When, weekdays: When) -> None:
    """Check that dates fall on the weekdays that stand beside them. Raises ValueError with a sentence."""
    for each in days.dates:
        if weekdays.on and not {"daily", "workdays", "holidays", DAYS[each.weekday()]} & set(weekdays.on):
            raise ValueError(f"{each.month} 月 {each.day} 日是星期{SAID[each.weekday()]}，和写的星期对不上")
