"""`xiaoer rehearse`: the groups are cast, the days go by, and what came of them is told."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.clock import as_moment
from bot.config import Settings
from bot.errors import Unusable
from bot.rehearsal import report
from bot.rehearsal.cast import Cast, questions
from bot.rehearsal.casting import casting
from bot.rehearsal.people import Group
from bot.rehearsal.report import Books, Waited
from bot.rehearsal.stage import Plan, Stage
from bot.rehearsal.world import Line
from bot.sop.library import Library
from handlers.quiz_activity import GAMES
from storage.audit import Report as Audit
from storage.audit import audit
from storage.database import look

MONDAY = date(2026, 1, 5)
YEARS = range(2000, 2100)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted: `calendar` is the one whose audience the groups are, `first` the first day."""

    days: int = 7
    groups: int = 3
    members: int = 200
    seed: int = 1
    calendar: str | None = None
    crash: bool = False
    first: str = ""

    def check(self) -> date:
        """The first day. Raises Unusable for what cannot be rehearsed."""
        for name, value, least, most in (
            ("days", self.days, 1, 366),
            ("groups", self.groups, 1, 500),
            ("members", self.members, 2, 500),
        ):
            if not least <= value <= most:
                raise Unusable(f"--{name} 要写 {least} 到 {most}，现在是 {value}。")
        try:
            first = date.fromisoformat(self.first) if self.first else MONDAY
        except ValueError:
            first = date.min
        if first.year not in YEARS:
            raise Unusable(f"--from 要写 2026-01-05 这样的日子，现在是「{self.first}」。")
        return first


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How it went. `lines` is all that could be read in the groups, `crashes` how often the process ended.

    Of the messages that were being sent then, so many had `arrived`, and so many were `sent_again`.
    """

    asked: Asked
    first: date
    zone: ZoneInfo
    groups: Sequence[Group]
    lines: Sequence[Line]
    books: Books
    waited: dict[str, Waited]
    crashes: int
    arrived: int
    sent_again: int
    audit: Audit

    def as_json(self) -> dict[str, Any]:
        """For a program: `balances`, `occurrences` and `replies` can be compared between two rehearsals."""
        return {
            "from": self.first.isoformat(),
            "days": self.asked.days,
            "seed": self.asked.seed,
            "crashes": {"times": self.crashes, "arrived": self.arrived, "sent_again": self.sent_again},
            **report.plain(self.books),
            "waited": {kind: asdict(one) for kind, one in self.waited.items()},
            "audit": {"clean": self.audit.clean, "faults": self.audit.faults, "parked": self.audit.parked},
            "transcripts": {
                group.title: report.transcript(self.lines, group, self.zone) for group in self.groups
            },
        }


def rehearse(
    asked: Asked,
    settings: Settings,
    library: Library,
    root: Path,
    told: Callable[[int], object] = lambda _: None,
) -> Rehearsed:
    """Let the days go by, with a library that was read from `root`. Raises Unusable.

    `told` hears after each day how many are over.
    """
    first = asked.check()
    zone = ZoneInfo(settings.timezone)
    start = as_moment(datetime(first.year, first.month, first.day, tzinfo=zone).astimezone(UTC))
    accounts = {"sandbox", *(account.name for account in settings.accounts)}
    groups = casting(library, asked.calendar, accounts, asked.groups, asked.members, asked.days, asked.seed)
    known = questions((GAMES[bank.game], bank.questions.values()) for bank in library.banks.values())
    cast = Cast(groups, start, asked.seed, known)
    plan = Plan(start, asked.days, asked.seed, asked.crash)
    stage = Stage(settings, library, root, plan, groups, cast, told)
    with tempfile.TemporaryDirectory(prefix="xiaoer-rehearsal-") as made:
        folder = Path(made)
        stage.run(folder)
        lines = stage.world.lines
        return Rehearsed(
            asked,
            first,
            zone,
            groups,
            lines,
            look(folder, lambda store: report.read(store, groups, lines, plan.end)),
            {kind: Waited.of(one) for kind, one in stage.waited.items()},
            stage.fate.crashes,
            stage.settled[True],
            stage.settled[False],
            audit(folder),
        )
