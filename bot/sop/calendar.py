"""calendars/<id>.yaml: for which groups, and what is to be done on which days at what time."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from bot.model import MINUTE
from bot.sop.dates import Dates, DaysOfMonth, EarlyMoment, Festivals, Hours, LunarDays, MonthDays
from bot.sop.days import Rule
from bot.sop.parts import NAME, Part, Words, digest
from bot.sop.posts import ALWAYS, NAMES
from bot.sop.values import ClockTime, Days, Duration, at_least, check_template, template

CONTENTS = ("do", "post", "rotate")
RULES = ("on", "date", "once", "monthly", "lunar", "festival", "day")
EVERY_DAY = frozenset(range(7))

NO_THING = "do、post 和 rotate 要写一个：do 是办活动，post 是发一段文字，rotate 是几样轮着来"
TWO_THINGS = "do、post 和 rotate 只能写一个，要办两样就写成两条"


def complaints(given: Collection[str]) -> list[str]:
    """Say what is wrong with a slot that has these keys; that it does nothing is told elsewhere."""
    rules = [key for key in RULES if key in given]
    some = next((key for key in ("day", "segment") if key in given), "")
    wrong = {
        TWO_THINGS: len([key for key in CONTENTS if key in given]) > 1,
        f"{' 和 '.join(rules)} 只能写一个：一条时段只按一种日子来": len(rules) > 1,
        "day 和 segment 只能写一个": {"day", "segment"} <= set(given),
        f"有 {some} 的时段是写给几个人的，只能发文字：do 换成 post": bool(some) and "do" in given,
        f"有 {some} 的时段不能预告，请去掉 warm_up": bool(some) and "warm_up" in given,
        "to 要和 day 或 segment 一起写": not some and "to" in given,
        "most 要和 segment 一起写": "segment" not in given and "most" in given,
    }
    return [said for said, so in wrong.items() if so]


def _slot_id(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(f'id "{text}" 只能用字母、数字、汉字、"-" 和 "_"')
    return text


def _own_words(text: str, info: ValidationInfo) -> str:
    """Check the variables of a text. A key that is wrong itself counts as given: it is told."""
    for_some = info.data.get("day", 1) or info.data.get("segment", 1)
    return check_template(text, (*ALWAYS, NAMES) if for_some else ALWAYS)


def _taking_turns(ids: tuple[str, ...]) -> tuple[str, ...]:
    if len(ids) < 2:
        few = "只有一样，轮不起来" if ids else "不能空着"
        raise ValueError(f"rotate {few}：至少写两样，比如 [guess-pinyin, guess-dice]")
    if twice := [one for number, one in enumerate(ids) if one in ids[:number]]:
        raise ValueError(f'rotate 里 "{twice[0]}" 写了两遍')
    return ids


def _different(moments: tuple[WarmUp, ...]) -> tuple[WarmUp, ...]:
    written = [one.at.written for one in moments]
    if not written:
        raise ValueError("warm_up 不能空着，要写提前的时刻，比如 [-30m]")
    if twice := [one for number, one in enumerate(written) if one in written[:number]]:
        raise ValueError(f'warm_up 里 "{twice[0]}" 写了两遍')
    return moments


class WarmUp(Part):
    """A word before something bigger: when, and which post; without one, what is coming is announced."""

    at: EarlyMoment = Field(description="提前多久，比如 -30m；或者前几天的几点，比如 -1d 18:00")
    post: Annotated[Words, template(*ALWAYS)] | None = Field(
        None, description="发哪条帖子，或者直接写一句话；不写，就说什么时候有什么活动"
    )

    @model_validator(mode="before")
    @classmethod
    def _bare_moment(cls, value: object) -> object:
        return {"at": value} if isinstance(value, str) else value


class Slot(Part):
    """One line of a calendar: at what time, on which days, what to do or to post.

    `day` is the so-many-eth day after joining, `segment` a part of the members; `to` says whether they
    are written to in the group or one by one, and `most` to how many at once.
    """

    id: Annotated[Words, AfterValidator(_slot_id)] | None = Field(
        None, description="时段的编号，一本日历里不重复，定了就别改"
    )
    at: ClockTime = Field(description='几点几分，两位数，24 小时制，比如 "20:00"')
    on: Days = Field(
        EVERY_DAY,
        description="每周的星期几：mon-fri、[tue, thu]、daily、周六；"
        "workdays 是法定工作日，holidays 是节假日。什么日子都不写，就是每天",
    )
    date: MonthDays | None = Field(None, description="每年的几月几日，比如 12-24，可以写几个")
    once: Dates | None = Field(None, description="只在这一天，比如 2026-12-24，可以写几天")
    monthly: DaysOfMonth | None = Field(None, description="每月几号：15，可以写几个；last 是最后一天")
    lunar: LunarDays | None = Field(None, description="农历的几月几日，比如 8-15；闰月不算")
    festival: Festivals | None = Field(None, description="节日或节气，比如 元宵节、冬至")
    day: Annotated[int, Field(ge=1, le=30)] | None = Field(
        None, description="进群的第几天，1 到 30：写给新人，每人一次"
    )
    segment: Literal["active", "silent-7d", "silent-30d"] | None = Field(
        None, description="写给哪些成员：active 这周说过话的，silent-7d、silent-30d 这么久没说话的"
    )
    do: Words | None = Field(None, description="办哪个活动，写它的文件名；和 post、rotate 三选一")
    post: Annotated[Words, AfterValidator(_own_words)] | None = Field(
        None, description="发哪条帖子，写它的名字，或者直接写一句话；和 do、rotate 三选一"
    )
    rotate: Annotated[tuple[Words, ...], AfterValidator(_taking_turns)] | None = Field(
        None, description="几个活动或帖子轮着来，至少两个；和 do、post 三选一"
    )
    to: Literal["group", "private"] = Field(
        "group", description="写给新人或一部分人时：group 在群里点名，private 私聊；不写是 group"
    )
    most: int = Field(20, ge=1, le=100, description="写给一部分人时，一次最多几个人；不写是 20")
    late: Annotated[Duration, at_least(MINUTE, "1m")] = Field(
        10 * MINUTE, description="最多晚多久还发，至少 1m；不写是 10m"
    )
    priority: int = Field(0, ge=-100, le=100, description="同一时刻有几条，数大的在先，-100 到 100；不写是 0")
    warm_up: Annotated[tuple[WarmUp, ...], AfterValidator(_different)] = Field(
        (), description="预告，比如 [-1d 18:00, -30m]，或者 {at: -30m, post: soon}"
    )

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        given = {key for key in self.model_fields_set if getattr(self, key) is not None}
        wrong = complaints(given) if given & set(CONTENTS) else [NO_THING]
        if wrong:
            raise ValueError("；".join(wrong))
        return self

    @property
    def rule(self) -> Rule:
        """Return on which days it falls."""
        kind = next((key for key in RULES[1:] if getattr(self, key) is not None), "on")
        return Rule(kind, getattr(self, kind))

    def each(self) -> list[Slot]:
        """Return the slots that take turns here, one for each thing."""
        made: list[Slot] = []
        for one in self.rotate or ():
            kind, _, name = one.rpartition(":")
            made.append(self.model_copy(update={"rotate": None, kind or "do": name}))
        return made

    @property
    def for_some(self) -> bool:
        """Whether it is meant for some of the members alone."""
        return self.day is not None or self.segment is not None

    @property
    def identity(self) -> str:
        """Return its id, or else a hash of its rule and content, which begins with #."""
        if self.id:
            return self.id
        rule: Any = sorted(self.on) if isinstance(self.on, frozenset) else self.on
        parts: list[Any] = [self.at.isoformat("minutes"), rule, self.do, self.post]
        given: dict[str, Any] = {
            "segment": self.segment,
            "rotate": [one.rpartition(":")[2] for one in self.rotate or ()],
        }
        kind, value, _ = self.rule
        if kind != "on":
            given[kind] = value if kind == "day" else list(map(str, value))
        if self.for_some:
            given["to"] = self.to
        if more := {key: value for key, value in given.items() if value}:
            parts.append(more)
        return "#" + digest(parts)


