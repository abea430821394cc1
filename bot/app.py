"""Where it is all put together: the routers in their order, the ports, and what runs.

Read this from top to bottom to see what 小二 is made of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random, SystemRandom
from types import ModuleType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog

from bot.adapters.sandbox.adapter import ACCOUNT as SANDBOX
from bot.adapters.sandbox.adapter import Sandbox
from bot.aside import aside
from bot.clock import MovableClock, SystemClock, as_datetime
from bot.config import Pace, Settings
from bot.console.report import sunday
from bot.dispatch import gate, lanes
from bot.dispatch.counts import Counts
from bot.dispatch.dispatcher import Dispatcher
from bot.dispatch.frame import Frame
from bot.dispatch.router import Router, Routes
from bot.errors import Away, Fault, NotNow
from bot.librarian import Librarian
from bot.outbox.pace import Pacer
from bot.outbox.sender import Sender
from bot.ports import Adapter, Clock
from bot.schedule.alarm import Alarm
from bot.schedule.moving import Mover
from bot.schedule.noticing import TEXTS as NOTICES
from bot.schedule.noticing import Noticing
from bot.schedule.planning import Planning, keys
from bot.sop.changes import Changes
from bot.sop.doubts import unknown_years
from bot.sop.library import Library
from bot.sop.schema import Kinds
from handlers import (
    activities,
    calendar,
    entry,
    help,  # noqa: A004
    hook,
    plan,
    points,
    quiz,
    red_packet,
    report,
    sign_in,
)
from handlers.quiz_activity import GAMES
from storage.database import Database
from storage.sandbox_store import SandboxStore

if TYPE_CHECKING:
    from storage.outbox import Row
    from storage.store import Store

HANDLERS: Sequence[ModuleType] = (
    entry,
    calendar,
    plan,
    activities,
    sign_in,
    points,
    red_packet,
    quiz,
    hook,
    report,
    help,
)

log = structlog.get_logger()


def routes() -> Routes:
    """Every router, in order. Two that claim one word stop the bot here."""
    return Routes(
        [Router("gate", gate.TEXTS), *(handler.router for handler in HANDLERS), Router("notices", NOTICES)]
    )


def kinds(table: Routes) -> Kinds:
    """What the operators' files may name: kinds of activity, games, and the texts that can be replaced."""
    return Kinds(
        activities={kind: definition for kind, (definition, _) in table.slots.items()},
        games={name: game.question for name, game in GAMES.items()},
        texts=table.texts,
    )


