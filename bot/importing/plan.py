"""Turn the rows of a table into what a calendar needs: slots, posts and activities, each with its row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path

from pypinyin import Style, lazy_pinyin

from bot.errors import Fault
from bot.importing.table import Row, Table
from bot.importing.words import DAYS, SAID, When, Years, agree, clean, clock, moment, weekdays, when
from bot.importing.workbook import Cell
from bot.sop.schema import Post

_KINDS = {
    "sign_in": re.compile("签到|打卡"),
    "red_packet": re.compile("红包"),
    "quiz": re.compile("问答|答题|竞猜|抢答|知识竞赛|猜谜|测验"),
}
_ABOUT = re.compile("预告|提醒|预热|通知|公布|结果|总结|回顾|名单|规则|说明")  # 红包预告 is a post
_NUMBER = r"(\d{1,9})\s*"
_POINTS = re.compile(_NUMBER + r"(?:个?积分|分(?![钟成为之份])|点积分)")
_SHARES = re.compile(_NUMBER + r"(?:份|个红包|包)")
_LINK = re.compile(r"https?://[^\s<>\"']+\.[^\s<>\"']+")
_LONGEST_NAME = 24
SIGN_IN = "新的一天，回复「签到」记一天。"
PACKET = "红包来了，共 {points} 分，分成 {shares} 份。回复「抢」，先到先得。"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row that will be a slot: with its own id, and what it does or posts."""

    row: Row
    id: str
    when: When
    at: time
    kind: str = "post"
    text: str = ""
    pictures: tuple[str, ...] = ()
    points: int = 0
    shares: int = 0
    known: str = ""  # the activity of the library that it names

    @property
    def about(self) -> str:
        """Return what its row says beside what is sent, for a comment."""
        row = self.row
        said = [row.text("kind"), row.text("title")]
        said += [f"{word}：{row.text(column)}" for column, word in (("goal", "目的"), ("remark", "备注"))]
        days = f"周{SAID[self.when.dates[0].weekday()]}" if len(self.when.dates) == 1 else ""
        return " · ".join(
            " ".join(each.split()) for each in (days, *said) if each and not each.endswith("：")
        )


