"""日程表. Owners: 今日安排, 本周安排, 跳过, 恢复, 改期. Slots: none. Timers: none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from bot.dispatch.router import Router
from bot.dispatch.text import plain
from bot.dispatch.turn import Turn
from bot.errors import Refused
from bot.model import Message, Occurrence, Reply, Result, Role
from bot.sop.dates import within
from bot.sop.said import clock_of
from handlers.calendar import STATES
from handlers.report import DAYS, in_words, monday_of, title_of

if TYPE_CHECKING:
    from storage.occurrences import Claimed

router = Router(
    "plan",
    {
        "plan.today": "今日安排\n{lines}",
        "plan.nothing": "今天没有安排。",
        "plan.week": "本周安排，{week}\n{lines}",
        "plan.nothing_week": "这一周没有安排。",
        "plan.skipped": "今天 {at} 的「{title}」跳过。要办，说「恢复 {at}」。",
        "plan.moved": "「{title}」从 {from} 改到 {at}，只改今天。",
        "plan.restored": "今天 {at} 的「{title}」照常。",
        "plan.but": "{said}不过它现在到点也不发：{why}。",
        "plan.already": "今天 {at} 的「{title}」本来就跳过了。",
        "plan.as_it_was": "今天 {at} 的「{title}」没有跳过，也没有改期。",
        "plan.none": "今天 {at} 没有安排。",
        "plan.ahead": "今天 {at} 没有安排。还没到点的：\n{lines}",
        "plan.gone": "今天 {at} 的「{title}」已经过了点，动不了了。",
        "plan.late": "{at} 已经过了，改到晚一点的时间吧。",
        "plan.after": "预告要赶在「{title}」前面，改早一点吧。",
        "plan.quiet": "{at} 是安静时间（{quiet}），不能改到这时候。",
        "plan.which": "今天 {at} 有 {count} 件，要哪一件？\n{lines}\n在后面加上号码，比如「{example}」。",
        "plan.only_today": "这里只动今天的，写几点就行，比如「20:00」；别的日子，到那天再说。",
        "plan.when_skip": "要跳过今天几点的？比如「跳过 20:00」。",
        "plan.when_restore": "要恢复今天几点的？比如「恢复 20:00」。",
        "plan.when_move": "要写原来几点、改到几点，比如「改期 20:00 20:30」。",
    },
)
# Who says more than this talks.
LONGEST = 60
_APART = re.compile(r"[\s,，、。]+|改到|改成|换到|到|至")
_DAY = re.compile("今天|今日|(?<=[点分半刻\\d])的|[吧了啊呀哦]+$")
# Before a time; what is called 周三半日题 is no Wednesday.
_OTHER_DAY = re.compile(
    r"([明后昨次隔][天日晚]|(下?周|星期|礼拜)[一二三四五六日天]|\d{1,2}[日号])的?[ ,]*(?=[早上中下午傍晚夜凌晨\d]|[一二三四五六七八九十]+点)"
)


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing of a group's plan. `state` is a key of STATES, or empty when it is still to come.

    `why` says why it did not go out or will not, `moved` at what local time the calendar has it; `occurrence`
    is what the calendar holds now.
    """

    slot: str
    local: str
    due: int
    what: str
    state: str
    why: str
    moved: str = ""
    occurrence: Occurrence | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.slot, self.local

    @property
    def priority(self) -> int:
        return self.occurrence.priority if self.occurrence else 0

    @property
    def said(self) -> str:
        """What else there is to say of it, in words."""
        why = f"（{self.why}）" if self.why else ""
        said = STATES[self.state] + why if self.state else f"跳过{why}" if why else ""
        return "，".join(one for one in (f"原定 {self.moved}" if self.moved else "", said) if one)


def merged(done: Iterable[Claimed], planned: Iterable[Occurrence]) -> list[Planned]:
    """What the calendar did, and what it holds, in order."""
    found: dict[tuple[str, str], Planned] = {}
    for one in planned:
        moved = next((part[3:] for part in one.note.split("；") if part.startswith("原定 ")), "")
        key = one.slot, one.local
        found[key] = Planned(*key, one.due, one.what, "", one.skip, moved, one)
    for row in done:
        key = row.slot, row.local
        moved, held = (found[key].moved, found[key].occurrence) if key in found else ("", None)
        found[key] = Planned(*key, row.due, row.what, row.state, row.reason, moved, held)
    return sorted(found.values(), key=lambda one: (one.due, -one.priority, one.slot))


