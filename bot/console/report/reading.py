"""`xiaoer report`: what the week's activities brought, read beside whoever is at work."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.errors import Unusable
from bot.model import Group
from bot.sop.hints import did_you_mean
from handlers.report import OUTCOMES, late, moment, monday_of, read, title_of

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.sop.library import Library
    from storage.brought import Brought, Week
    from storage.store import Store

_WEEK = re.compile(r"(2\d{3})-?[Ww](\d{1,2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class GroupWeek:
    """One group's week. `titles` are those of its occurrences' `what`."""

    group: Group
    zone: ZoneInfo
    week: Week
    titles: Mapping[str, str]

    @property
    def title(self) -> str:
        return self.group.title or name_of(self.group)

    def as_json(self) -> dict[str, Any]:
        week = self.week
        outcomes = Counter(one.state for one in week.occurrences)
        return {
            "group": self.group.id,
            "title": self.group.title,
            "account": self.group.account,
            "chat": self.group.chat,
            "timezone": self.zone.key,
            "members": week.members,
            "joined": week.joined,
            "players": len(week.players),
            "wrote": week.wrote,
            "messages": week.messages,
            "sign_ins": week.sign_ins,
            "points": week.points,
            "outcomes": {state: outcomes[state] for state in OUTCOMES},
            "occurrences": [self._line(one) for one in week.occurrences],
            "top": [asdict(one) for one in week.top],
        }

    def _line(self, one: Brought) -> dict[str, Any]:
        quiz = one.played and one.kind == "quiz"
        return {
            "slot": one.slot,
            "what": one.what,
            "title": self.titles[one.what],
            "kind": one.kind,
            "local": one.local,
            "planned": self._iso(one.due),
            "sent": self._iso(one.sent_at),
            "state": one.state,
            "reason": one.reason,
            "late_seconds": late(one) if one.sent_at else None,
            "members": one.members,
            "players": len(one.players) if one.played else None,
            "share": share(one),
            "answers": one.answers if quiz else None,
            "right": one.right if quiz else None,
            "messages_in_hour": one.messages,
            "points": one.paid if one.played else None,
            "hook": self._iso(one.hooked_at),
            "messages_around_hook": one.around_hook,
            "no_hook_because": one.unhooked,
        }

    def _iso(self, at: int) -> str | None:
        return moment(at, self.zone).isoformat() if at else None


@dataclass(frozen=True, slots=True)
class Report:
    """The week that begins on a Monday, in these groups."""

    monday: date
    groups: Sequence[GroupWeek]

    @property
    def name(self) -> str:
        """`2026-W47`."""
        return week_name(self.monday)

    def as_json(self) -> dict[str, Any]:
        """For a program; moments in ISO 8601."""
        return {
            "week": self.name,
            "from": self.monday.isoformat(),
            "to": (self.monday + timedelta(days=6)).isoformat(),
            "groups": [one.as_json() for one in self.groups],
        }


def reader(
    settings: Settings, library: Library, week: str = "", group: str = "", most: int | None = None
) -> Callable[[Store], Report]:
    """What reads the report of a week (this one, unless it is named), of one group or of all, or the first.

    Raises Unusable for a week that is none; what it makes raises it for a group that is not there.
    """
    monday = week_of(week) if week else None
    zone = ZoneInfo(settings.timezone)

    def look(store: Store) -> Report:
        day = monday or monday_of(moment(now_of(store, settings), zone).date())
        groups = store.groups.all()
        wanted = [find(groups, group)] if group else [one for one in groups if one.opened_at]
        return Report(day, [read_one(store, settings, library, one, day) for one in wanted[:most]])

    return look


def read_one(store: Store, settings: Settings, library: Library, group: Group, monday: date) -> GroupWeek:
    zone = ZoneInfo(group.timezone or settings.timezone)
    week = read(store, library, group.id, monday, zone, group.opened_at)
    return GroupWeek(group, zone, week, {one.what: title_of(library, one.what) for one in week.occurrences})


def share(one: Brought) -> float | None:
    """Which part of the members took part."""
    return round(len(one.players) / one.members, 3) if one.played and one.members else None


def week_name(monday: date) -> str:
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"


def week_of(word: str) -> date:
    """The Monday of a week such as 2026-W47. Raises Unusable."""
    found = _WEEK.fullmatch(word.strip())
    if found is None:
        digits = re.fullmatch(r"(2\d{3})\D*(\d{1,2})", word.strip(), re.ASCII)
        meant = f"，是不是 {digits[1]}-W{int(digits[2]):02}？" if digits else "。"
        raise Unusable(f'一周要写成 2026-W47 这样，年份和第几周；看不懂 "{word}"{meant}')
    year, number = int(found[1]), int(found[2])
    try:
        return date.fromisocalendar(year, number, 1)
    except ValueError:
        raise Unusable(f"{year} 年没有第 {number} 周。") from None


def find(groups: Sequence[Group], wanted: str) -> Group:
    """A group by its title, account/chat or number. Raises Unusable with what may have been meant."""
    named = [one for one in groups if wanted in (one.title, name_of(one))]
    named = named or [one for one in groups if str(one.id) == wanted]
    if len(named) == 1:
        return named[0]
    if named:
        which = "、".join(map(name_of, named))
        raise Unusable(f'有 {len(named)} 个群叫 "{wanted}"，请写其中一个：{which}')
    names = [name for one in groups for name in (one.title, name_of(one)) if name]
    raise Unusable(f'没有叫 "{wanted}" 的群{did_you_mean(wanted, names) or "。"}')


def name_of(group: Group) -> str:
    """`account/chat`."""
    return f"{group.account}/{group.chat}"


def now_of(store: Store, settings: Settings) -> int:
    """What the bot's clock says."""
    movable = settings.with_sandbox and not settings.accounts
    return time.time_ns() // 1000 + (store.sandbox.offset() if movable else 0)
