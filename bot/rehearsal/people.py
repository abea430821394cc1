"""Who plays in a rehearsal: kinds of members with their habits, their names, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Any

from bot.model import Person

Hours = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Habit:
    """What somebody does on a day with what likelihood; `talks` is how many lines, `morning` when to sign in."""

    signs: float
    morning: Hours
    plays: float
    knows: float
    grabs: float
    talks: float


EARLY = Habit(signs=0.9, morning=(6.0, 8.6), plays=0.55, knows=0.6, grabs=0.7, talks=0.8)
REGULAR = Habit(signs=0.6, morning=(7.5, 12.5), plays=0.6, knows=0.65, grabs=0.6, talks=1.2)
OWL = Habit(signs=0.45, morning=(19.0, 23.5), plays=0.65, knows=0.7, grabs=0.6, talks=1.0)
LURKER = Habit(signs=0.03, morning=(9.0, 22.0), plays=0.04, knows=0.5, grabs=0.25, talks=0.03)
# The odd ones, of whom each group has one.
FIRST = Habit(signs=1.0, morning=(0.001, 0.002), plays=1.0, knows=0.9, grabs=1.0, talks=2.0)
SELLER = Habit(signs=0.2, morning=(9.0, 20.0), plays=0.0, knows=0.0, grabs=0.5, talks=0.0)
TRADITIONAL = Habit(signs=0.8, morning=(7.0, 10.0), plays=0.9, knows=0.7, grabs=0.9, talks=0.5)
AWAY = Habit(signs=0.0, morning=(9.0, 10.0), plays=0.0, knows=0.5, grabs=0.0, talks=0.0)

# Of a hundred members there are so many of each kind.
CROWD = ((EARLY, 15), (REGULAR, 35), (OWL, 15), (LURKER, 35))

TALK = (
    "早啊", "早上好", "今天降温了，大家多穿点", "午饭吃什么好呢", "刚下班", "哈哈哈", "收到", "谢谢小二",
    "今天的菜真新鲜", "路上有点堵", "周末有人一起去公园吗", "孩子放学了，先去接", "这个说得对", "学到了",
    "我也是", "几点开始？", "晚上好", "今天人真多", "好久没这么热闹了", "下雨了，记得收衣服", "辛苦了",
    "+1", "明天见", "[微笑]", "[强]", "有道理", "昨天那道题我也错了", "先忙，晚点看",
)  # fmt: skip
LIKES = ("收到", "学到了", "谢谢分享", "有用，收藏了", "[强]", "这个好", "转给家里人看看")
CHEERS = ("哈哈，我就说", "又错了", "差一点", "这题不难", "涨知识了", "原来是这样", "下一题！", "手慢了")
ADS = (
    "低价出全新手机，要的加我微信",
    "兼职日结，一天三百，名额有限，速来",
    "朋友圈集赞领好礼，点这个链接 http://example.com/free",
)
SIGNS = ("签到", "签到", "签到", "打卡", "签到。", " 签到", "签到！")
GRABS = ("抢", "抢", "抢", "抢红包", "抢！")
PASSWORD = "芝麻开门"  # noqa: S105 - what newcomers say in a group that asks for it
BACK = "好久没来了，大家都还好吗"

_SURNAMES = "周王李张刘陈杨赵黄吴徐孙马朱胡郭何林高罗"
_CALLED = ("姐", "哥", "叔", "阿姨", "老师", "师傅", "大姐", "同学", "老板", "医生", "奶奶", "爷爷")


@dataclass(slots=True)
class Member:
    """Somebody in a group. `back` is the day on which who was away comes back, as a regular."""

    person: Person
    habit: Habit
    back: int = -1
    traditional: bool = False

    def on(self, day: int) -> Habit:
        """The habit of a day."""
        return REGULAR if 0 <= self.back <= day else self.habit


@dataclass(slots=True)
class Group:
    """One group of a rehearsal, and who follows its calendar."""

    account: str
    chat: str
    title: str
    tags: tuple[str, ...]
    owner: Person
    members: list[Member]
    asks: bool = False
    """Whether newcomers have to say a password."""
    playing: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Who has time for games today, from which round to which."""

    @property
    def key(self) -> tuple[str, str]:
        return self.account, self.chat

    def plays(self, member: Member, values: Mapping[str, Any]) -> bool:
        """Whether somebody is there for a question, of which these are the values."""
        first, last = self.playing.get(member.person.id, (1, 0))
        return first <= int(values["number"]) <= last


def crowd(prefix: str, many: int, back: int, chance: Random) -> list[Member]:
    """So many members; the odd ones first. `prefix` keeps their ids apart from those of other groups."""
    odd = [(FIRST, "抢头香的"), (SELLER, "好物推荐"), (TRADITIONAL, "港島阿明"), (AWAY, "远行的人")]
    kinds = [habit for habit, share in CROWD for _ in range(share)]
    names = [f"{surname}{called}" for called, surname in product(_CALLED, _SURNAMES)]
    members = []
    for number in range(many):
        habit, name = odd[number] if number < len(odd) else (chance.choice(kinds), names[number % len(names)])
        if number >= len(names):
            name += str(number // len(names) + 1)
        person = Person(f"{prefix}-{number + 1}", name)
        members.append(Member(person, habit, back if habit is AWAY else -1, habit is TRADITIONAL))
    return members
