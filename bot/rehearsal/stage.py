"""小二 put together for a rehearsal, and the days that it runs through, with a crash here and there."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from bot.app import App, kinds
from bot.config import Pace, Settings
from bot.console.outbox import Word, say
from bot.dispatch.counts import Counts, Tally
from bot.dispatch.frame import Frame
from bot.dispatch.parking import Parking
from bot.dispatch.router import Routes
from bot.librarian import Librarian
from bot.model import DAY, MINUTE, SECOND, Message, Roster
from bot.outbox.sender import WAITS
from bot.ports import Clock
from bot.rehearsal.cast import EVE, Cast
from bot.rehearsal.crash import Crash, Fate
from bot.rehearsal.people import Group
from bot.rehearsal.virtual import VirtualClock, VirtualLoop
from bot.rehearsal.world import World
from bot.sop.library import Library
from bot.tally import Histogram
from storage.inline import InlineDatabase

if TYPE_CHECKING:
    from storage.database import Database
    from storage.outbox import Row
    from storage.sandbox_store import SandboxStore
    from storage.store import Store

# What was said last is sent by then, or too late.
LAST_WORDS = 15 * MINUTE
# As many messages as can have been on their way when a process ended.
MANY = 10_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What is rehearsed: so many days from a moment on, with whom."""

    start: int
    days: int
    seed: int
    crash: bool

    @property
    def end(self) -> int:
        return self.start + self.days * DAY - 1


