"""日程. Owners: 开张, 标签, 暂停, 继续. Slots: post, warm-ups, all others. Timers: slot, post.next."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from bot.dispatch import posts
from bot.dispatch.router import Router
from bot.dispatch.text import plain
from bot.dispatch.turn import Turn
from bot.errors import Refused
from bot.model import SECOND, Member, Message, Reply, Result, Role, Timer, effects_of, names_of
from bot.sop.due import PAUSED
from bot.sop.posts import NAMES
from bot.sop.schema import Slot, slot_key, variables
from handlers.quiz import holds_up
from handlers.report import title_of

if TYPE_CHECKING:
    from storage.occurrences import Claimed

router = Router(
    "calendar",
    {
        "calendar.opened": "开张大吉。国库里有 {treasury} 分。{calendars}回复「帮助」看我会做什么。",
        "calendar.reopened": "早就开张了。{calendars}",
        "calendar.with": "标签：{tags}，日历：{titles}。",
        "calendar.without": "标签：{tags}，还没有哪本日历是给它的。",
        "calendar.tagged": "标签换好了。{calendars}",
        "calendar.untagged": "标签清空了。{calendars}",
        "calendar.no_tags": "还没有标签。说「标签 理财」打上，日历照着标签走。",
        "calendar.bad_tags": "标签最多 {most} 个，每个最多 {length} 个字。",
        "calendar.paused": "日程暂停了，说「@小二 继续」再接着来。签到和积分照常。",
        "calendar.is_paused": "日程本来就暂停着。",
        "calendar.resumed": "日程继续。",
        "calendar.not_paused": "日程没有暂停。",
        "calendar.warm_up": "{at} 有「{title}」，到时候见。",
        "calendar.warm_title": "预告：{title}",
    },
)
TAGS, TAG, NO_TAGS = 5, 12, "清空"
WEEK, SILENT = 7, {"silent-7d": 7, "silent-30d": 30}
RETRY = 30 * SECOND
STATES = {
    "claimed": "正在发",
    "sent": "已发",
    "late": "晚了，已发",
    "missed": "错过了",
    "skipped": "跳过了",
    "failed": "没发成",
    "unknown": "不知道发出去没有",
}


@router.command("开张", role=Role.NEWCOMER, rest=True, early=True)
def open_up(_message: Message, turn: Turn) -> Reply:
    """The group's owner opens the group and sets its tags; where there is no owner known, who says it is."""
    if turn.group.owner and turn.member.role < Role.OWNER:
        raise Refused("gate.owner_only")
    tags = _tags(turn)
    if turn.group.opened_at:
        if tags:
            turn.set_tags(tags)
        return Reply("calendar.reopened", {"calendars": _calendars(turn)}, to=turn.person)
    turn.set_group(opened_at=turn.now, owner=turn.group.owner or turn.member.person)
    turn.know_role(turn.member)
    turn.set_tags(tags)
    treasury = turn.settings.treasury
    if treasury:
        key = f"treasury:{turn.group.id}"
        turn.store.ledger.transfer(turn.group.id, ("house", 0), ("treasury", 0), treasury, key, turn.now)
    return Reply("calendar.opened", {"treasury": treasury, "calendars": _calendars(turn)}, to=turn.person)


@router.command("标签", role=Role.OWNER, rest=True, talk=True)
def tag(_message: Message, turn: Turn) -> Reply:
    """Set the group's tags, take them away, or say which it has."""
    if plain(turn.rest) == NO_TAGS:
        turn.set_tags([])
        return Reply("calendar.untagged", {"calendars": _calendars(turn)}, to=turn.person)
    tags = _tags(turn)
    if tags:
        turn.set_tags(tags)
    calendars = _calendars(turn)
    if not calendars:
        return Reply("calendar.no_tags", to=turn.person)
    if not tags:
        return Reply(calendars, to=turn.person, verbatim=True)
    return Reply("calendar.tagged", {"calendars": calendars}, to=turn.person)


@router.command("暂停", role=Role.OWNER, talk=True)
def pause(message: Message, turn: Turn) -> Reply | None:
    if turn.group.paused:
        return Reply("calendar.is_paused", to=turn.person) if message.to_bot else None
    turn.set_group(paused=True)
    return Reply("calendar.paused", to=turn.person)


@router.command("继续", role=Role.OWNER, talk=True)
def resume(message: Message, turn: Turn) -> Reply | None:
    if not turn.group.paused:
        return Reply("calendar.not_paused", to=turn.person) if message.to_bot else None
    turn.set_group(paused=False)
    return Reply("calendar.resumed", to=turn.person)


@router.timer("slot")
def slot(timer: Timer, turn: Turn) -> Result:
    """Carry out an occurrence: in time or late, after a game that runs, or not at all, with the reason."""
    claimed = turn.store.occurrences.get(timer.subject)
    if claimed is None or claimed.state != "claimed":
        return None
    if turn.group.paused:
        turn.store.occurrences.end(claimed.id, "skipped", PAUSED)
        return None
    last = claimed.due + claimed.late
    playing = holds_up(turn, _kind(claimed, turn))
    if turn.now > last:
        why = "等不到游戏结束" if playing else "过了时间才轮到"
        turn.store.occurrences.end(claimed.id, "missed", why)
        return None
    if playing:
        turn.timer("slot", claimed.id, min(turn.now + RETRY, last + 1))
        return None
    turn.occurrence = claimed
    return _carry_out(claimed, turn, last)


@router.timer(posts.NEXT)
def post_next(timer: Timer, turn: Turn) -> Result:
    """Say what comes next of a post that is several messages."""
    return posts.go_on(turn, timer.subject)