class App:
    """小二 at work on one database. `start`, then `stop`; the pages are put beside it by bot/serve.py."""

    def __init__(
        self, settings: Settings, data: Path, library: Path, *, chance: Random | None = None
    ) -> None:
        self.settings = settings
        self.data = data
        self.place = settings.server or data
        self._drawn = data / sunday.FOLDER
        self.library_root = library
        self.sandbox: Sandbox | None = None
        self.clock: Clock = SystemClock()
        self.since = datetime.now(UTC).isoformat()
        self.mover: Mover | None = None
        self._chance = chance or SystemRandom()
        self._adapters: dict[str, Adapter] = {}

    async def start(self) -> None:
        """Open the database, read the library, take up what the last process left, then listen.

        Raises Unusable when the data folder cannot be had or an account has no token.
        """
        table = routes()
        self.librarian = self._make_librarian(table)
        self.database = await self._open()
        try:
            await self._put_together(table)
        except BaseException as error:
            await self.database.close()
            if isinstance(error, Away):
                raise NotNow(str(error)) from error
            raise

    async def stop(self) -> None:
        """Take nothing more in, finish what is under way, close."""
        self.hurry()
        self.alarm.stop()
        await self.sunday.stop()
        await self.sender.stop()
        for adapter in self._adapters.values():
            await adapter.stop()
        self.dispatcher.write_counts()
        await self.database.close()

    def hurry(self) -> None:
        """From now on, do not wait for a database that takes nothing."""
        self.database.writer.hurry()

    async def tags(self, account: str = SANDBOX) -> Mapping[str, Sequence[str]]:
        """The tags of each chat of an account."""
        tags, groups = await self.database.read(lambda store: (store.groups.tags(), store.groups.all()))
        return {group.chat: sorted(tags.get(group.id, ())) for group in groups if group.account == account}

    @property
    def library(self) -> Library:
        """What the operators' files said when they were last read."""
        return self.librarian.library

    @property
    def accounts(self) -> Mapping[str, Adapter]:
        """The accounts by name, for those who watch how they stand."""
        return self._adapters

    def busy(self) -> bool:
        """Whether queue or outbox hold anything that goes on without the clock being moved."""
        return not self.dispatcher.idle or self.sender.busy or self.sunday.busy

    # What the dispatcher tells of what was committed. ----------------------------------------------

    def deliver(self, rows: list[Row]) -> None:
        self.sender.deliver(rows)

    def due(self, moment: int) -> None:
        self.alarm.due(moment)

    def replan(self, group: int) -> None:
        self.alarm.replan(group)

    # Putting together. -----------------------------------------------------------------------------

    async def _open(self) -> Database:
        return await Database.open(self.place)

    def _make_librarian(self, table: Routes) -> Librarian:
        return Librarian(self.library_root, kinds(table), self._go_by)

    async def _make_clock(self, store: SandboxStore) -> Clock:
        movable = self.settings.with_sandbox and not self.settings.accounts
        return MovableClock(await store.offset()) if movable else SystemClock()

    def _make_frame(self, table: Routes) -> Frame:
        counts = Counts(self.settings.timezone, self.clock.now)
        return Frame(table, self.library, self.settings, self._chance, self.planning.of, counts=counts)

    async def _put_together(self, table: Routes) -> None:
        writer, library, settings = self.database.writer, self.library, self.settings
        store = SandboxStore(self.database)
        self.clock = await self._make_clock(store)
        self._make_adapters(store)

        now = self.clock.now()
        slots = keys(library.calendars)
        # Whoever starts it is told at once when nothing can be written.
        writer.hurry()
        since = await writer.run(lambda store: store.occurrences.know_slots(slots, now))
        writer.take_time()
        self.doubts = self._doubtful(library)
        self.planning = Planning(library.calendars, settings.timezone, since, library.holidays)
        self._frame = self._make_frame(table)
        made = await writer.run(lanes.load_all)
        self.dispatcher = Dispatcher(self._frame, self.clock, writer, made, self, self._adapters)
        pacers = self._pacers()
        self.sender = Sender(
            self.clock, writer, self._adapters, pacers, self.library_root, library.texts, self._drawn
        )
        noticing = Noticing(writer, lambda: self.library, settings.notices_to, self.deliver)
        self.alarm = Alarm(self.clock, writer, self.dispatcher, self.planning, noticing)
        self.sunday = sunday.Sunday(
            settings,
            lambda: self.library,
            self.clock,
            self.database,
            self.dispatcher,
            self._drawn,
            self._write_counts,
        )
        if isinstance(self.clock, MovableClock):
            self.mover = Mover(self.clock, self.alarm, self.busy, store.save_offset)

        await self.sender.resume()
        for adapter in self._adapters.values():
            await adapter.start(self.dispatcher)
        await self.alarm.start()
        self.sunday.start()
        if self.sandbox is not None and not await writer.run(_any_open):
            await first_group(self.sandbox)

    async def _go_by(self, library: Library, changes: Changes) -> int:
        """Have everything go by another library: between two events, so that each sees one of them whole."""
        new = changes.touched(keys(library.calendars))

        def begin(store: Store, now: int) -> Planning:
            since = store.occurrences.renew_slots(new, now)
            self.planning = Planning(library.calendars, self.settings.timezone, since, library.holidays)
            self._frame = replace(self._frame, library=library, planner=self.planning.of)
            self.dispatcher.go_by(self._frame)
            return self.planning

        now = await self.alarm.change(begin)
        self.doubts = await aside(self._doubtful, library, self.doubts)
        self.sender.go_by(library.texts)
        return now

    async def _write_counts(self) -> None:
        self.dispatcher.write_counts()
        await self.database.writer.run(lambda _: None)

    def _doubtful(self, library: Library, known: Sequence[Fault] = ()) -> Sequence[Fault]:
        """The years that the calendars need and nobody has arranged yet; those not known before are told."""
        today = as_datetime(self.clock.now()).astimezone(ZoneInfo(self.settings.timezone)).date()
        doubts = tuple(unknown_years(library, today))
        for doubt in doubts:
            if doubt not in known:
                log.warning("days off are not known", doubt=str(doubt))
        return doubts

    def _make_adapters(self, store: SandboxStore) -> None:
        if self.settings.with_sandbox:
            self.sandbox = self._adapters[SANDBOX] = Sandbox(store, self.clock)
        ours: set[str] = set()
        for account in self.settings.accounts:
            from bot.adapters.wechaty.adapter import WechatyAdapter  # noqa: PLC0415 - half a second
            from bot.adapters.wechaty.tls import Tls  # noqa: PLC0415

            ca = Path(account.tls_ca) if account.tls_ca else None
            tls = Tls(ca, account.tls_name) if account.tls else None
            self._adapters[account.name] = WechatyAdapter(
                account.name, account.endpoint, account.token, self.clock, tls=tls, ours=ours
            )

    def _pacers(self) -> dict[str, Pacer]:
        """The sandbox is not paced unless the file says so; an account always is."""
        given = self.settings.pace
        pace = given or Pace()
        return {
            name: Pacer(self.clock, pace.chat_gap, pace.per_minute, self._chance, pace.post_gap)
            for name in self._adapters
            if given or name != SANDBOX
        }


async def first_group(sandbox: Sandbox) -> None:
    """What a newcomer finds: a group with an owner, six members and 小二, 开张 with the tag 理财.

    A first start that was killed before the 开张 left the group without it.
    """
    names = ("阿强", "小美", "王姐", "老周", "小林", "豆豆")
    left = sandbox.groups
    group = left[0] if left else await sandbox.add_group("街坊理财群", "陈经理", names)
    await sandbox.say(group.id, group.members[0].id, "开张 理财", handled=True)


def _any_open(store: Store) -> bool:
    return any(group.opened_at for group in store.groups.all() if group.account == SANDBOX)


async def settle(app: App) -> None:
    """Wait until nothing is under way; for tests and for an orderly stop."""
    while app.busy():
        await asyncio.sleep(0.002)
