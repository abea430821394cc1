"""A whole 小二 in a test, driven through the sandbox's HTTP face, and an inner one without any face.

`World` is the bot on a data folder: it starts on a fixed Monday, its clock is moved and never waited
for, and it is audited when the test leaves it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import SecretStr
from sqlalchemy import Engine

from bot.app import App, kinds, routes, settle
from bot.config import Settings
from bot.dispatch import lanes
from bot.dispatch.dispatcher import Dispatcher
from bot.dispatch.frame import Frame
from bot.dispatch.lanes import Key, Lane
from bot.durations import duration
from bot.model import Event, Message, Occurrence, Person, Roster, fill
from bot.schedule.planning import Planning
from bot.serve import face
from bot.sop.library import Library, load
from storage.audit import audit
from storage.database import read
from storage.outbox import Row
from storage.place import Place, engine_of, existing
from storage.writer import Writer
from tests import databases
from tests.databases import quick
from tests.fakes import MONDAY, FarSide, StillClock, Trouble
from tests.sop.fakes import write

SHIPPED = Path(__file__).resolve().parent.parent / "sop_library"

# A library as small as it can be: one of each kind, for groups with the tag 试.
SMALL: Mapping[str, str | bytes] = {
    "activities/quick.yaml": """\
title: 快问
kind: quiz
game: choice
questions: {from: sums, pick: 2}
round: {open: 60s, gap: 10s}
winners: {first: 2}
reward: {winners: [10, 6], everyone: 1}
posts: {opening: "快问，共 {rounds} 题", closing: "{players} 人答完 {rounds} 题"}
""",
    "activities/gift.yaml": """\
title: 小红包
kind: red_packet
points: 30
shares: 3
posts: {opening: "红包 {points} 分 {shares} 份"}
""",
    "activities/huge.yaml": """\
title: 大红包
kind: red_packet
points: 1000000
shares: 3
posts: {opening: "红包 {points} 分 {shares} 份"}
""",
    "activities/call.yaml": "title: 早安\nkind: sign_in\nposts: {opening: 早上好}\n",
    "questions/sums.yaml": """\
title: 加法
game: choice
questions:
  - {ask: 一加一, options: ["1", "2", "3", "4"], answer: B, why: 数一数}
  - {ask: 一加二, options: ["1", "2", "4", "3"], answer: D}
""",
}


def library(root: Path, files: Mapping[str, str | bytes] | None = None, slots: Sequence[str] = ()) -> Path:
    """Write the small library, with a calendar of these slots for the tag 试."""
    lines = "".join(f"  - {{{slot}}}\n" for slot in slots)
    calendar = {"calendars/week.yaml": f"title: 一周\naudience: {{tags: [试]}}\nslots:\n{lines}"}
    write(root, {**SMALL, **(calendar if slots else {}), **(files or {})})
    assert load(root, kinds(routes())).faults == ()
    return root


class World:
    """The bot on a data folder. `async with World(tmp_path) as world:` starts, stops and audits it."""

    def __init__(
        self,
        data: Path,
        settings: Settings | None = None,
        library: Path = SHIPPED,
        *,
        start: int = MONDAY,
        seed: int = 1,
        place: Place | None = None,
    ) -> None:
        """On a blank database of the folder, or on the one at a `place`, where time goes on."""
        self.data = data
        self.place = place or databases.blank(data)
        self.settings = at(self.place, settings)
        self.library = library
        self._seed = seed
        if place is None:
            self._set_ahead(start - time.time_ns() // 1000)

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await settle(self.app)
            self.lanes_agree()
        await self.down()
        if kind is None:
            report = audit(self.place)
            assert report.clean, report.faults
            assert report.parked == []

    async def up(self) -> None:
        """Start a new App on the data folder."""
        self.app = App(self.settings, self.data, self.library, chance=Random(self._seed))
        await self.app.start()
        transport = httpx.ASGITransport(app=face(self.app))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://localhost")
        await settle(self.app)

    async def down(self) -> None:
        await self.http.aclose()
        await self.app.stop()

    async def restart(self, away: str = "0s") -> None:
        """Stop, let so much time pass with nobody there, and start again."""
        await self.down()
        ahead = self.sql("SELECT ahead FROM sandbox_clock")[0][0]
        self._set_ahead(ahead + duration(away))
        await self.up()

    async def settle(self) -> None:
        await settle(self.app)

    async def to(self, moment: str) -> None:
        """Move the clock to a time in Shanghai."""
        answer = await self.http.post("/api/sandbox/clock", json={"to": moment})
        assert answer.status_code == 200, answer.text

    async def advance(self, span: str) -> None:
        answer = await self.http.post("/api/sandbox/clock", json={"advance": span})
        assert answer.status_code == 200, answer.text

    async def now(self) -> datetime:
        return datetime.fromisoformat((await self.http.get("/api/sandbox/clock")).json()["now"])

    async def group(
        self,
        title: str = "试验群",
        owner: str = "掌柜",
        members: Sequence[str] = ("阿强", "小美", "王姐"),
        tags: Sequence[str] | None = ("试",),
    ) -> Group:
        """A new group; `tags=None` leaves it without 开张."""
        body = {"title": title, "owner": owner, "members": list(members)}
        if tags is not None:
            body["tags"] = list(tags)
        answer = await self.http.post("/api/sandbox/groups", json=body)
        assert answer.status_code == 201, answer.text
        await self.settle()
        return await Group(self, answer.json()["id"]).skip()

    async def first(self) -> Group:
        """The group that the first start makes: 陈经理, and 阿强 小美 王姐 老周 小林 豆豆."""
        return await Group(self, "g1").skip()

    def between(self, trouble: Trouble) -> FarSide:
        """Put something between outbox and sandbox that gives trouble."""
        adapters = self.app._adapters
        adapters["sandbox"] = wire = FarSide(trouble, adapters["sandbox"])
        return wire

    def sql(self, query: str, *values: object) -> list[Any]:
        """What the database holds."""
        return databases.rows(self.place, query, *values)

    def outcomes(self, group: str = "g1") -> dict[str, tuple[str, str]]:
        """Slot key → state and reason of a group's occurrences."""
        rows = self.sql(
            "SELECT o.slot, o.state, o.reason FROM occurrences o JOIN groups g ON g.id = o.group_id "
            "WHERE g.chat = ? ORDER BY o.due",
            group,
        )
        return {slot.partition("/")[2]: (state, reason) for slot, state, reason in rows}

    def lanes_agree(self) -> None:
        """The writer's lanes and the loop's say what the database says."""
        made = existing(self.place)
        try:
            kept = read(made, lanes.load_all)
        finally:
            made.dispose()
        agree(kept, self.app.dispatcher)

    def _set_ahead(self, ahead: int) -> None:
        self.sql("DELETE FROM sandbox_clock")
        self.sql("INSERT INTO sandbox_clock VALUES (1, ?)", ahead)


