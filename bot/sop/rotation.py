"""Which of several things a slot does on a date, so that preview and run agree.

They take turns in the order in which they stand. The turn is the number of the date among all dates of the
slot's rule since a fixed year, those left out on which the calendar rests: so each comes once in a cycle, and
none twice in a row, over the ends of cycles, weeks and years too. It is a function of the slot and the date,
and needs no memory of what ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from bot.sop.days import Rule, count
from bot.sop.holidays import Holidays

T = TypeVar("T")


def pick(several: Sequence[T], rule: Rule, day: date, holidays: Holidays) -> T:
    """Return what comes on a date of a rule; on one that is left out, what will come next."""
    return several[count(rule, day, holidays) % len(several)]
