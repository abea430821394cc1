"""The Sunday pictures: drawn beside everybody's work, brought back as an event, and sent once.

At the moment a reader looks at the week and a thread draws it; then `Drawn` enters the queue, and its handler
marks the week and sends the pictures in one transaction. Whatever dies before that commit is done again at
the next start, if that is within a day; whatever comes after it finds the mark.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog

from bot.clock import as_moment
from bot.console.report import files
from bot.console.report.reading import Report, find, reader, week_name
from bot.errors import Away, Unusable
from bot.model import DAY, Drawn, Group
from bot.ports import Clock, Inbox
from handlers.report import in_words, moment, monday_of

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.sop.library import Library
    from storage.database import Database
    from storage.store import Store

WHEN = time(20, 30)
# Pictures that could not be made on Sunday are made until so long after.
LATEST = DAY
FOLDER = "reports"

log = structlog.get_logger()


class Sunday:
    """`library` gives the library as it is now; `folder` is where pictures are kept for a week.

    `counted` returns when what was counted is written.
    """

    def __init__(
        self,
        settings: Settings,
        library: Callable[[], Library],
        clock: Clock,
        database: Database,
        inbox: Inbox,
        folder: Path,
        counted: Callable[[], Awaitable[object]],
    ) -> None:
        self._settings = settings
        self._library = library
        self._clock = clock
        self._database = database
        self._inbox = inbox
        self._folder = folder
        self._counted = counted
        self._zone = ZoneInfo(settings.timezone)
        self._task: asyncio.Task[None] | None = None
        self._until = 0
        self._working = False

    @property
    def busy(self) -> bool:
        """Whether anything goes on that does not wait for the clock."""
        return self._working or 0 < self._until <= self._clock.now()

    def start(self) -> None:
        """Wait for Sundays, if a group is named for the report."""
        if self._settings.reports_to:
            self._working = True
            self._task = asyncio.get_running_loop().create_task(self._serve())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _serve(self) -> None:
        sunday = self._last()
        while True:
            if self._clock.now() - sunday < LATEST:
                await self._try(sunday)
            sunday = self._until = self._next(sunday)
            self._working = False
            await self._clock.sleep_until(sunday)
            self._working = True

    async def _try(self, sunday: int) -> None:
        """Make the report; whatever goes wrong is told, and not tried again before the next start."""
        try:
            await self._make(sunday)
        except Unusable as error:
            log.warning("no Sunday report", why=f"reports_to：{error}")
        except Away:
            log.info("no Sunday report: the process ends")
        except Exception:
            log.exception("the Sunday report failed")

    async def _make(self, sunday: int) -> None:
        monday = monday_of(moment(sunday, self._zone).date())
        week = week_name(monday)
        key = f"report:{week}"

        def look(store: Store) -> tuple[Group, bool]:
            group = find(store.groups.all(), self._settings.reports_to)
            return group, store.marks.has(group.account, group.chat, key)

        group, done = await self._database.read(look)
        if done:
            return
        await self._counted()
        report = await self._database.read(reader(self._settings, self._library(), week))
        saved = await asyncio.to_thread(self._draw, report)
        if not saved:
            log.info("no Sunday report: nothing happened", week=week)
            return
        pictures = tuple((path.name, title) for path, title in saved)
        event = Drawn(group.account, group.chat, key, in_words(monday), pictures, self._clock.now())
        if (answer := self._inbox.feed(event)) is not None:
            await answer

    def _draw(self, report: Report) -> Sequence[tuple[Path, str]]:
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in self._folder.glob("*.png"):
            if not old.name.startswith(report.name):
                old.unlink(missing_ok=True)
        return files.save_pictures(report, self._folder / f"{report.name}.png")

    def _last(self) -> int:
        """The last such Sunday evening that is past."""
        now = moment(self._clock.now(), self._zone)
        sunday = now.date() - timedelta(days=(now.weekday() + 1) % 7)
        found = self._at(sunday)
        return found if found <= self._clock.now() else self._at(sunday - timedelta(7))

    def _next(self, last: int) -> int:
        return self._at(moment(last, self._zone).date() + timedelta(7))

    def _at(self, sunday: date) -> int:
        return as_moment(datetime.combine(sunday, WHEN, self._zone))