class Group:
    """One group of the sandbox, and how far the test has read in it."""

    def __init__(self, world: World, key: str) -> None:
        self.world = world
        self.id = key
        self.seq = 0

    async def skip(self) -> Self:
        """Read on to the end."""
        await self.lines()
        return self

    async def post(self, who: str, text: str, **fields: object) -> httpx.Response:
        """Say something, and settle."""
        body = {"from": who, "text": text, **fields}
        answer = await self.world.http.post(f"/api/sandbox/groups/{self.id}/messages", json=body)
        await self.world.settle()
        return answer

    async def say(self, who: str, text: str, **fields: object) -> list[str]:
        """Say something; the answer is what 小二 has said since the last look."""
        answer = await self.post(who, text, **fields)
        assert answer.status_code == 202, answer.text
        return await self.lines()

    async def ask(self, who: str, text: str, **fields: object) -> str:
        """Say something that gets just one line back."""
        lines = await self.say(who, text, **fields)
        assert len(lines) == 1, lines
        return lines[0]

    async def lines(self) -> list[str]:
        """What 小二 has said since the last look."""
        new = await self.read(self.seq)
        self.seq = max([self.seq, *(line["seq"] for line in new)])
        return [line["text"] for line in new if line["from"] == "bot"]

    async def read(self, after: int = 0, wait: float = 0) -> list[dict[str, Any]]:
        answer = await self.world.http.get(
            f"/api/sandbox/groups/{self.id}/messages", params={"after": after, "wait": wait}
        )
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    async def join(self, name: str) -> list[str]:
        """Somebody comes in; the answer is what 小二 says to it."""
        answer = await self.world.http.post(f"/api/sandbox/groups/{self.id}/members", json={"name": name})
        assert answer.status_code == 201, answer.text
        await self.world.settle()
        return await self.lines()

    async def leave(self, name: str) -> None:
        answer = await self.world.http.delete(f"/api/sandbox/groups/{self.id}/members/{name}")
        assert answer.status_code == 204, answer.text
        await self.world.settle()

    async def clock(self, *, to: str = "", advance: str = "") -> list[str]:
        """Move the clock; the answer is what 小二 has said since the last look."""
        await (self.world.to(to) if to else self.world.advance(advance))
        return await self.lines()

    async def points(self, who: str) -> int:
        """What somebody's purse holds, asked in the chat."""
        said = await self.ask(who, "我的积分")
        return int(said.partition("你有 ")[2].partition(" ")[0])

    def balance(self, kind: str) -> int:
        """What all accounts of a kind hold in this group."""
        rows = self.world.sql(
            "SELECT COALESCE(SUM(a.balance), 0) FROM accounts a JOIN groups g ON g.id = a.group_id "
            "WHERE g.chat = ? AND a.kind = ?",
            self.id,
            kind,
        )
        return int(rows[0][0])


