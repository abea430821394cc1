"""What the members of a rehearsal do: on their own, day by day, and when they read what 小二 says.

Everybody reads a message some seconds after it was written down for sending. So what they do hangs on what
小二 decided, and not on the moment at which a pace let it go, which a crash may change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import opencc

from bot.model import DAY, HOUR, MINUTE, SECOND, Person
from bot.rehearsal import people
from bot.rehearsal.people import AWAY, FIRST, REGULAR, SELLER, Group, Member
from bot.rehearsal.world import AT_BOT, Act, Key

if TYPE_CHECKING:
    from games.game import Game
    from storage.outbox import Row

# When people write of their own accord: hours, and how likely each span is.
SPANS = (((7, 9), 3), ((9, 11.5), 1), ((11.5, 13.5), 3), ((13.5, 17), 1), ((17, 19), 2), ((19, 22.5), 5))
EVE = MINUTE  # before the first day, in which the groups are opened
EACH = 3 * SECOND  # until a post has reached one more group of an account
FIRST_OF_ALL = 3 * SECOND

_CHANGED_MIND = 0.03
# Of those who play, so many are there for the first question, so many of the others for each that follows,
# and so many have had enough after each: a guess, and what makes the talk of a game rise and fall.
_AT_ONCE, _COMES, _GOES = 0.75, 0.5, 0.12
_ALL = 1000
# How likely somebody says a word when an answer is told or a post comes: who played, and anybody.
_CHEERS, _CHATS = 0.12, 0.02
_TRADITIONAL = opencc.OpenCC("s2t")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that may be asked, with answers as members type them."""

    right: Sequence[str]
    wrong: Sequence[str]


