"""Draw the handbook's picture of a week anew: `.venv/bin/python -m tests.report.sample` (docs/images/report.png)."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from bot.console.report.picture import of_group
from bot.console.report.reading import GroupWeek
from bot.model import MINUTE, SECOND, Group
from handlers.report import begins
from storage.reports import Brought, Ranked, Week

IMAGE = Path(__file__).resolve().parents[2] / "docs" / "images" / "report.png"
ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 11, 16)
MEMBERS = 201
NAMES = ("阿强", "小美", "王姐", "老周", "林喆", "豆豆", "張曉明", "Lily 的妈妈", "老李师傅", "陳堃")


def main() -> None:
    chance, lines = Random(4), []
    for day in (MONDAY + timedelta(days=number) for number in range(5)):
        lines.append(line(day, "08:00", "早安签到", "sign_in", chance.randrange(92, 132), 650, 160))
        if day.weekday() in (0, 2):
            lines.append(line(day, "12:10", "市场一分钟", "post", 0, 0, chance.randrange(20, 50)))
        if day.weekday() in (1, 3):
            lines.append(line(day, "20:00", "理财小问答", "quiz", chance.randrange(70, 100), 360, 440))
    lines.append(line(day, "20:00", "周五红包", "red_packet", 30, 300, 160, minutes=12))
    top = [Ranked(name, 140 - 9 * place, 80 - 5 * place) for place, name in enumerate(NAMES)]
    week = Week(lines, MEMBERS, 3, 546, set(range(143)), 118, 4216, 4490, top)
    group = Group(1, "shop", "g", "街坊理财群")
    of_group(GroupWeek(group, ZONE, week, {one.what: one.what for one in lines}), MONDAY).save(
        IMAGE, "PNG", optimize=True
    )


def line(
    day: date, at: str, title: str, kind: str, players: int, points: int, messages: int, minutes: int = 0
) -> Brought:
    """An occurrence that went out, so many minutes late."""
    hour, minute = map(int, at.split(":"))
    due = begins(day, ZONE) + (60 * hour + minute) * MINUTE
    right = players * 3 if kind == "quiz" else 0
    return Brought(
        *("s", f"{day}T{at}", due, title, "late" if minutes else "sent", ""),
        *(due + minutes * MINUTE + SECOND, MEMBERS, 0, kind, set(range(players))),
        *(right + 60 if right else 0, right, points, messages),
    )


if __name__ == "__main__":
    main()
