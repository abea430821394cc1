"""Days in a row, counted from dates."""

from __future__ import annotations

from collections.abc import Mapping


def streak(last_day: int, last_streak: int, today: int) -> int:
    """The streak that signing in today makes; days are ordinals, as of date.toordinal()."""
    return last_streak + 1 if last_day == today - 1 else 1


def points(days: int, table: Mapping[int, int]) -> int:
    """The points of a day that makes a streak of so many days.

    The table tells from which streak on how many points there are: {1: 5, 3: 6, 7: 10}.
    """
    return table[max(start for start in table if start <= days)]