@router.command("今日安排", "今天安排", role=Role.OWNER)
def today(_message: Message, turn: Turn) -> Reply:
    """What the calendar holds today, and what has become of it."""
    lines = [_line(turn, one) for one in _plan(turn, 0, 1)]
    if not lines:
        return Reply("plan.nothing", to=turn.person)
    return Reply("plan.today", {"lines": "\n".join(lines)}, to=turn.person)


@router.command("本周安排", "这周安排", role=Role.OWNER)
def week(_message: Message, turn: Turn) -> Reply:
    """The same from Monday to Sunday."""
    now = turn.local(turn.now).date()
    monday = monday_of(now)
    first = (monday - now).days
    lines = list(_by_day(turn, _plan(turn, first, first + 7), now))
    if not lines:
        return Reply("plan.nothing_week", to=turn.person)
    return Reply("plan.week", {"week": in_words(monday), "lines": "\n".join(lines)}, to=turn.person)


@router.command("跳过", role=Role.OWNER, rest=True, talk=True)
def skip(message: Message, turn: Turn) -> Result:
    """Leave out what is due at a time of today."""
    times, words = _said(message)
    if len(times) != 1:
        _ask("plan.when_skip", message, times)
        return None
    plan = _plan(turn, 0, 1)
    one, occurrence = _chosen(turn, plan, _at(turn, plan, times[0]), times, words, "跳过")
    values = _values(turn, one)
    if _changed(turn).get(one.key) == "":
        raise Refused("plan.already", **values)
    turn.skip_slot(occurrence)
    return Reply("plan.skipped", values, to=turn.person)


@router.command("恢复", role=Role.OWNER, rest=True, talk=True)
def restore(message: Message, turn: Turn) -> Result:
    """Have what was skipped or moved today as the calendar has it; by either of its times."""
    times, words = _said(message)
    if len(times) != 1:
        _ask("plan.when_restore", message, times)
        return None
    plan, changes = _plan(turn, 0, 1), _changed(turn)
    there = [one for one in plan if f"{times[0]:%H:%M}" in (_clock(turn, one), one.moved)]
    changed = [one for one in there if one.key in changes]
    if there and not changed:
        raise Refused("plan.as_it_was", **_values(turn, there[0]))
    one, occurrence = _chosen(turn, plan, changed, times, words, "恢复")
    own = datetime.fromisoformat(one.local)
    if not turn.move_slot(occurrence, own.time()):
        raise Refused("plan.late", at=f"{own:%H:%M}")
    return _told("plan.restored", turn, one)


@router.command("改期", role=Role.OWNER, rest=True, talk=True)
def move(message: Message, turn: Turn) -> Result:
    """Have what is due at a time of today at another."""
    times, words = _said(message)
    if len(times) != 2:
        _ask("plan.when_move", message, times)
        return None
    plan, to = _plan(turn, 0, 1), times[1]
    one, occurrence = _chosen(turn, plan, _at(turn, plan, times[0]), times, words, "改期")
    calendar = turn.library.calendars[one.slot.partition("/")[0]]
    if calendar.quiet and within(to, calendar.quiet):
        first, last = calendar.quiet
        raise Refused("plan.quiet", at=f"{to:%H:%M}", quiet=f"{first:%H:%M}-{last:%H:%M}")
    if not turn.move_slot(occurrence, to):
        raise Refused("plan.late", at=f"{to:%H:%M}")
    return _told("plan.moved", turn, one)


# What was said. ---------------------------------------------------------------------------------------


def _said(message: Message) -> tuple[list[time], str]:
    """The times of the day behind a command, as people write them, and the other words."""
    if len(message.text) > LONGEST:
        return [], ""
    said, others = _OTHER_DAY.subn(" ", plain(message.text)[2:].lstrip(": "))
    parts = [part for part in _APART.split(_DAY.sub(" ", said)) if part]
    times = [(clock_of(part), part) for part in parts]
    found = [at for at, _ in times if at]
    if found and others:
        raise Refused("plan.only_today")
    return found, " ".join(part for at, part in times if not at)


