"""钩子: the product's post in the course of an activity. Members: nothing. Slots: none. Timers: hook.

games/peak.py says when the talk has begun to fall; this file says from when and until when that counts, and
when nothing is said at all: in quiet hours, while the group is paused, and when the day has enough.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from bot.dispatch import hooks
from bot.dispatch.counts import KEPT, PIECE
from bot.dispatch.router import Router
from bot.dispatch.turn import Turn
from bot.model import HOUR, MINUTE, Result, Timer, names_of
from bot.sop.calendar import Calendar
from bot.sop.dates import within
from bot.sop.due import PAUSED
from bot.sop.hook import Running
from bot.sop.schema import slot_key
from games.peak import past_peak

if TYPE_CHECKING:
    from storage.hooks import Kept

router = Router("hook", {})

# Whoever wants to show more than this in a day drives people away.
A_DAY = 1
# A round may be longer; of what is written, no more is kept than twice this.
LONGEST_LAP = HOUR
# Who comes back after such a time has seen nothing of the talk.
FORGOTTEN = 10 * MINUTE


@router.timer(hooks.TIMER)
def look(timer: Timer, turn: Turn) -> Result:
    """Post now, not at all, or look again."""
    hook = turn.store.hooks.get(timer.subject)
    if hook is None or hook.state != "waiting":
        return None
    running = _read(hook.definition)
    last = _last(hook, running)
    if not _now(hook, running, last, turn):
        if again := _again(hook, running, last, turn.now):
            turn.timer(hooks.TIMER, hook.id, again)
        return None
    if why := _away(timer, turn) or _why_not(hook, turn):
        hooks.drop(turn, hook.id, why)
        return None
    return _post(hook, running, turn)


def _post(hook: Kept, running: Running, turn: Turn) -> Result:
    turn.store.hooks.end(hook.id, "posted", turn.now)
    if hook.occurrence:
        turn.store.occurrences.hooked(hook.occurrence, turn.now)
    first, *rest = turn.post(running.post)
    return [first._replace(about=f"hook:{hook.id}"), *rest]


# When. ------------------------------------------------------------------------------------------------


def _first(hook: Kept, running: Running) -> int:
    """Before this, nothing is posted."""
    return hook.started + (running.hook.earliest if running.hook.at == "peak" else 0)


def _last(hook: Kept, running: Running) -> int:
    """When it goes in any case; 0 while that is not known."""
    if span := running.hook.latest_span:
        return hook.started + span
    ends = [hook.ended] if hook.ended else []
    ends += [hook.started + running.length] if running.length else []
    return max(min(ends), _first(hook, running)) if ends else 0


def _now(hook: Kept, running: Running, last: int, turn: Turn) -> bool:
    if last and turn.now >= last:
        return True
    if running.hook.at != "peak" or turn.now < _first(hook, running):
        return False
    # Whole pieces since it began, as many as are kept.
    many = turn.now // PIECE - hook.started // PIECE
    counts = turn.rate((many + 1) * PIECE)[:-1]
    window = -(-min(running.lap, LONGEST_LAP) // PIECE)
    return past_peak(counts, window, earliest=0, latest=len(counts) + 1)


def _again(hook: Kept, running: Running, last: int, now: int) -> int:
    """When to look again: at the end of each piece as long as the talk is kept; 0 when somebody will say."""
    if running.hook.at != "peak" or now >= hook.started + KEPT:
        return last
    tick = (max(now, _first(hook, running) - 1) // PIECE + 1) * PIECE
    return min(tick, last) if last else tick


# Why not. ---------------------------------------------------------------------------------------------


def _away(timer: Timer, turn: Turn) -> str:
    return "过了时间才轮到" if turn.now - timer.due > FORGOTTEN else ""


def _why_not(hook: Kept, turn: Turn) -> str:
    """The reason for which nothing is posted; '' when there is none."""
    if turn.group.paused:
        return PAUSED
    started = turn.store.occurrences.get(hook.occurrence) if hook.occurrence else None
    if started is not None and started.state in ("missed", "failed"):
        return hooks.VOID
    ours = _calendars(turn)
    here = turn.local(turn.now).time()
    for calendar in ours.values():
        if calendar.quiet and within(here, calendar.quiet):
            first, last = calendar.quiet
            return f"安静时间 {first:%H:%M}-{last:%H:%M}"
    today = turn.store.hooks.posted(turn.group.id, turn.midnight())
    if today >= A_DAY:
        return f"一天最多 {A_DAY} 条钩子"
    most = min((one.posts_a_day for one in ours.values() if one.posts_a_day), default=0)
    return f"一天最多 {most} 条" if most and today + _planned(turn, ours) >= most else ""


def _calendars(turn: Turn) -> dict[str, Calendar]:
    """The calendars that are for the group."""
    tags, names = turn.store.groups.tags_of(turn.group.id), names_of(turn.group)
    return {
        key: calendar
        for key, calendar in turn.library.calendars.items()
        if calendar.audience.reaches(tags, names)
    }


def _planned(turn: Turn, ours: dict[str, Calendar]) -> int:
    """How many posts the group's day has, those still to come too; what goes to some people alone is none."""
    alone = {
        slot_key(name, slot)
        for name, calendar in ours.items()
        for slot in calendar.slots
        if slot.to == "private"
    }
    plan = turn.plan(turn.midnight() - 1, turn.midnight(1) - 1)
    return sum(not one.skip and one.slot not in alone for one in plan)


@lru_cache(256)
def _read(definition: str) -> Running:
    """Each hook is looked at every half minute."""
    return Running.model_validate_json(definition)
