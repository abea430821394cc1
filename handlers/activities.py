"""活动库. Owners: 活动库, 开始. Slots: none of its own. Timers: none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from bot.dispatch.router import Router
from bot.dispatch.text import plain
from bot.dispatch.turn import Turn
from bot.durations import in_words
from bot.errors import Refused
from bot.model import Message, Reply, Result, Role, names_of
from bot.sop.hints import alike
from bot.sop.schema import Activity, Calendar

router = Router(
    "activities",
    {
        "activities.list": "活动库\n{lines}\n说「@小二 开始」加活动名或者号码，马上就办。",
        "activities.none": "活动库里还没有活动。",
        "activities.others": "别的群的：",
        "activities.more": "还有 {count} 个没列，说活动名一样能开始。",
        "activities.busy": "{line}（等这一场问答结束）",
        "activities.unknown": "没有叫「{name}」的活动。说「活动库」，看有哪些。",
        "activities.meant": "没有叫「{name}」的活动，是不是「{meant}」？",
        "activities.which": "要开始哪个活动？说「活动库」，看有哪些。",
    },
)
SHOWN, MOST = 20, 60
QUOTES = "「」《》“”\"'"


@router.command("活动库", role=Role.OWNER)
def library(_message: Message, turn: Turn) -> Reply:
    """What can be started now, each with its number: what the group's own calendars hold comes first."""
    ours, others = _shelves(turn)
    if not ours and not others:
        return Reply("activities.none", to=turn.person)
    lines = list(_lines(turn, ours, 1))
    if ours and others:
        lines.append(turn.words("activities.others", {}))
    shown = dict(islice(others.items(), max(0, MOST - len(ours))))
    lines += _lines(turn, shown, len(ours) + 1)
    if len(shown) < len(others):
        lines.append(turn.words("activities.more", {"count": len(others) - len(shown)}))
    return Reply("activities.list", {"lines": "\n".join(lines)}, to=turn.person)


@router.command("开始", role=Role.OWNER, rest=True, talk=True)
def start(message: Message, turn: Turn) -> Result:
    """Start an activity of the library now, by its title, its id or its number in the list."""
    wanted = plain(turn.rest).strip(QUOTES)
    ours, others = _shelves(turn)
    known = {**ours, **others}
    numbered = dict(enumerate(known.values(), 1))
    for key, activity in known.items():
        if wanted in (plain(activity.title), plain(key)):
            return turn.start(activity)
    if wanted.isdecimal() and (chosen := numbered.get(int(wanted[:4]))):
        return turn.start(chosen)
    meant = alike(wanted[:SHOWN], [activity.title for activity in known.values()]) if wanted else ""
    if meant:
        raise Refused("activities.meant", name=turn.rest[:SHOWN], meant=meant)
    if not message.to_bot:
        return None
    if not wanted:
        raise Refused("activities.which")
    raise Refused("activities.unknown", name=turn.rest[:SHOWN])


def _lines(turn: Turn, activities: dict[str, Activity], first: int) -> Iterator[str]:
    playing = turn.store.quizzes.running(turn.group.id)
    for number, activity in enumerate(activities.values(), first):
        line = f"{number}. {activity.title}"
        if activity.length:
            line += f"，约 {in_words(activity.length)}"
        busy = playing and activity.kind == "quiz"
        yield turn.words("activities.busy", {"line": line}) if busy else line


def _shelves(turn: Turn) -> tuple[dict[str, Activity], dict[str, Activity]]:
    """The activities that are in the group's calendars, and all others, each in the order of the library."""
    tags, names = turn.store.groups.tags_of(turn.group.id), names_of(turn.group)
    held = {
        key
        for calendar in turn.library.calendars.values()
        if calendar.audience.reaches(tags, names)
        for key in _held(calendar)
    }
    ours: dict[str, Activity] = {}
    others: dict[str, Activity] = {}
    for key, activity in turn.library.activities.items():
        (ours if key in held else others)[key] = activity
    return ours, others


def _held(calendar: Calendar) -> Iterator[str]:
    for slot in calendar.slots:
        for one in slot.each() or [slot]:
            if one.do:
                yield one.do
    yield from (one.do for one in calendar.overrides if one.do)
