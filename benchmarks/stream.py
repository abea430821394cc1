"""What a group says, the same for everybody who is measured: mostly talk, and now and then a command.

Imports nothing but the standard library: some of those who are measured live in a venv of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

GROUPS, MEMBERS = 100, 10
MESSAGES = 20_000
# How many arrive between two looks of the event loop at what else there is to do.
BURST = 64

COMMANDS = (
    "签到",
    "抢",
    "积分榜",
    "我的积分",
    "国库",
    "转账",
    "帮助",
    "日程",
    "设置",
    "群规",
    "暗号",
    "抽奖",
    "报名",
    "名单",
    "接龙",
    "猜谜",
    "拼音",
    "掷骰子",
    "问答",
    "题库",
    "战报",
    "称号",
    "连签",
    "兑换",
    "公告",
)
CHATTER = (
    "好的👌",
    "收到！",
    "哈哈哈哈",
    "早上好呀",
    "谢谢老师",
    "明天几点开门？",
    "有人一起拼单吗",
    "这个颜色还有38码吗？",
    "我刚下班，晚点再看",
    "A和B有什么区别呢",
    "昨天那个讲座有回放吗？",
    "今天菜市场的青菜又涨价了",
    "请问大额存单现在利率是多少",
    "孩子的压岁钱一般放哪里比较好？",
    "我觉得还是先还清信用卡再说吧。",
    "下雨天路滑，大家出门穿双防滑的鞋哦",
    "@小林 你上次说的那家店还开着吗，地址发我一下",
    "周六要是天气好的话，我想带爸妈过去试试那双软底的。",
    "刚才看了一下说明书，R2和R3的差别主要在波动上，大家按自己的情况来",
)


@dataclass(frozen=True, slots=True)
class Said:
    """One message: which group, which of its members, and what."""

    number: int
    group: int
    member: int
    text: str


def stream(messages: int = MESSAGES, groups: int = GROUPS, members: int = MEMBERS) -> list[Said]:
    """Messages in any group by any member: of every ten, one is a command; the last one is.

    Each text is an object of its own, as it comes from a platform.
    """
    chance = Random(7)
    said = []
    for number in range(messages):
        text = chance.choice(COMMANDS if number % 10 == 9 else CHATTER)
        said.append(Said(number, chance.randrange(groups), chance.randrange(members), text[:1] + text[1:]))
    return said


def replies(said: list[Said]) -> int:
    """How many of them are commands, each of which is answered once."""
    return sum(one.text in COMMANDS for one in said)


def answer(text: str) -> str:
    """What is answered to a command."""
    return f"收到，{text}这就去办。"
