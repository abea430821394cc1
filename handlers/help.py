"""帮助. Anybody: 小二, 帮助; both in private as well. Slots: none. Timers: none."""

from __future__ import annotations

from bot.dispatch.router import Router
from bot.dispatch.turn import PrivateTurn, Turn
from bot.model import Message, Reply, Role

router = Router(
    "help",
    {
        "help.called": "我在。回复「帮助」看我会做什么。",
        "help.member": (
            "小二会做这些：\n签到（打卡）、我的积分、积分榜、群规\n抢：抢红包\n"
            "发红包 总分 份数：用自己的积分发红包\n撤回红包：收回没人抢的\n答题时直接回复选项"
        ),
        "help.owner": (
            "群主还可以说：\n开张 标签、标签 理财、周报\n今日安排、本周安排\n"
            "跳过 20:00、恢复 20:00、改期 20:00 20:30\n活动库、@小二 开始 活动名或号码\n"
            "@小二 收题、@小二 结束、@小二 暂停、@小二 继续\n暗号 芝麻开门、取消暗号、群规 内容\n"
            "发红包 总分 份数：从国库发"
        ),
        "help.private": "我在群里当差：签到、答题、红包都请到群里说。这里可以回复「我的积分」。",
    },
)


@router.command("小二", "小二在吗", role=Role.NEWCOMER, early=True)
def called(_message: Message, turn: Turn) -> Reply:
    return Reply("help.called" if turn.group.opened_at else "gate.not_open", to=turn.person)


@router.command("帮助", "菜单", "help", role=Role.NEWCOMER, early=True)
def commands(_message: Message, turn: Turn) -> Reply:
    text = turn.words("help.member", {})
    if turn.member.role == Role.OWNER:
        text += "\n" + turn.words("help.owner", {})
    return Reply(text, to=turn.person, verbatim=True)


@router.private("小二", "小二在吗", "帮助", "菜单", "help")
def privately(_message: Message, _turn: PrivateTurn) -> Reply:
    return Reply("help.private")
