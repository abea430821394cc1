"""小二 as a whole at work behind gateways, and a group in which a test speaks and is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.app import App
from bot.config import Settings
from bot.ports import State
from storage.audit import Report, audit
from tests import databases
from tests.harness import at
from tests.wechaty.conftest import ACCOUNT, ROOM
from tests.wechaty.gateway import Gateway, Line


class Chat:
    """One room of a gateway. What 小二 says there is read in order, and nothing is skipped."""

    def __init__(self, gateway: Gateway, room: str = ROOM) -> None:
        self.room = room
        self._gateway = gateway
        self._read = 0

    async def say(self, who: str, text: str, **more: object) -> str:
        """Somebody says something; the answer is the message's id."""
        said: str = await self._gateway.do("say", **{"from": who}, to=self.room, text=text, **more)
        return said

    async def heard(self) -> Line:
        """The next thing that 小二 said here."""
        self._read += 1
        return await self._gateway.wait("sent", count=self._read, to=self.room)

    async def ask(self, who: str, text: str, **more: object) -> str:
        """Say something, and the very next thing that 小二 says is its answer."""
        await self.say(who, text, **more)
        body: str = (await self.heard())["body"]
        return body

    async def quiet(self) -> None:
        """小二 has said nothing since: the next thing that it says is what it is asked for now."""
        assert "小二会做这些" in await self.ask("mary", "帮助")


@asynccontextmanager
async def at_work(home: Path, accounts: Mapping[str, str | Mapping[str, Any]]) -> AsyncIterator[App]:
    """小二 with the library in `home`, the database of its data folder, and accounts: the endpoint of each, or all its keys.

    Its messages go at once.
    """
    keys = {name: {"endpoint": one} if isinstance(one, str) else one for name, one in accounts.items()}
    settings = Settings.model_validate(
        {
            "accounts": [{"name": name, **more} for name, more in keys.items()],
            "pace": {"chat_gap": "0s", "per_minute": 100_000},
        }
    )
    data = home / "data"
    app = App(at(databases.place(data), settings), data, home / "library")
    await app.start()
    try:
        yield app
    finally:
        await app.stop()


async def log_in(app: App, gateway: Gateway, account: str = ACCOUNT, who: str = "bot") -> None:
    """Have 小二 log in, and wait until the bot knows."""
    await gateway.wait("start")
    await gateway.do("login", id=who)
    await online(app, account)


async def online(app: App, account: str = ACCOUNT) -> None:
    """Wait until an account is online; nothing that is said from here on is missed."""
    await until_it_stands(app, State.ONLINE, account)


async def until_it_stands(app: App, state: State, account: str = ACCOUNT) -> None:
    """Wait until an account stands so."""
    async with asyncio.timeout(30):
        while app._adapters[account].state is not state:
            await asyncio.sleep(0.01)


async def until_seen(app: App, account: str, room: str) -> None:
    """Wait until an account knows that it is in a room."""
    async with asyncio.timeout(30):
        while not app._adapters[account].sees(room):
            await asyncio.sleep(0.01)


def audited(home: Path) -> Report:
    """The books after the bot has stopped: nothing is wrong, and nothing is parked."""
    report = audit(databases.place(home / "data"))
    assert report.faults == report.parked == []
    return report