class Cast:
    """`start` is the first midnight; `asked` goes by the question as members read it."""

    def __init__(self, groups: Sequence[Group], start: int, seed: int, asked: Mapping[str, Asked]) -> None:
        self._groups = {group.key: group for group in groups}
        self._start = start
        self._seed = seed
        self._asked = asked
        self._lag = EACH * len(groups)

    def eve(self) -> Iterator[Act]:
        """The owners open their groups, one after the other; every third asks newcomers for a password."""
        for number, group in enumerate(self._groups.values()):
            at = self._start - EVE + EVE // 2 * number // len(self._groups)
            yield Act(_odd(at), group.key, group.owner, " ".join(("开张", *group.tags)))
            if group.asks:
                yield Act(_odd(at + SECOND), group.key, group.owner, f"暗号 {people.PASSWORD}")

    def day(self, number: int) -> Iterator[Act]:
        """What everybody does of their own accord on a day, the first of which is 0."""
        for group in self._groups.values():
            chance = self._chance(group.key, number)
            begin = self._start + number * DAY
            members = list(group.members)
            playing = [member for member in members if chance.random() < member.on(number).plays]
            stays = self._chance(group.key, number, "stays")
            group.playing = {member.person.id: _rounds(member, stays) for member in playing}
            yield from self._owner(group, begin, chance)
            for member in members:
                yield from self._alone(group, member, number, begin, chance)
            if number % 2:
                yield from self._newcomer(group, number, begin, chance)
            if number % 5 == 4:
                gone = chance.choice(members)
                if gone.habit not in {FIRST, AWAY}:
                    yield Act(_at(begin, 23.6, chance), group.key, gone.person, does="leaves")

    def hears(self, row: Row) -> Iterator[Act]:
        """What members do about something that 小二 says."""
        group = self._groups.get((row.account, row.chat))
        if group is None or row.kind != "say":
            return
        text, values = str(row.body["text"]), row.body["values"]
        chance = self._chance(group.key, row.at, text)
        day = (row.at - self._start) // DAY
        read = row.at + (self._lag if row.post else 0)
        if row.about.startswith("packet:"):
            yield from self._grab(group, day, read, chance)
        elif row.about.startswith("round:"):
            asked = self._asked.get(str(values.get("question", "")))
            if asked is not None:
                yield from self._answer(group, day, read, row, asked, chance)
        elif row.post:
            yield from self._remark(group, day, read, values, chance)

    # Of their own accord. ----------------------------------------------------------------------------

    def _owner(self, group: Group, begin: int, chance: Random) -> Iterator[Act]:
        if chance.random() < 0.5:
            yield Act(_at(begin, 8.9, chance), group.key, group.owner, "今日安排")
        if chance.random() < 0.25:
            points, shares = chance.choice(((60, 12), (100, 20), (30, 10)))
            yield Act(_at(begin, 21.4, chance), group.key, group.owner, f"发红包 {points} {shares}")

    def _alone(self, group: Group, member: Member, day: int, begin: int, chance: Random) -> Iterator[Act]:
        habit, who = member.on(day), member.person
        if member.back == day:
            yield Act(_at(begin, 8.2, chance), group.key, who, people.BACK)
        if member.habit is AWAY and day == 0:
            yield self._says(group, member, _at(begin, 8.3, chance), "签到")
        if chance.random() < habit.signs:
            at = _at(begin, chance.uniform(*habit.morning), chance)
            yield self._says(group, member, at, chance.choice(people.SIGNS))
            if chance.random() < 0.03:
                yield self._says(group, member, at + chance.randrange(1, 9) * HOUR, "签到")
        if member.habit is SELLER and chance.random() < 0.7:
            yield Act(_at(begin, chance.uniform(9, 22), chance), group.key, who, chance.choice(people.ADS))
        for _ in range(_times(habit.talks, chance)):
            ((first, last),) = chance.choices([span for span, _ in SPANS], [odds for _, odds in SPANS])
            at = _at(begin, chance.uniform(first, last), chance)
            yield self._says(group, member, at, chance.choice(people.TALK))
        if chance.random() < 0.04 * habit.talks:
            asks = chance.choice(("我的积分", "积分榜", "帮助", f"{AT_BOT}你好", "群规"))
            yield self._says(group, member, _at(begin, chance.uniform(10, 22), chance), asks)
        if chance.random() < 0.01 * habit.talks:
            at = _at(begin, chance.uniform(10, 22), chance)
            yield Act(at, group.key, who, "我的积分", "whispers")
        if chance.random() < 0.01 * habit.grabs:
            at = _at(begin, chance.uniform(12, 22), chance)
            yield self._says(group, member, at, f"发红包 {chance.randint(3, 20)} 3")

    def _newcomer(self, group: Group, day: int, begin: int, chance: Random) -> Iterator[Act]:
        """Somebody comes, says the password where there is one, and signs in; from then on as others do."""
        member = Member(Person(f"{group.chat}-d{day}", f"新来的{day}"), REGULAR)
        group.members.append(member)
        at = _at(begin, chance.uniform(10, 20), chance)
        yield Act(at, group.key, member.person, does="joins")
        at += chance.randrange(20, 2400) * SECOND
        if group.asks:
            yield Act(at, group.key, member.person, people.PASSWORD)
        yield Act(at + chance.randrange(10, 90) * SECOND, group.key, member.person, "签到")

    # About what 小二 says. -----------------------------------------------------------------------------

    def _grab(self, group: Group, day: int, read: int, chance: Random) -> Iterator[Act]:
        for member in group.members:
            wait = FIRST_OF_ALL if member.habit is FIRST else 5 * SECOND + _while(25 * SECOND, chance)
            if chance.random() < member.on(day).grabs:
                yield self._says(group, member, _odd(read + wait, chance), chance.choice(people.GRABS))

    def _answer(
        self, group: Group, day: int, read: int, row: Row, asked: Asked, chance: Random
    ) -> Iterator[Act]:
        span = max(10 * SECOND, row.send_before - read)
        for member in group.members:
            if not group.plays(member, row.body["values"]) or chance.random() < 0.1:
                continue
            wait = FIRST_OF_ALL if member.habit is FIRST else 6 * SECOND + _while(span // 4, chance)
            knows = chance.random() < member.on(day).knows
            at = _odd(read + wait, chance)
            yield self._says(group, member, at, chance.choice(asked.right if knows else asked.wrong))
            if chance.random() < _CHANGED_MIND:
                other = chance.choice(asked.right)
                yield self._says(group, member, at + chance.randrange(2, 20) * SECOND, other)

    def _remark(
        self, group: Group, day: int, read: int, values: Mapping[str, Any], chance: Random
    ) -> Iterator[Act]:
        """After an answer those who played it have something to say, and after a post anybody."""
        told = people.CHEERS if "right" in values else people.LIKES
        for member in group.members:
            likely = _CHEERS if "right" in values and group.plays(member, values) else _CHATS
            if chance.random() < likely * member.on(day).talks:
                at = _odd(read + 10 * SECOND + _while(2 * MINUTE, chance), chance)
                yield self._says(group, member, at, chance.choice(told))

    def _says(self, group: Group, member: Member, at: int, text: str) -> Act:
        return Act(at, group.key, member.person, _TRADITIONAL.convert(text) if member.traditional else text)

    def _chance(self, key: Key, *of: object) -> Random:
        """What is left to chance on one occasion, whatever came before it."""
        return Random(f"{self._seed} {key} {of}")


def questions(games: Iterable[tuple[Game, Iterable[Any]]]) -> dict[str, Asked]:
    """All questions as members will read them. Who does not know gives another question's answer."""
    found = {}
    for game, made in games:
        each = [(game.ask(one), one, str(one.answer)) for one in made]
        answers = sorted({answer for _, _, answer in each})
        for text, one, answer in each:
            wrong = [other for other in answers if not game.right(one, other)] or ["不知道"]
            found[text] = Asked(_ways(answer), [way for other in wrong for way in _ways(other)])
    return found


def _rounds(member: Member, chance: Random) -> tuple[int, int]:
    """From which question of a game to which somebody is there."""
    if member.habit is FIRST:
        return 1, _ALL
    first = 1
    if chance.random() >= _AT_ONCE:
        first += 1
        while chance.random() >= _COMES:
            first += 1
    last = first
    while chance.random() >= _GOES:
        last += 1
    return first, last


def _ways(answer: str) -> Sequence[str]:
    """How people write an answer."""
    if len(answer) > 1:
        return (answer,)
    wide = chr(ord(answer) + 0xFEE0) if answer.isascii() else answer
    return answer, answer.lower(), f"选{answer}", f"我选{answer}", wide


def _at(begin: int, hour: float, chance: Random) -> int:
    """About an hour of a day."""
    return _odd(begin + round(hour * HOUR) + chance.randrange(5 * MINUTE), chance)


def _odd(moment: int, chance: Random | None = None) -> int:
    """A moment at which nothing is due: no slot and no timer falls between two milliseconds."""
    return moment - moment % 1000 + (chance.randrange(1, 1000) if chance else 1)


def _while(span: int, chance: Random) -> int:
    """How long somebody takes: mostly short, sometimes long."""
    return round(chance.expovariate(1 / span))


def _times(mean: float, chance: Random) -> int:
    """How often something happens that happens so often on average."""
    return int(mean) + (chance.random() < mean % 1)
