"""The report as pictures for a phone: one for each group or, where there are many, all of them in a list.

The font is our own (fonts/OFL.txt), because a fresh machine has none for Chinese. A character that it does
not have, as in some names, is drawn as a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from bot.console.report.table import clock, outcome, players
from handlers.report import in_words, mean_players, told, when

if TYPE_CHECKING:
    from datetime import date

    from bot.console.report.reading import GroupWeek, Report
    from storage.brought import Brought

FONT = Path(__file__).parent / "fonts" / "NotoSansSC.woff2"
WIDTH, EDGE = 1080, 56
INSIDE = WIDTH - 2 * EDGE
SMALL, NORMAL, LARGE = 26, 32, 52
PAPER, INK, GREY, LINE = "#f6f7f5", "#1c211d", "#79827b", "#e3e7e2"
CARD, GREEN, PALE, AMBER = "#ffffff", "#07a854", "#cdeedb", "#c07a00"
# Each group has a picture of its own as long as there are no more than so many.
MANY = 3
ROWS = 40
# How a character before it looks: nothing to be seen by itself.
_UNSEEN = dict.fromkeys((*range(0xFE00, 0xFE10), 0x200D), None)


def pictures(report: Report) -> list[tuple[str, Image.Image]]:
    """At most three, each with its title. Groups in which nothing happened are left out."""
    active = [one for one in report.groups if one.week.active]
    if len(active) <= MANY:
        return [(one.title, of_group(one, report.monday)) for one in active]
    shown = active[: MANY * ROWS]
    pages = [shown[first : first + ROWS] for first in range(0, len(shown), ROWS)]
    left = len(active) - len(shown)
    return [
        (f"{len(active)} 个群", of_groups(page, report.monday, left if page is pages[-1] else 0))
        for page in pages
    ]


def of_group(group: GroupWeek, monday: date) -> Image.Image:
    """One group: its week in figures, each thing that happened, and its top ten."""
    week = group.week
    sheet = _Sheet(900 + 120 * len(week.occurrences) + 70 * len(week.top))
    sheet.head(group.title, in_words(monday))
    average = mean_players(week)
    tiles = (
        ("参加", f"{len(week.players)}", f"/ {week.members} 人"),
        ("每场平均", f"{average[0] if average else 0}", f"/ {average[1] if average else week.members} 人"),
        ("说话", f"{week.wrote}", f"人 {week.messages} 条"),
        ("签到", f"{week.sign_ins}", "人次"),
    )
    sheet.tiles(tiles)
    sheet.words(next(told(week)))
    if week.occurrences:
        sheet.title("日程")
        for one in week.occurrences:
            sheet.occurrence(group, one)
    if week.top:
        sheet.title("前十")
        for place, ranked in enumerate(week.top, 1):
            sheet.row((f"{place}", ranked.name, f"{ranked.points} 分", f"{ranked.messages} 条"), _TOP)
    return sheet.done()


def of_groups(groups: Sequence[GroupWeek], monday: date, left: int) -> Image.Image:
    """Many groups, one a line; `left` are those that no line was left for."""
    sheet = _Sheet(600 + 70 * len(groups))
    sheet.head("各群一周", in_words(monday))
    sheet.row(("群", "参加", "每场平均", "说话", "消息", "签到"), _ALL, GREY)
    for one in groups:
        average = mean_players(one.week)
        sheet.row(
            (
                one.title,
                f"{len(one.week.players)}/{one.week.members}",
                f"{average[0]}" if average else "",
                *map(str, (one.week.wrote, one.week.messages, one.week.sign_ins)),
            ),
            _ALL,
        )
    if left:
        sheet.words(f"还有 {left} 个群，看 xiaoer report。")
    return sheet.done()


# Where each column of a row begins or, where it is below 0, ends; and how wide it may be.
_TOP = ((0, 70), (70, 520), (-180, 170), (-1, 170))
_ALL = ((0, 380), (-440, 160), (-300, 130), (-190, 100), (-90, 100), (-1, 90))


class _Sheet:
    """A sheet of paper that is filled from the top, and cut where it ends."""

    def __init__(self, most: int) -> None:
        self._image = Image.new("RGB", (WIDTH, most), PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._y = EDGE

    def head(self, title: str, below: str) -> None:
        self._text(EDGE, title, LARGE, INK, INSIDE)
        self._text(EDGE, below, SMALL, GREY, INSIDE, down=LARGE + 26)
        self._y += LARGE + SMALL + 66

    def tiles(self, tiles: Sequence[tuple[str, str, str]]) -> None:
        gap, high = 20, 172
        wide = (INSIDE - gap * (len(tiles) - 1)) // len(tiles)
        for number, (head, figure, unit) in enumerate(tiles):
            x = EDGE + number * (wide + gap)
            self._draw.rounded_rectangle((x, self._y, x + wide, self._y + high), 18, CARD)
            self._text(x + 24, head, SMALL, GREY, wide - 48, down=20)
            self._text(x + 24, figure, LARGE, GREEN, wide - 48, down=52)
            self._text(x + 24, unit, SMALL, GREY, wide - 40, down=122)
        self._y += high + 28

    def title(self, title: str) -> None:
        self._y += 26
        self._text(EDGE, title, NORMAL, GREEN, INSIDE)
        self._y += NORMAL + 26
        self._rule()

    def words(self, words: str) -> None:
        self._text(EDGE, words, SMALL, GREY, INSIDE)
        self._y += SMALL + 18

    def occurrence(self, group: GroupWeek, one: Brought) -> None:
        """When, what and how it went; and a bar for how many of the members took part.

        What nobody could take part in, and went as planned, is one small line.
        """
        facts = [] if one.state == "sent" else [outcome(one)]
        if one.played and one.kind == "quiz":
            facts.append(f"答对 {one.right}/{one.answers}")
        if one.messages is not None:
            facts.append(f"一小时 {one.messages} 条")
        if one.paid:
            facts.append(f"{one.paid} 分")
        said, title = "，".join(facts), group.titles[one.what]
        if one.kind == "post" and one.state == "sent":
            self._text(EDGE, when(one.local), SMALL, GREY, 170)
            self._text(EDGE + 180, title, SMALL, INK, 470)
            self._right(said, SMALL, GREY, 310)
            self._y += SMALL + 24
            self._rule()
            return
        self._text(EDGE, when(one.local), SMALL, GREY, 170, down=4)
        self._text(EDGE + 180, title, NORMAL, INK, 470)
        self._right(players(one) if one.played else "", NORMAL, INK, 310)
        self._y += NORMAL + 16
        if one.hooked_at:
            self._text(EDGE, f"钩子 {clock(group, one, one.hooked_at)}", SMALL, GREEN, 170)
        self._text(
            EDGE + 180, said, SMALL, GREY if one.state == "sent" else AMBER, 530 if one.played else 780
        )
        if one.played and one.members:
            self._bar(min(1.0, len(one.players) / one.members))
        self._y += SMALL + 24
        self._rule()

    def row(self, cells: Sequence[str], columns: Sequence[tuple[int, int]], colour: str = INK) -> None:
        for cell, (place, wide) in zip(cells, columns, strict=True):
            if place < 0:
                self._right(cell, SMALL, colour, wide, place + 1)
            else:
                self._text(EDGE + place, cell, SMALL, colour, wide)
        self._y += SMALL + 22
        self._rule()

    def done(self) -> Image.Image:
        return self._image.crop((0, 0, WIDTH, self._y + EDGE - 20))

    def _bar(self, part: float) -> None:
        left, right, y = WIDTH - EDGE - 240, WIDTH - EDGE, self._y + 14
        self._draw.rounded_rectangle((left, y, right, y + 12), 6, PALE)
        if part:
            self._draw.rounded_rectangle((left, y, left + max(12, int(240 * part)), y + 12), 6, GREEN)

    def _rule(self) -> None:
        self._draw.line((EDGE, self._y, WIDTH - EDGE, self._y), LINE, 2)
        self._y += 16

    def _right(self, text: str, size: int, colour: str, wide: int, back: int = 0) -> None:
        text = fitted(text, size, wide)
        x = WIDTH - EDGE + back - font(size).getlength(text)
        self._draw.text((x, self._y), text, colour, font(size))

    def _text(self, x: int, text: str, size: int, colour: str, wide: int, down: int = 0) -> None:
        self._draw.text((x, self._y + down), fitted(text, size, wide), colour, font(size))


@lru_cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """A third of a second, once for each size."""
    return ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)


def fitted(text: str, size: int, wide: int) -> str:
    """A text on one line, cut where it is too wide."""
    text = " ".join(text.translate(_UNSEEN).split())
    if font(size).getlength(text) <= wide:
        return text
    while text and font(size).getlength(text + "…") > wide:
        text = text[:-1]
    return text + "…"