def _ask(text: str, message: Message, times: Sequence[time]) -> None:
    """Ask for the time, unless it was talk: who says one means it."""
    if times or message.to_bot or len(plain(message.text)) <= 2:
        raise Refused(text)


def _at(turn: Turn, plan: Sequence[Planned], at: time) -> list[Planned]:
    return [one for one in plan if _clock(turn, one) == f"{at:%H:%M}"]


def _chosen(
    turn: Turn,
    plan: Sequence[Planned],
    there: Sequence[Planned],
    times: Sequence[time],
    words: str,
    command: str,
) -> tuple[Planned, Occurrence]:
    """The one of several that was meant, by its number or a word of its title. It is still to come."""
    at = f"{times[0]:%H:%M}"
    if not there:
        ahead = [_line(turn, one) for one in plan if one.due > turn.now]
        if ahead:
            raise Refused("plan.ahead", at=at, lines="\n".join(ahead))
        raise Refused("plan.none", at=at)
    if len(there) > 1 and words:
        named = [one for one in there if words in plain(title_of(turn.library, one.what))]
        numbered = [one for number, one in enumerate(there, 1) if words == str(number)]
        there = numbered or named or there
    if len(there) == 1:
        (one,) = there
        if one.state or one.due <= turn.now or one.occurrence is None:
            raise Refused("plan.gone", **_values(turn, one))
        return one, one.occurrence
    said = " ".join(f"{each:%H:%M}" for each in times)
    lines = [f"{number}. {title_of(turn.library, one.what)}" for number, one in enumerate(there, 1)]
    raise Refused(
        "plan.which", at=at, count=len(there), lines="\n".join(lines), example=f"{command} {said} 1"
    )


# The plan. --------------------------------------------------------------------------------------------


def _plan(turn: Turn, first: int, last: int) -> list[Planned]:
    """What the group has from the beginning of one day to that of another, counted from today."""
    start, stop = turn.midnight(first), turn.midnight(last)
    done = turn.store.occurrences.between(turn.group.id, start, stop)
    return merged(done, turn.plan(start - 1, stop - 1))


def _changed(turn: Turn) -> dict[tuple[str, str], str]:
    """What the owner moved to another time, or skipped (then it is empty), from today on."""
    since = f"{turn.local(turn.now):%Y-%m-%d}"
    return turn.store.moves.of(turn.group.id, since)


def _told(text: str, turn: Turn, before: Planned) -> Reply:
    """Say at what time it is now, and why it does not come for all that.

    Raises Refused for a warning-up that would come no sooner than what it announces.
    """
    one = next((each for each in _plan(turn, 0, 1) if each.key == before.key), None)
    if one is None:
        raise Refused("plan.after", title=_announced(turn, before))
    said = turn.words(text, _values(turn, one) | {"from": _clock(turn, before)})
    if one.why:
        said = turn.words("plan.but", {"said": said, "why": one.why})
    return Reply(said, to=turn.person, verbatim=True)


def _announced(turn: Turn, one: Planned) -> str:
    """What a warning-up comes before."""
    main = one.slot.partition("~")[0]
    ahead = (each for each in _plan(turn, 0, 1) if each.slot == main and each.due > one.due)
    return next((title_of(turn.library, each.what) for each in ahead), "")


def _values(turn: Turn, one: Planned) -> dict[str, str]:
    return {"at": _clock(turn, one), "title": title_of(turn.library, one.what)}


def _clock(turn: Turn, one: Planned) -> str:
    return f"{turn.local(one.due):%H:%M}"


def _by_day(turn: Turn, plan: Sequence[Planned], now: date) -> Iterator[str]:
    last = None
    for one in plan:
        day = turn.local(one.due).date()
        if day != last:
            last = day
            near = {now: "（今天）", now + timedelta(1): "（明天）"}.get(day, "")
            yield f"周{DAYS[day.weekday()]} {day.month} 月 {day.day} 日{near}"
        yield _line(turn, one)


def _line(turn: Turn, one: Planned) -> str:
    said = f"{_clock(turn, one)} {title_of(turn.library, one.what)}"
    return f"{said}，{one.said}" if one.said else said