def _carry_out(claimed: Claimed, turn: Turn, last: int) -> Result:
    """Say or start what an occurrence is for; not after a moment."""
    kind, _, name = claimed.what.partition(":")
    if kind == "warm":
        return _warm_up(name, claimed, turn)._replace(send_before=last)
    if kind == "post":
        slot = _slot(claimed.slot, turn)
        if slot is None and _calls(name, turn):
            turn.store.occurrences.end(claimed.id, "skipped", "日历里已经没有这一条")
            return None
        return _to_some(name, slot, claimed, turn) if slot and slot.for_some else turn.post(name, last=last)
    activity = turn.library.activities.get(name)
    if activity is None:
        turn.store.occurrences.end(claimed.id, "failed", f"库里没有活动 {name}")
        return None
    return _in_time(turn.start(activity), last)


def _kind(claimed: Claimed, turn: Turn) -> str:
    """The kind of the activity that an occurrence starts, or nothing."""
    activity = turn.library.activities.get(claimed.what.removeprefix("do:"))
    return activity.kind if activity and claimed.what.startswith("do:") else ""


def _slot(key: str, turn: Turn) -> Slot | None:
    """The slot of an occurrence as the library has it now, if it still does."""
    name = key.partition("/")[0]
    slots = turn.library.calendars[name].slots if name in turn.library.calendars else ()
    return next((slot for slot in slots if slot_key(name, slot) == key), None)


def _calls(name: str, turn: Turn) -> bool:
    """Whether a post calls people by name: without its slot nobody knows whom."""
    post = turn.library.posts.get(name)
    return any(NAMES in variables(said) for said in (post.words if post else (name,)))


def _warm_up(coming: str, claimed: Claimed, turn: Turn) -> Reply:
    """What is announced: `2026-11-25T10:00 do:<activity>`."""
    local, _, what = coming.partition(" ")
    at, here = datetime.fromisoformat(local), datetime.fromisoformat(claimed.local)
    days = (at.date() - here.date()).days
    day = ("今天", "明天", "后天")[days] if days < 3 else f"周{'一二三四五六日'[at.weekday()]}"
    values = {"title": title_of(turn.library, what), "at": f"{day} {at:%H:%M}"}
    return Reply("calendar.warm_up", values, occurrence=turn.occurrence_id)


def _to_some(name: str, slot: Slot, claimed: Claimed, turn: Turn) -> Result:
    """Write to those that a slot is meant for: in the group, called by name, or to each of them alone."""
    people = _newcomers(slot.day, claimed, turn) if slot.day else _segment(slot, turn)
    if not people:
        why = f"没有进群第 {slot.day} 天的人" if slot.day else "没有要写给的人"
        turn.store.occurrences.end(claimed.id, "skipped", why)
        return None
    last = claimed.due + claimed.late
    if slot.to == "private":
        alone = [turn.post(name, alone=turn.named(one), last=last) for one in people]
        return [reply for replies in alone for reply in replies]
    return turn.post(name, called="、".join(f"@{one.name}" for one in people), last=last)


def _newcomers(day: int, claimed: Claimed, turn: Turn) -> list[Member]:
    """Those for whom this is the so-many-eth time that the slot comes since they joined."""
    first, last = (turn.moment(claimed.local, -back) for back in (day, day - 1))
    here = {member.id: member for member in turn.members}
    joined = turn.store.some.who_joined(turn.group.id, first, last)
    return [here[member] for member in joined if member in here]


def _segment(slot: Slot, turn: Turn) -> list[Member]:
    """Some of a segment, those first who were not written to for longest; nobody twice in a week."""
    today = turn.local(turn.now).date().toordinal()
    wrote = turn.store.written.last_days(turn.group.id)
    known = turn.store.some.known(turn.group.id)
    found: list[tuple[int, int, Member]] = []
    for member in turn.members:
        if member.id not in known or member.role == Role.OWNER:
            continue
        joined, nudged = known[member.id]
        last = wrote.get(member.id, 0)
        silent = today - max(last, turn.local(joined).date().toordinal())
        meant = today - last < WEEK if slot.segment == "active" else silent >= SILENT[slot.segment or ""]
        if meant and today - nudged >= WEEK:
            found.append((nudged, member.id, member))
    people = [member for _, _, member in sorted(found, key=lambda one: one[:2])[: slot.most]]
    turn.store.some.wrote_to([member.id for member in people], today)
    return people


def _in_time(result: Result, last: int) -> Result:
    """What opens an activity is stale once its slot is too late, unless it says a moment itself."""
    replies = [one for one in effects_of(result) if isinstance(one, Reply)]
    return [one._replace(send_before=one.send_before or last) for one in replies]


def _tags(turn: Turn) -> list[str]:
    """The tags behind a command."""
    words = [word for word in re.split(r"[\s、,，]+", turn.rest) if word]
    if len(words) > TAGS or any(len(word) > TAG for word in words):
        raise Refused("calendar.bad_tags", most=TAGS, length=TAG)
    return list(dict.fromkeys(_tag(turn, word) for word in words))


def _tag(turn: Turn, word: str) -> str:
    """The tag as a calendar writes it, when one does."""
    for calendar in turn.library.calendars.values():
        for tag in calendar.audience.tags:
            if plain(tag) == plain(word):
                return tag
    return word


def _calendars(turn: Turn) -> str:
    tags, names = turn.store.groups.tags_of(turn.group.id), names_of(turn.group)
    titles = [one.title for one in turn.library.calendars.values() if one.audience.reaches(tags, names)]
    if not titles:
        return turn.words("calendar.without", {"tags": "、".join(tags)}) if tags else ""
    return turn.words("calendar.with", {"tags": "、".join(tags) or "没有", "titles": "、".join(titles)})
