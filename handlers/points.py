"""积分. Members: 我的积分, 积分, 积分榜; the first two in private as well. Slots: none. Timers: none."""

from __future__ import annotations

from bot.dispatch.router import Router
from bot.dispatch.turn import PrivateTurn, Turn
from bot.model import Message, Reply
from games.ranking import lines

router = Router(
    "points",
    {
        "points.mine": "你有 {points} 分。",
        "points.mine.many": "{count} 人的积分\n{lines}",
        "points.mine.line": "{points} 分",
        "points.top": "积分榜\n{top}",
        "points.nobody": "还没有人有积分。回复「签到」就有了。",
        "points.private": "你的积分：\n{purses}",
        "points.no_purse": "你还没有积分。在群里回复「签到」就有了。",
    },
)
TOP = 10


@router.command("我的积分", "积分")
def mine(_message: Message, turn: Turn) -> Reply:
    points = turn.store.ledger.balance(turn.group.id, ("purse", turn.member.id))
    return Reply("points.mine", {"points": points}, to=turn.person)


@router.command("积分榜", "排行榜")
def top(_message: Message, turn: Turn) -> Reply:
    found = turn.store.ledger.top(turn.group.id, TOP)
    if not found:
        return Reply("points.nobody", to=turn.person)
    return Reply("points.top", {"top": "\n".join(lines(found))}, to=turn.person)


@router.private("我的积分", "积分")
def purses(message: Message, turn: PrivateTurn) -> Reply:
    """What somebody holds in each group of this account."""
    groups = {group.id: group for group in turn.store.groups.all() if group.account == message.account}
    held = [
        f"{groups[group].title or '群'}：{points} 分"
        for group, points in turn.store.ledger.purses_of(message.sender.id)
        if group in groups
    ]
    return Reply("points.private", {"purses": "\n".join(held)}) if held else Reply("points.no_purse")
