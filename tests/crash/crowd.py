"""People who do everything at once over HTTP, and remember what they were told.

What is remembered outlives the process: every line that was read, every message that was accepted, and
the latest time that was seen. tests/crash/books.py holds the bot to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from typing import Any, Self

import httpx

from bot.durations import duration
from bot.model import DAY

CALLERS = 16
MEMBERS = 10
OWNER = "掌柜"
PASSWORD = "芝麻开门"
GROUPS = {"一群": "", "二群": "", "三群": PASSWORD, "四群": PASSWORD}
STEPS = ("5s", "50s", "2m", "15m", "1h", "3h", "7h", "13h", "20h")
# In 30 days marks are forgotten, and the books would look for them in vain.
LONGEST_STORM = 20 * DAY
TALK = ("早啊", "今天的菜真新鲜", "哈哈哈", "A和B有什么区别", "@小林 你在吗", "{0.__class__}")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chat as a client read it."""

    seq: int
    sender: str
    text: str
    at: str
    mentions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A message that was answered with 202; `after` is a time that was seen before it was said."""

    chat: str
    person: str
    text: str
    after: str


@dataclass
class Memory:
    """What is known outside of the process, by chat.

    `people` are those who may sign in, `lines` what was read under load, `known` what was read again
    after a restart.
    """

    people: dict[str, list[str]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    lines: dict[str, dict[int, Line]] = field(default_factory=dict)
    known: dict[str, dict[int, Line]] = field(default_factory=dict)
    said: dict[str, Said] = field(default_factory=dict)
    now: str = ""
    moves: int = 0
    keys: int = 0

    def saw(self, now: str) -> None:
        """A time that the bot told, which is never before one that it told before."""
        assert now >= self.now, f"the clock went from {self.now} back to {now}"
        self.now = now

    def key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"


class Crowd:
    """Everybody outside, for one life of the process."""

    def __init__(self, address: str, memory: Memory, chance: Random) -> None:
        self.memory = memory
        self.tired = False
        self._chance = chance
        # Many small pools: httpx goes through all connections of a pool for each request.
        made = [
            httpx.AsyncClient(base_url=f"{address}/api/sandbox", timeout=30, verify=False)
            for _ in range(CALLERS)
        ]
        self._clients = made
        self._turns = cycle(made)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.aclose()

    @property
    def http(self) -> httpx.AsyncClient:
        return next(self._turns)

    async def gather(self) -> None:
        """Make the groups, with passwords where they have one."""
        await self._look_at_clock()
        for title, password in GROUPS.items():
            names = [f"{title}{number}" for number in range(MEMBERS)]
            new = {"title": title, "owner": OWNER, "members": names, "tags": ["试"]}
            chat = (await self._post("/groups", new, 201))["id"]
            groups = (await self.http.get("/groups")).json()
            members = next(group["members"] for group in groups if group["id"] == chat)
            self.memory.people[chat] = [one["id"] for one in members]
            self.memory.owners[chat] = next(one["id"] for one in members if one["role"] == "owner")
            if password:
                await self._say(chat, OWNER, f"暗号 {password}")

    async def storm(self) -> None:
        """Do everything at once until the process is gone, or all are tired. Raises what else went wrong."""
        self.tired = False
        # The clock moves only when all is settled, which a full crowd hardly ever lets happen.
        many = self._chance.choice((2, 4, CALLERS))
        callers = [self._call(Random(self._chance.random())) for _ in range(many)]
        readers = [self._read_on(chat) for chat in self.memory.people]
        # Nobody is cancelled: everybody sees for themselves that nobody answers any more.
        ends = await asyncio.gather(*callers, *readers, self._move_clock(), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException) and not isinstance(end, httpx.TransportError):
                raise end

    async def look_around(self) -> dict[str, dict[int, Line]]:
        """All that was ever said, by chat; what was not there at the last look is read now."""
        await self._look_at_clock()
        groups = (await self.http.get("/groups")).json()
        for group in groups:
            known = self.memory.known.setdefault(group["id"], {})
            known.update((line.seq, line) for line in await self.read(group["id"], max(known, default=0)))
        return self.memory.known

    async def read(self, chat: str, after: int = 0, wait: float = 0) -> list[Line]:
        answer = await self.http.get(f"/groups/{chat}/messages", params={"after": after, "wait": wait})
        assert answer.status_code == 200, answer.text
        return [
            Line(one["seq"], one["from"], one["text"], one["at"], tuple(one["mentions"]))
            for one in answer.json()
        ]

    # What people do. ---------------------------------------------------------------------------------

    async def _call(self, chance: Random) -> None:
        actions: dict[Callable[[str, Random], Awaitable[None]], int] = {
            self._sign_in: 30,
            self._grab: 15,
            self._answer: 15,
            self._give: 12,
            self._join: 6,
            self._pass_by: 3,
            self._start_quiz: 4,
            self._talk: 8,
            self._withdraw: 6,
            self._pause: 4,
            self._rules: 4,
        }
        chats = list(self.memory.people)
        while not self.tired:
            act = chance.choices(list(actions), list(actions.values()))[0]
            await act(chance.choice(chats), chance)

    async def _sign_in(self, chat: str, chance: Random) -> None:
        await self._say(chat, chance.choice(self.memory.people[chat]), "签到", twice=chance.random() < 0.1)

    async def _grab(self, chat: str, chance: Random) -> None:
        people = self.memory.people[chat]
        race = chance.sample(people, min(5, len(people)))
        await asyncio.gather(*(self._say(chat, person, "抢") for person in (*race, race[0])))

    async def _answer(self, chat: str, chance: Random) -> None:
        people = self.memory.people[chat]
        race = chance.sample(people, min(4, len(people)))
        await asyncio.gather(*(self._say(chat, one, f"我选{chance.choice('ABCD')}") for one in race))

    async def _give(self, chat: str, chance: Random) -> None:
        if chance.random() < 0.4:
            giver, points, shares = OWNER, chance.randint(20, 60), chance.randint(4, 8)
        else:
            giver, points, shares = chance.choice(self.memory.people[chat]), chance.randint(3, 6), 2
        await self._say(chat, giver, f"发红包 {points} {shares}")

    async def _join(self, chat: str, chance: Random) -> None:
        """Come in, say the password where there is one, and play."""
        name = f"新人{self.memory.key()}"
        person = (await self._post(f"/groups/{chat}/members", {"name": name}, 201))["id"]
        await self._say(chat, person, PASSWORD)
        await self._say(chat, person, "签到")
        if chance.random() < 0.3:
            self.memory.people[chat].append(person)

    async def _pass_by(self, chat: str, _chance: Random) -> None:
        """Come in and go again."""
        name = f"过客{self.memory.key()}"
        person = (await self._post(f"/groups/{chat}/members", {"name": name}, 201))["id"]
        assert (await self.http.delete(f"/groups/{chat}/members/{person}")).status_code == 204

    async def _start_quiz(self, chat: str, chance: Random) -> None:
        await self._say(
            chat, OWNER, chance.choice(("@小二 开始 快问", "@小二 开始 快问", "@小二 收题", "@小二 结束"))
        )

    async def _withdraw(self, chat: str, chance: Random) -> None:
        giver = OWNER if chance.random() < 0.7 else chance.choice(self.memory.people[chat])
        await self._say(chat, giver, "撤回红包")

    async def _pause(self, chat: str, chance: Random) -> None:
        """Mostly the calendar goes on, or there would be nothing to see of it."""
        await self._say(chat, OWNER, chance.choice(("@小二 暂停", "@小二 继续", "@小二 继续")))

    async def _rules(self, chat: str, chance: Random) -> None:
        """Anybody reads them, or the owner sets others."""
        if chance.random() < 0.5:
            await self._say(chat, chance.choice(self.memory.people[chat]), "群规")
        else:
            await self._say(chat, OWNER, f"群规 不许喧哗 {self.memory.key()}")

    async def _talk(self, chat: str, chance: Random) -> None:
        person = chance.choice(self.memory.people[chat])
        await self._say(chat, person, chance.choice(TALK))
        await self._post(f"/members/{person}/messages", {"text": "我的积分"}, 202)

    async def _look_at_clock(self) -> None:
        self.memory.saw((await self.http.get("/clock")).json()["now"])

    async def _move_clock(self) -> None:
        left = LONGEST_STORM
        while not self.tired and left > 0:
            step = self._chance.choice(STEPS)
            left -= duration(step)
            moved = await self._post("/clock", {"advance": step}, 200)
            self.memory.saw(moved["now"])
            self.memory.moves += 1

    async def _read_on(self, chat: str) -> None:
        """Read every line of a chat as it comes."""
        lines = self.memory.lines.setdefault(chat, {})
        while not self.tired:
            for line in await self.read(chat, max(lines, default=0), wait=5):
                lines[line.seq] = line

    # How. --------------------------------------------------------------------------------------------

    async def _say(self, chat: str, person: str, text: str, *, twice: bool = False) -> None:
        """Say something, and remember it once it is accepted."""
        key, after = self.memory.key(), self.memory.now
        for _ in range(2 if twice else 1):
            said = {"from": person, "text": text, "id": key}
            assert (await self._post(f"/groups/{chat}/messages", said, 202))["id"] == key
            who = self.memory.owners[chat] if person == OWNER else person
            self.memory.said[key] = Said(chat, who, text, after)

    async def _post(self, path: str, body: dict[str, Any], wanted: int) -> dict[str, Any]:
        answer = await self.http.post(path, json=body)
        assert answer.status_code == wanted, f"{path} {body}: {answer.status_code} {answer.text}"
        made: dict[str, Any] = answer.json()
        return made