@dataclass(slots=True)
class Plan:
    """All that a workbook asks for, with its faults, and notes for whoever wrote it."""

    entries: list[Entry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def slug(name: str) -> str:
    """Return a name in small Latin letters, digits and "-"; "" when nothing is left of it."""
    for style in (Style.NORMAL, Style.FIRST_LETTER):
        words = " ".join(lazy_pinyin(name, style=style))
        made = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
        if len(made) <= _LONGEST_NAME:
            return made
    return made.replace("-", "")[:_LONGEST_NAME]


def make(tables: Sequence[Table], path: Path, today: date, activities: Mapping[str, str]) -> Plan:
    """Read every row. `activities` are the ids that a row may name, by id and by title."""
    plan = Plan()
    taken: Counter[str] = Counter()
    for table in tables:
        plan.faults += table.faults
        if table.unknown:
            plan.notes.append(f"「{table.name}」里没有用到的列：{'、'.join(table.unknown)}")
        years = Years(today, _year(table.above) or _year(path.stem))
        _Reader(plan, years, activities, taken).read(table.rows)
    past = [entry for entry in plan.entries if entry.when.dates and max(entry.when.dates) < today]
    if past:
        plan.notes.append(f"有 {len(past)} 行的日子已经过去，不会再发，第一行是 {past[0].row.at('date')}")
    return plan


def _year(text: str) -> int | None:
    years = set(re.findall(r"(20\d\d)\s*年", text))
    return int(years.pop()) if len(years) == 1 else None


class _Reader:
    """Reads the rows of one table in their order: a day that is left out is that of the row above."""

    def __init__(self, plan: Plan, years: Years, activities: Mapping[str, str], taken: Counter[str]) -> None:
        self.plan = plan
        self.years = years
        self.activities = activities
        self.taken = taken
        self.days: When | None = None

    def read(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if wrong := [row.fault(column, cell.wrong) for column, cell in row.cells.items() if cell.wrong]:
                self.plan.faults += wrong
            elif row.cells.keys() & {"time", "text", "picture", "link"}:
                self._entry(row)
            elif {"date", "week"} & row.cells.keys():
                self._heading(row)
            else:
                self._left_out(row)

    def _heading(self, row: Row) -> None:
        """A row with nothing but a day holds for those below it; any other text there is a remark."""
        before = len(self.plan.faults)
        self._when(row, None)
        if len(self.plan.faults) > before:
            del self.plan.faults[before:]
            self._left_out(row)

    def _left_out(self, row: Row) -> None:
        self.plan.notes.append(f"跳过了 {row.at('date')} 这一行：没有时间，也没有内容")

    def _entry(self, row: Row) -> None:
        before = len(self.plan.faults)
        day, hour = moment(row.cells["time"]) if "time" in row.cells else (None, None)
        days = self._when(row, day)
        at = self._time(row, hour)
        text = self._text(row)
        known = self.activities.get(row.text("text").strip("「」《》 "), "")
        kind = _kind(row)
        pictures = tuple(each for each in re.split(r"[、，,;；\n]+", row.text("picture")) if each.strip())
        points, shares = self._packet(row, text) if kind == "red_packet" and not known else (0, 0)
        if len(self.plan.faults) > before or days is None or at is None:
            return
        if kind == "post" and not known and not text and "picture" not in row.cells:
            self.plan.faults.append(row.fault("text", "内容空着，请写要发的话"))
            return
        if kind == "post" and (len(pictures) > 1 or not text) and "several" not in Post.model_fields:
            self.plan.faults.append(
                row.fault("picture", "一条帖子要有一段话，最多带一张图；别的图请另写一行")
            )
            return
        if kind == "red_packet":
            text = _packet_text(text)
        if kind == "quiz" and not known:
            self.plan.notes.append(
                f"{row.at('text')} 是问答，题目要自己写：写好题库和活动，再去掉日历里这一条前面的 #"
            )
        self.plan.entries.append(
            Entry(
                row,
                self._id(days, at),
                days,
                at,
                kind="activity" if known else kind,
                text=text or (SIGN_IN if kind == "sign_in" else ""),
                pictures=tuple(map(str.strip, pictures)),
                points=points,
                shares=shares,
                known=known,
            )
        )
        if pictures and (known or kind != "post"):
            self.plan.notes.append(f"{row.at('picture')} 的图片没有用上：活动里不带图，要发图请另写一行")

    def _when(self, row: Row, day: Cell | None) -> When | None:
        """Return the row's days: of its own cells, of `day` beside its time, or of the row above."""
        found: dict[str, When] = {}
        cells = {"date": day} if day else {}
        cells |= {column: row.cells[column] for column in ("date", "week") if column in row.cells}
        try:
            for column, cell in cells.items():
                found[column] = weekdays(cell) if column == "week" else when(cell, self.years)
            if len(found) == 2:
                agree(found["date"], found["week"])
        except ValueError as error:
            self.plan.faults.append(row.fault(column if column in row.cells else "time", str(error)))
            return None
        if found:
            self.days = found.get("date") or found["week"]
        elif self.days is None:
            self.plan.faults.append(row.fault("date", "没有写是哪一天，上面的行也没有"))
        return self.days

    def _time(self, row: Row, cell: Cell | None) -> time | None:
        if cell is None:
            self.plan.faults.append(row.fault("time", "没有写几点，每一行都要写时间，比如 20:00"))
            return None
        try:
            return clock(cell)
        except ValueError as error:
            self.plan.faults.append(row.fault("time", str(error)))
            return None

    def _text(self, row: Row) -> str:
        """Return what is to be said, with the link in a line of its own."""
        said, link = row.text("text"), row.text("link")
        if link and not _LINK.fullmatch(link):
            self.plan.faults.append(row.fault("link", f'"{link}" 不是网址，要以 http:// 或 https:// 开头'))
        return "\n".join(each for each in (said, link) if each)

    def _packet(self, row: Row, text: str) -> tuple[int, int]:
        points, shares = (pattern.findall(clean(text)) for pattern in (_POINTS, _SHARES))
        if len(set(points)) != 1 or len(set(shares)) != 1:
            message = "红包要写一共多少积分、分成几份，比如：200 分 20 份"
            self.plan.faults.append(row.fault("text", message))
            return 0, 0
        if int(shares[0]) > int(points[0]):
            message = f"每份至少 1 分，{points[0]} 分不够分成 {shares[0]} 份"
            self.plan.faults.append(row.fault("text", message))
        return int(points[0]), int(shares[0])

    def _id(self, days: When, at: time) -> str:
        """Return an id that goes by day and time alone; the second one at a moment ends with -2."""
        if days.dates:
            first = f"{days.dates[0]:%Y%m%d}"
        else:
            first = "m" + days.monthly[0] if days.monthly else spell(days.on, "-")
        name = f"{first}-{at:%H%M}"
        self.taken[name] += 1
        return name if self.taken[name] == 1 else f"{name}-{self.taken[name]}"


def spell(days: Sequence[str], between: str) -> str:
    """Return days such as mon-fri when they follow one another, or else with `between` between them."""
    numbers = [DAYS.index(day) for day in days if day in DAYS]
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{days[0]}-{days[-1]}"
    return between.join(days)


def _kind(row: Row) -> str:
    said = row.text("kind")
    if _ABOUT.search(said):
        return "post"
    return next((kind for kind, pattern in _KINDS.items() if pattern.search(said)), "post")


def _packet_text(text: str) -> str:
    """Return what the row says, or a sentence of ours when it holds nothing but the numbers."""
    rest = re.sub(
        r"[\W_]|总共|一共|共|分成|拼手气|红包|积分|群", "", _SHARES.sub("", _POINTS.sub("", clean(text)))
    )
    return text if rest else PACKET
