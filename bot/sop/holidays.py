"""Days off and days of work in China: what the government has arranged, and what the operators add to it.

chinesecalendar holds the arrangements as they were announced, with the weekends that are worked for them; the
next year's come out in November. Other libraries guess at years that nobody has arranged, and do not say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from chinese_calendar import Holiday
from chinese_calendar import holidays as _off
from chinese_calendar import workdays as _worked

_YEARS = {day.year for day in _off}


@dataclass(frozen=True, eq=False)
class Holidays:
    """`named` are the operators' days off, by what they are for; `workdays` their days of work."""

    named: Mapping[date, str] = field(default_factory=dict)
    workdays: frozenset[date] = frozenset()

    def knows(self, year: int) -> bool:
        """Whether the year is arranged. Of another, Monday to Friday are worked."""
        return year in _YEARS or any(day.year == year for day in (*self.named, *self.workdays))

    def off(self, day: date) -> bool:
        """Whether nobody works on a day."""
        if day in self.named or day in self.workdays:
            return day in self.named
        return day in _off if day in _off or day in _worked else day.weekday() >= 5

    def why(self, day: date) -> str:
        """Say what kind of day it is: `国庆节放假`, `周末`, `国庆节调休上班`, `工作日`."""
        if self.off(day):
            name = self.named.get(day) or _name(_off.get(day))
            return f"{name}放假" if name else "周末"
        name = _name(_worked.get(day))
        return f"{name}调休上班" if name and day.weekday() >= 5 else "工作日"


NO_MORE = Holidays()


def _name(english: str | None) -> str:
    name: str = Holiday(english).chinese if english else ""
    return f"{name}节" if name in {"清明", "端午", "中秋"} else name
