"""周报. Owners: 周报. Events: Drawn, which brings the Sunday pictures. Slots: none. Timers: none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.dispatch.router import Router
from bot.dispatch.turn import Turn
from bot.model import HOUR, SECOND, Drawn, Message, Reply, Result, Role, fill
from bot.sop.posts import NAMES

if TYPE_CHECKING:
    from bot.sop.library import Library
    from storage.brought import Brought, Ranked, Week
    from storage.store import Store

router = Router(
    "report",
    {
        "report.week": "{title} {week}\n{lines}",
        "report.nothing": "{title} {week}\n这一周还没有什么可说的。",
        "report.top": "这一周得分最多的\n{lines}",
        "report.sunday": "{title} {week}",
    },
)
# How late the Sunday pictures may arrive: the account may be offline that night.
WITHIN = 12 * HOUR
LONGEST = 16
DAYS = "一二三四五六日"
# States of an occurrence that say that it went out.
WENT_OUT = ("sent", "late")
OUTCOMES = {
    "sent": "按时 {n}",
    "late": "晚了 {n}",
    "skipped": "跳过 {n}",
    "missed": "错过 {n}",
    "failed": "没发成 {n}",
    "unknown": "不知道发没发出去 {n}",
    "claimed": "正在发 {n}",
}


@router.command("周报", role=Role.OWNER)
def report(_message: Message, turn: Turn) -> Reply:
    """The group's week so far."""
    monday = monday_of(turn.local(turn.now).date())
    week = read(turn.store, turn.library, turn.group.id, monday, turn.zone, turn.group.opened_at)
    values = {"title": turn.group.title or "本群", "week": in_words(monday)}
    if not week.active:
        return Reply("report.nothing", values, to=turn.person)
    lines = [*told(week), *_activities(turn, week)]
    if top := [f"{number}. {one.name} {one.points} 分" for number, one in enumerate(_winners(week), 1)]:
        lines.append(turn.words("report.top", {"lines": "\n".join(top)}))
    return Reply("report.week", {**values, "lines": "\n".join(lines)}, to=turn.person)


@router.on(Drawn)
def drawn(event: Drawn, turn: Turn) -> Result:
    """Send the pictures of a week, once."""
    if not turn.store.marks.add(event.account, event.chat, event.key, turn.now, router.name):
        return None
    return [
        Reply(
            "report.sunday", {"title": title, "week": event.week}, drawn=name, send_before=turn.now + WITHIN
        )
        for name, title in event.pictures
    ]


# What a week is called, and read from. The console tells of it in the same words. -----------------------


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def begins(day: date, zone: ZoneInfo) -> int:
    """The moment at which a day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * SECOND


def in_words(monday: date) -> str:
    """`第 47 周（11 月 16 日到 22 日）`."""
    sunday = monday + timedelta(days=6)
    month = f"{sunday.month} 月 " if sunday.month != monday.month else ""
    return f"第 {monday.isocalendar().week} 周（{monday.month} 月 {monday.day} 日到 {month}{sunday.day} 日）"


def read(store: Store, library: Library, group: int, monday: date, zone: ZoneInfo, opened: int) -> Week:
    """A group's week, from its Monday to before the next."""
    start, stop = begins(monday, zone), begins(monday + timedelta(days=7), zone)
    calls = {f"do:{key}" for key, activity in library.activities.items() if activity.kind == "sign_in"}
    return store.reports.week(group, monday, start, stop, opened, calls)


def title_of(library: Library, what: str) -> str:
    """An activity's title, or how a post begins, or what is announced."""
    kind, _, name = what.partition(":")
    if kind == "warm":
        return fill(library.text("calendar.warm_title"), {"title": title_of(library, name.partition(" ")[2])})
    if kind == "do":
        activity = library.activities.get(name)
        return activity.title if activity else name
    post = library.posts.get(name)
    line = next(iter((post.title if post else name).strip().splitlines()), name)
    line = fill(line, {NAMES: "某某", "group": "本群"})
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def when(local: str) -> str:
    """`周二 20:00` for an occurrence's local time."""
    at = datetime.fromisoformat(local)
    return f"周{DAYS[at.weekday()]} {at:%H:%M}"


def late(one: Brought) -> int:
    """How many seconds after its moment it was sent."""
    return max(0, one.sent_at - one.due) // SECOND if one.sent_at else 0


def told(week: Week) -> Iterator[str]:
    """The week in a few lines."""
    many = len(week.occurrences)
    yield f"日程 {many} 件：{outcomes(week)}。" if many else "没有到点的日程。"
    yield f"参加 {len(week.players)} 人，群里 {week.members} 人" + (
        f"，新来 {week.joined} 人。" if week.joined else "。"
    )
    if average := mean_players(week):
        yield f"每场平均 {average[0]}/{average[1]} 人参加。"
    yield f"说话 {week.wrote} 人 {week.messages} 条，签到 {week.sign_ins} 人次，得分 {week.points}。"


def outcomes(week: Week) -> str:
    """`按时 9，晚了 1`; empty when nothing fell due."""
    counted = Counter(one.state for one in week.occurrences)
    return "，".join(words.format(n=counted[state]) for state, words in OUTCOMES.items() if counted[state])


def mean_players(week: Week) -> tuple[int, int] | None:
    """Of the activities that went out: how many took part in one on average, of how many members."""
    played = [one for one in week.occurrences if one.played]
    if not played:
        return None
    many = len(played)
    return (
        round(sum(len(one.players) for one in played) / many),
        round(sum(one.members for one in played) / many),
    )


def moment(microseconds: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(microseconds // SECOND, UTC).astimezone(zone)


def _activities(turn: Turn, week: Week) -> Iterator[str]:
    for one in week.occurrences:
        if one.played:
            line = (
                f"{when(one.local)} {title_of(turn.library, one.what)}，{len(one.players)}/{one.members} 人"
            )
            yield line + (f"，答对 {one.right}/{one.answers}" if one.answers else "")


def _winners(week: Week) -> Sequence[Ranked]:
    return [one for one in week.top if one.points]
