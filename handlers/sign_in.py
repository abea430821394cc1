"""签到. Members: 签到, 打卡. Slots: sign_in. Timers: none."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.dispatch.router import Router
from bot.dispatch.turn import Turn
from bot.model import Message, Reply
from bot.sop.schema import Activity, Part, template
from games import streaks

router = Router(
    "sign_in",
    {
        "sign_in.done": "签到成功，今天第 {place} 个，连续 {streak} 天，得 {points} 分，共 {balance} 分。",
        "sign_in.done.many": "{count} 人签到成功\n{lines}",
        "sign_in.done.line": "第 {place} 个，连续 {streak} 天，得 {points} 分，共 {balance} 分",
        "sign_in.again": "今天已签到，第 {place} 个，连续 {streak} 天。",
        "sign_in.again.many": "{count} 人今天已签到\n{lines}",
        "sign_in.again.line": "第 {place} 个，连续 {streak} 天",
    },
)


class Posts(Part):
    opening: Annotated[str, template()] = Field(description="到点说的那一句，没有变量")


class MorningSignIn(Activity):
    """Calls everybody to sign in."""

    kind: Literal["sign_in"] = Field(description="种类：签到")
    posts: Posts = Field(description="要说的话")


@router.command("签到", "打卡")
def sign_in(_message: Message, turn: Turn) -> Reply:
    """Once a day; the points go by the streak, and the streak by dates."""
    member, day = turn.member, turn.day().toordinal()
    last_day, last_streak, last_place = turn.store.sign_ins.last(member.id)
    if last_day >= day:
        return Reply("sign_in.again", {"place": last_place, "streak": last_streak}, to=turn.person)
    streak = streaks.streak(last_day, last_streak, day)
    points = streaks.points(streak, turn.settings.sign_in.points)
    place = turn.store.sign_ins.add(turn.group.id, member.id, day, streak, points)
    balance = turn.mint(member, points, f"sign_in:{member.id}:{day}")
    return Reply(
        "sign_in.done",
        {"place": place, "streak": streak, "points": points, "balance": balance},
        to=turn.person,
    )


@router.slot("sign_in", MorningSignIn)
def call(activity: MorningSignIn, turn: Turn) -> Reply:
    return Reply(activity.posts.opening, verbatim=True, occurrence=turn.occurrence_id)