class Deaf:
    """Downstream of a dispatcher: keeps the rows, and hears nothing else."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def deliver(self, rows: list[Row]) -> None:
        self.rows += rows

    def due(self, moment: int) -> None:
        """The test looks at the clock itself."""

    def replan(self, group: int) -> None:
        """The test has no calendar."""


class Inside:
    """Dispatcher, writer and storage without an adapter, an outbox or an alarm, on a still clock.

    `async with Inside(folder) as inside:`; one group `g` is there with its owner and members.
    """

    def __init__(
        self,
        folder: Path,
        *,
        people: Sequence[str] = ("owner", "a", "b", "c"),
        settings: Settings | None = None,
        found: Library | None = None,
        seed: int = 1,
    ) -> None:
        self.place = databases.blank(folder)
        self.folder = folder
        self.people = people
        self.clock = StillClock()
        self.downstream = Deaf()
        self.engine = engine_of(self.place)
        quick(self.engine)
        table = routes()
        made = found or Library.empty(kinds(table))
        settings = settings or Settings()
        planning = Planning(made.calendars, settings.timezone, {})
        self.frame = Frame(table, made, settings, Random(seed), planning.of)
        self._count = 0

    async def __aenter__(self) -> Self:
        self.writer = Writer(self.engine)
        kept = await self.writer.run(lanes.load_all)
        self.dispatcher = Dispatcher(self.frame, self.clock, self.writer, kept, self.downstream)
        if not kept:
            await self.feed(self.roster())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.writer.close()
        self.engine.dispose()

    def roster(self, chat: str = "g", people: Sequence[str] | None = None) -> Roster:
        wanted = self.people if people is None else people
        everybody = tuple(Person(one, one) for one in wanted)
        return Roster("sandbox", chat, "群", self.people[0], everybody, self.clock.now())

    def message(
        self, who: str, text: str, *, key: str = "", to_bot: bool = False, chat: str = "g"
    ) -> Message:
        self._count += 1
        return Message(
            "sandbox", chat, key or f"n{self._count}", Person(who, who), text, self.clock.now(), to_bot=to_bot
        )

    async def feed(self, one: Event | Occurrence) -> bool:
        """Feed an event and wait for its commit; whether anything was done."""
        future = self.dispatcher.feed_slot(one) if isinstance(one, Occurrence) else self.dispatcher.feed(one)
        return bool(await future) if future is not None else False

    async def say(self, who: str, text: str, **fields: Any) -> list[str]:
        """Say something; the answer is what is to be sent."""
        before = len(self.downstream.rows)
        await self.feed(self.message(who, text, **fields))
        return [said(row) for row in self.downstream.rows[before:]]

    async def ring(self) -> list[str]:
        """Run the timers that are due."""
        before = len(self.downstream.rows)
        await asyncio.gather(*self.dispatcher.feed_timers(self.clock.now()))
        return [said(row) for row in self.downstream.rows[before:]]

    def read(self, query: str, *values: object) -> list[Any]:
        return databases.rows(self.place, query, *values)

    async def agree(self) -> None:
        """All lanes say what the database says."""
        agree(await self.writer.run(lanes.load_all), self.dispatcher)


def hold(writer: Writer) -> Callable[[], None]:
    """Keep the writer busy, so that what is submitted meets in one batch; the answer lets it go on."""
    gate = threading.Event()
    writer.submit(lambda _: gate.wait(10), lambda *_: None)
    return gate.set


def said(row: Row) -> str:
    """A row of the outbox as it would be read."""
    return fill(row.body.get("text", row.kind), row.body.get("values", {}))


def agree(kept: Mapping[Key, Lane], dispatcher: Dispatcher) -> None:
    """Compare the lanes of the loop and of the writer with those that the database gives."""
    wanted = {key: _bare(lane) for key, lane in kept.items()}
    assert {key: _bare(lane) for key, lane in dispatcher._lanes.items()} == wanted
    ahead = {key: _bare(lane) for key, lane in dispatcher._turns._lanes.items()}
    assert ahead == {key: wanted[key] for key in ahead}


def _bare(lane: Lane) -> Lane:
    return replace(lane, now=0)


def at(place: Place, settings: Settings | None = None) -> Settings:
    """Settings for a 小二 whose database is at a place."""
    server = SecretStr(place) if isinstance(place, str) else None
    return (settings or Settings()).model_copy(update={"database_url": server})


def open_store(folder: Path) -> tuple[Engine, Place]:
    """An engine on a blank database of a folder, and its place."""
    place = databases.blank(folder)
    made = engine_of(place)
    quick(made)
    return made, place
