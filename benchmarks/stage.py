"""小二 put together as bot/app.py does it, with an adapter that carries everything out at once."""

from __future__ import annotations

import gc
import logging
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random

import structlog

from bot import collector
from bot.adapters.sandbox.adapter import ACCOUNT
from bot.app import App, settle
from bot.config import Settings
from bot.model import LONGEST, Message, Outgoing, Person, Roster
from bot.ports import Inbox, State

ROOT = Path(__file__).resolve().parent.parent
FILE = "xiaoer.db"


class Nowhere:
    """An adapter whose messages arrive at once."""

    account = ACCOUNT
    state = State.ONLINE
    since = 0
    note = ""
    longest = LONGEST

    def __init__(self) -> None:
        self.sent = 0

    async def start(self, inbox: Inbox) -> None:
        pass

    async def stop(self) -> None:
        pass

    def sees(self, chat: str) -> bool:  # noqa: ARG002
        return True

    async def send(self, outgoing: Outgoing) -> None:  # noqa: ARG002
        self.sent += 1


class Stage(App):
    """The whole bot but for its adapters, on the machine's own clock."""

    def _make_adapters(self, _store: object) -> None:
        self.far_side = self._adapters[ACCOUNT] = Nowhere()


@contextmanager
def folder() -> Iterator[Path]:
    """A data folder on the disk that holds the repository: /tmp may be memory."""
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="bench-") as made:
        yield Path(made)


def log_as_run() -> None:
    """Have the log as `xiaoer run` has it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))


@asynccontextmanager
async def stage(
    data: Path, settings: Settings | None = None, library: Path = ROOT / "sop_library"
) -> AsyncIterator[Stage]:
    """小二 at work."""
    log_as_run()
    app = Stage(settings or Settings(sandbox=False), data, library, chance=Random(1))
    await app.start()
    collector.rest()
    try:
        yield app
    finally:
        gc.unfreeze()
        await app.stop()


async def open_groups(app: App, groups: int, members: int) -> list[list[Person]]:
    """Groups `g0`, `g1`, … that are 开张, each with an owner at the head of its members."""
    made = []
    for number in range(groups):
        people = [Person(f"{number}-{one}", f"群友{one}") for one in range(members)]
        roster = Roster(ACCOUNT, f"g{number}", f"群{number}", people[0].id, tuple(people), app.clock.now())
        fed = app.dispatcher.feed(roster)
        assert fed is not None
        await fed
        await say(app, number, people[0], "开张", "open")
        made.append(people)
    await settle(app)
    return made


async def say(app: App, group: int, person: Person, text: str, key: str, *, to_bot: bool = False) -> None:
    """Somebody says what 小二 must act on; returns after the commit."""
    said = app.dispatcher.feed(line(app, group, person, text, key, to_bot=to_bot))
    assert said is not None
    assert await said


def line(app: App, group: int, person: Person, text: str, key: str, *, to_bot: bool = False) -> Message:
    return Message(ACCOUNT, f"g{group}", f"{key}:{person.id}", person, text, app.clock.now(), to_bot=to_bot)