def slot_key(calendar: str, slot: Slot) -> str:
    """Return the key that a slot keeps, wherever in its calendar's file it stands."""
    return f"{calendar}/{slot.identity}"


def warm_up_key(slot: str, before: str) -> str:
    """Return the key of what comes before a slot."""
    return f"{slot}~{before}"


class Those(Part):
    """Some groups: those with any of the tags, and those that are named, by title or `account/chat`."""

    tags: Annotated[tuple[Words, ...], Field(min_length=1)] = Field((), description="标签，有其中一个就算")
    groups: Annotated[tuple[Words, ...], Field(min_length=1)] = Field(
        (), description="群，写群名，或者 账号/群的编号"
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.tags and not self.groups:
            raise ValueError("要写 tags（标签）或 groups（群名），不然一个群也没有")
        return self

    def hold(self, tags: Collection[str], names: Collection[str]) -> bool:
        """Whether a group with these tags and names is among them."""
        return any(tag in tags for tag in self.tags) or any(name in names for name in self.groups)


class Audience(Those):
    """Which groups a calendar is for."""

    except_: Those | None = Field(None, alias="except", description="这些群除外")

    def reaches(self, tags: Collection[str], names: Collection[str]) -> bool:
        """Whether a calendar is for a group with these tags and names."""
        return self.hold(tags, names) and not (self.except_ and self.except_.hold(tags, names))


class Override(Those):
    """What some groups have otherwise: one slot, by its id, at another time, with something else, or not."""

    slot: Words = Field(description="改哪个时段，写它的 id")
    at: ClockTime | None = Field(None, description="改到几点")
    do: Words | None = Field(None, description="改办哪个活动")
    post: Annotated[Words, template(*ALWAYS)] | None = Field(None, description="改发哪条帖子，或者一句话")
    skip: bool = Field(False, description="写 true，这些群不办这一条")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.do is not None and self.post is not None:
            raise ValueError("do 和 post 只能写一个")
        others = (self.at, self.do, self.post)
        if self.skip and any(one is not None for one in others):
            raise ValueError("skip 是不办，别的就不用写了")
        if not self.skip and all(one is None for one in others):
            raise ValueError("要写改成什么：at、do、post，或者 skip: true")
        return self

    def changed(self, slot: Slot) -> Slot:
        """Return the slot as those groups have it."""
        changes: dict[str, Any] = {}
        if self.at is not None:
            changes["at"] = self.at
        if self.do is not None or self.post is not None:
            changes |= {"do": self.do, "post": self.post, "rotate": None}
        return slot.model_copy(update=changes)


class Calendar(Part):
    """calendars/<id>.yaml.

    `days` keeps all slots to one kind of day, `quiet` are hours of the day in which none is due, and no
    group has more than `posts_a_day`, over all its calendars.
    """

    title: Words = Field(description="名称，开张时念给群主听")
    audience: Audience = Field(description="给哪些群：标签或群名")
    days: Literal["workdays", "holidays"] | None = Field(
        None, description="整本只在法定工作日（workdays）或节假日（holidays）走"
    )
    quiet: Hours | None = Field(None, description='不打扰的时候，比如 "22:00-07:00"，里面到点的跳过')
    posts_a_day: Annotated[int, Field(ge=1)] | None = Field(
        None, description="一个群一天最多几条，几本日历一起算，取最小的"
    )
    slots: Annotated[tuple[Slot, ...], Field(min_length=1)] = Field(description="时段，一行一条")
    overrides: tuple[Override, ...] = Field((), description="有的群不一样：换时刻、换内容，或者不办")

    def rule(self, slot: Slot) -> Rule:
        """Return on which days a slot falls, and which of them the calendar leaves out."""
        return slot.rule._replace(only=self.days or "")
