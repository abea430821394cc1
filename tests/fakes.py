"""Written fakes for time and for the far side of a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from io import BytesIO

from PIL import Image

from bot.model import LONGEST, Outgoing, Say
from bot.ports import Adapter, Inbox, State


def picture(kind: str = "PNG") -> bytes:
    """The smallest picture of a kind."""
    made = BytesIO()
    Image.new("RGB", (1, 1)).save(made, kind)
    return made.getvalue()


# Monday, 7 January 2030, 07:00 in Shanghai.
MONDAY = 1_893_970_800_000_000


class StillClock:
    """A clock that goes only when it is told to."""

    def __init__(self, now: int = MONDAY) -> None:
        self.moment = now
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def now(self) -> int:
        return self.moment

    async def sleep_until(self, moment: int) -> None:
        while moment > self.moment:
            woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._sleepers.append((moment, woken))
            await woken

    @property
    def next_wake(self) -> int:
        """When the first of those who sleep wants to be woken; 0 when nobody sleeps."""
        return min((moment for moment, woken in self._sleepers if not woken.done()), default=0)

    def set(self, moment: int) -> None:
        self.moment = max(self.moment, moment)
        for until, woken in self._sleepers:
            if until <= self.moment and not woken.done():
                woken.set_result(None)
        self._sleepers = [one for one in self._sleepers if not one[1].done()]

    def advance(self, span: int) -> None:
        self.set(self.moment + span)


Trouble = Callable[[Outgoing], Exception | None]


class FarSide:
    """An adapter that keeps what it was given. `trouble` says which error meets a message, if any.

    What arrives is passed on to the adapter `behind` it, where there is one.
    """

    def __init__(self, trouble: Trouble = lambda _: None, behind: Adapter | None = None) -> None:
        self.account = "sandbox"
        self.state = State.ONLINE
        self.since = MONDAY
        self.note = ""
        self.longest = LONGEST
        self.trouble = trouble
        self.behind = behind
        self.tried: list[Outgoing] = []
        self.sent: list[Outgoing] = []

    async def start(self, inbox: Inbox) -> None:
        """Nothing comes from here."""

    async def stop(self) -> None:
        """Nothing is held."""

    def sees(self, chat: str) -> bool:
        """It is in every group."""
        return True

    async def send(self, outgoing: Outgoing) -> None:
        self.tried.append(outgoing)
        error = self.trouble(outgoing)
        if error is not None:
            raise error
        self.sent.append(outgoing)
        if self.behind is not None:
            await self.behind.send(outgoing)

    @property
    def texts(self) -> list[str]:
        """What arrived, in order."""
        return [one.text for one in self.sent if isinstance(one, Say)]
