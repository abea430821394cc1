"""小二: dispatcher, turns, router and outbox as they are, with 25 commands of their own.

`dispatch` stubs the storage: a writer that runs a unit at once, on a store that keeps nothing.
`message` has the real one on disk: every reply is durable before it is sent, and marked after.
How many groups there are, and what else is there, may be given.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, cast

from benchmarks.contenders.lap import FarSide, laps, run
from benchmarks.stage import Nowhere, folder, log_as_run
from benchmarks.stream import COMMANDS, GROUPS, MEMBERS, Said, answer
from bot.adapters.sandbox.adapter import ACCOUNT
from bot.clock import SystemClock
from bot.config import Settings
from bot.dispatch import lanes
from bot.dispatch.dispatcher import Dispatcher
from bot.dispatch.frame import Frame
from bot.dispatch.lanes import Key, Lane
from bot.dispatch.router import Router, Routes
from bot.dispatch.turn import Turn
from bot.model import Group, Member, Message, Outgoing, Person, Reply, Role, Say
from bot.outbox.sender import Sender
from bot.sop.library import Library
from bot.sop.schema import Kinds
from storage.database import Database
from storage.outbox import Row
from storage.writer import Writer

if TYPE_CHECKING:
    from storage.store import Store

router = Router("words")


@router.command(*COMMANDS)
def reply(message: Message, turn: Turn) -> Reply:
    return Reply(answer(message.text), verbatim=True, to=turn.person)


class Adapter(Nowhere):
    """Carries everything to the far side at once."""

    def __init__(self) -> None:
        super().__init__()
        self.far = FarSide()

    async def send(self, outgoing: Outgoing) -> None:
        assert isinstance(outgoing, Say)
        self.far.took(outgoing.text)


class Marks:
    """Every message is new."""

    def add(self, account: str, chat: str, message: str, now: int, outcome: str) -> bool:
        return True


class Rows:
    """Numbered, and kept nowhere."""

    def __init__(self) -> None:
        self._last = 0

    def add(
        self,
        account: str,
        chat: str,
        kind: str,
        body: dict[str, Any],
        now: int,
        *,
        send_before: int = 0,
        occurrence: int = 0,
        about: str = "",
    ) -> Row:
        self._last += 1
        return Row(self._last, account, chat, kind, body, now, send_before, occurrence)

    def sending(self, rows: Sequence[Row]) -> None:
        pass

    def sent(self, rows: Sequence[Row], now: int) -> None:
        pass

    planned = sending


class Written:
    """What was counted is kept nowhere."""

    def add(self, members: object, groups: object) -> None:
        pass


class Nothing:
    """A store that remembers nothing, and so has nothing to undo."""

    def __init__(self) -> None:
        self.marks = Marks()
        self.outbox = Rows()
        self.written = Written()
        self._savepoint = nullcontext()

    def savepoint(self) -> AbstractContextManager[None]:
        return self._savepoint


class AtOnce:
    """A writer without thread or database."""

    idle = True

    def __init__(self) -> None:
        self._store = cast("Store", Nothing())

    def submit(
        self, work: Callable[[Store], Any], done: Callable[[Any, None], None], _ahead: object = None
    ) -> None:
        done(work(self._store), None)

    async def run(self, work: Callable[[Store], Any]) -> Any:
        return work(self._store)


class Bot:
    """Dispatcher and outbox put together, downstream of each other. `first` is the first group that speaks."""

    def __init__(self, writer: Writer, made: dict[Key, Lane], first: int) -> None:
        clock, adapter, table = SystemClock(), Adapter(), Routes([router])
        frame = Frame(table, Library.empty(Kinds({}, {}, table.texts)), Settings(), Random(1), lambda *_: [])
        self.far = adapter.far
        self.sender = Sender(clock, writer, {ACCOUNT: adapter}, {}, Path())
        self.dispatcher = Dispatcher(frame, clock, writer, made, self)
        self._first = first
        self._now = clock.now()
        self._ids = count()

    def deliver(self, rows: list[Row]) -> None:
        self.sender.deliver(rows)

    def due(self, moment: int) -> None:
        """No timer is set."""

    def replan(self, group: int) -> None:
        """There is no calendar."""

    def make(self, said: Said) -> Message:
        person = Person(f"p{said.member}", f"群友{said.member}")
        chat = f"g{self._first + said.group}"
        return Message(ACCOUNT, chat, f"m{next(self._ids)}", person, said.text, self._now)

    async def feed(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self.dispatcher.feed(message)


async def dispatch(many: int, groups: int, others: int) -> float:
    """`others` are groups that are in memory, and say nothing."""
    made = {}
    for number in range(others + groups):
        members = {f"p{n}": Member(n + 1, f"p{n}", f"群友{n}", Role.MEMBER) for n in range(MEMBERS)}
        made[ACCOUNT, f"g{number}"] = Lane(Group(number + 1, ACCOUNT, f"g{number}", opened_at=1), members)
    bot = Bot(cast("Writer", AtOnce()), made, others)
    return await laps(bot.far, bot.make, bot.feed, many, groups)


async def message(many: int, groups: int, data: Path) -> float:
    """On a database in which there may be other groups."""
    database = await Database.open(data)
    first = await database.writer.run(partial(people, groups=groups))
    bot = Bot(database.writer, await database.writer.run(lanes.load_all), first)
    took = await laps(bot.far, bot.make, bot.feed, many, groups)
    await bot.sender.stop()
    await database.close()
    return took


def people(store: Store, groups: int) -> int:
    """So many groups more; the answer is the number of the first."""
    first = len(store.groups.all())
    for number in range(first, first + groups):
        group = store.groups.add(ACCOUNT, f"g{number}")
        store.groups.save(Group(group.id, ACCOUNT, group.chat, f"群{number}", "p0", 1))
        for one in range(MEMBERS):
            store.groups.enter(group, f"p{one}", f"群友{one}", Role.MEMBER, 1)
    return first


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("messages", type=int)
    parser.add_argument("storage", choices=("dispatch", "message"))
    parser.add_argument("--groups", type=int, default=GROUPS)
    parser.add_argument("--others", type=int, default=0, help="groups that say nothing, for dispatch")
    parser.add_argument("--data", type=Path, help="the database for message; a new one when there is none")
    given = parser.parse_args()
    log_as_run()
    if given.storage == "dispatch":
        run(partial(dispatch, groups=given.groups, others=given.others))
        return
    with folder() as new:
        run(partial(message, groups=given.groups, data=given.data or new))


if __name__ == "__main__":
    main()