class Stage:
    """`told` is called after each day with how many are over."""

    def __init__(
        self,
        settings: Settings,
        library: Library,
        root: Path,
        plan: Plan,
        groups: list[Group],
        cast: Cast,
        told: Callable[[int], object] = lambda _: None,
    ) -> None:
        people = sum(len(group.members) + 1 for group in groups)
        chance = Random(f"{plan.seed} crash") if plan.crash else None
        self.fate = Fate(chance, 10 + people * 5 // 4)
        self.waited: Mapping[str, Histogram] = {kind: Histogram(*WAITS) for kind in ("reply", "post")}
        self.settings = settings.model_copy(
            update={"pace": settings.pace or Pace(), "accounts": (), "sandbox": False, "database_url": None}
        )
        self.library = library
        self.root = root
        self.plan = plan
        self.cast = cast
        self.world = World([_roster(group) for group in groups], plan.end, self.fate)
        self._told = told
        self.counts = KeptCounts(settings.timezone, lambda: self.world.loop.now)
        self.settled = Counter[bool]()
        self._now = plan.start - EVE
        self._day = 0
        self._heard = 0
        self.world.plan(cast.eve())

    def run(self, folder: Path) -> None:
        """Let the days go by, on a database in this folder."""
        while not self._live_once(folder):
            self.fate.again()
        self._told(self.plan.days)

    def hear(self, app: Rehearsed) -> None:
        """The members will read what was decided since they read last."""
        for row in app.decided(self._heard):
            self._heard = row.id
            self.world.plan(self.cast.hears(row))

    def _live_once(self, folder: Path) -> bool:
        """One process, from the moment at which the last one ended; whether it came to the end."""
        loop = VirtualLoop(self._now)
        broken: list[BaseException] = []
        loop.set_exception_handler(lambda _, told: broken.append(told.get("exception") or RuntimeError(told)))
        self.world.loop = loop
        app = Rehearsed(self, folder, loop)
        try:
            loop.run_until_complete(self._live(app, loop))
        except Crash:
            return False
        finally:
            self.fate.dead = True
            app.cut()
            _add(self.waited, app)
            self._now = loop.now
            _bury(loop)
        if broken:
            raise broken[0]
        return True

    async def _live(self, app: Rehearsed, loop: VirtualLoop) -> None:
        again = [one for one in self.world.unheard if isinstance(one, Message) and not one.private]
        await app.start()
        # Those first of them that the last process had committed, it may not have counted.
        for message in again[: app.dispatcher.events[Message, "duplicate"]]:
            app.dispatcher.count((message.account, message.chat), message, app.clock.now())
        await self._settle(app)
        self.hear(app)
        self.world.wake()
        self._wait_for_day(loop)
        await app.clock.sleep_until(self.plan.end)
        app.alarm.stop()
        while app.sender.chats and app.clock.now() < self.plan.end + LAST_WORDS:
            await app.clock.sleep_until(app.clock.now() + SECOND)
        await app.stop()

    async def _settle(self, app: Rehearsed) -> None:
        """What was being sent is unknown, so the operator looks, and says that it arrived, or sends it again."""
        for one in await app.database.read(lambda store: store.settling.list("unknown", MANY)):
            arrived = self.world.has_read(one)
            word = Word.SETTLE if arrived else Word.RESEND
            _, again = await say(app.database.writer, word, one.id, app.clock.now())
            self.settled[arrived] += 1
            if again is not None:
                app.deliver([again])

    def _wait_for_day(self, loop: VirtualLoop) -> None:
        if self._day < self.plan.days:
            moment = max(loop.now, self.plan.start + self._day * DAY - EVE)
            loop.at(moment, self._begin_day, loop)

    def _begin_day(self, loop: VirtualLoop) -> None:
        self._told(self._day)
        self.world.plan(self.cast.day(self._day))
        self._day += 1
        self._wait_for_day(loop)


class Rehearsed(App):
    """One process of 小二 on a stage: its own code but for the clock, the far side and the writer's thread."""

    database: InlineDatabase

    def __init__(self, stage: Stage, folder: Path, loop: VirtualLoop) -> None:
        super().__init__(stage.settings, folder, stage.root, chance=Random(stage.plan.seed))
        self._stage = stage
        self._counts = stage.counts
        self._virtual = VirtualClock(loop)

    def decided(self, after: int) -> list[Row]:
        """The rows of the outbox behind this one."""
        return self.database.writer.look(lambda store: store.reckoning.rows(after))

    def cut(self) -> None:
        """Nothing more is written."""
        if hasattr(self, "database"):
            self.database.cut()

    def deliver(self, rows: list[Row]) -> None:
        self._stage.fate.step()
        self._stage.hear(self)
        super().deliver(rows)

    async def _open(self) -> Database:
        made = InlineDatabase(self.data, self._stage.fate.step, self._counts.written)
        for members, groups in self._counts.unwritten():
            await made.writer.run(partial(_write, members, groups))
        return made

    def _make_librarian(self, table: Routes) -> Librarian:
        return Librarian(self.library_root, kinds(table), self._go_by, self._stage.library)

    async def _make_clock(self, _store: SandboxStore) -> Clock:
        return self._virtual

    def _make_adapters(self, _store: SandboxStore) -> None:
        self._adapters.update(self._stage.world.adapters)

    def _make_frame(self, table: Routes) -> Frame:
        seed = str(self._stage.plan.seed)
        return replace(super()._make_frame(table), parking=Parking(math.inf), seed=seed, counts=self._counts)


class KeptCounts(Counts):
    """How much is written, kept over a crash. It is the one thing that a crash may lose, a few seconds of it,
    and all that hangs on it would differ from the run without.
    """

    def __init__(self, timezone: str, now: Callable[[], int]) -> None:
        super().__init__(timezone, now)
        self._taken: list[tuple[Tally, Tally]] = []

    def take(self) -> tuple[Tally, Tally]:
        self._taken.append(super().take())
        return self._taken[-1]

    def written(self) -> None:
        """What was taken is in the database."""
        self._taken.clear()

    def unwritten(self) -> list[tuple[Tally, Tally]]:
        """What was taken and is not in the database."""
        return list(self._taken)


def _write(members: Tally, groups: Tally, store: Store) -> None:
    store.written.add(members, groups)


def _roster(group: Group) -> Roster:
    everybody = (group.owner, *(member.person for member in group.members))
    return Roster(group.account, group.chat, group.title, group.owner.id, everybody, 0)


def _add(waited: Mapping[str, Histogram], app: Rehearsed) -> None:
    """Take over how long messages waited in a process that is over."""
    for kind, mine in app.sender.waited.items() if hasattr(app, "sender") else ():
        waited[kind].counts = [sum(both) for both in zip(waited[kind].counts, mine.counts, strict=True)]
        waited[kind].sum += mine.sum


def _bury(loop: VirtualLoop) -> None:
    """End what is left of a process."""
    loop.set_exception_handler(lambda *_: None)
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.close()
