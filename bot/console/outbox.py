"""`xiaoer outbox`: what has not gone out, and an operator's word on what may have.

A word goes to the process that is at work, over its page; when there is none, the database is taken as a
process would, and it is written here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.clock import SystemClock, as_datetime
from bot.config import PAGE_PASSWORD
from bot.console import asking, notes
from bot.errors import Unusable
from bot.model import MINUTE, fill
from storage import database
from storage import place as places

if TYPE_CHECKING:
    from bot.config import Settings
    from storage.outbox import Row
    from storage.place import Place
    from storage.settling import Listed
    from storage.store import Store
    from storage.writer import Writer

WITHIN = 10 * MINUTE
MOST = 1000
LARGEST = 2**63 - 1

OUTBOX = {
    "planned": "等着发",
    "sending": "正在发",
    "sent": "已发",
    "failed": "没发成",
    "stale": "过了时间",
    "unknown": "不知道",
}


class Word(StrEnum):
    """What an operator may say of an unknown message."""

    RESEND = "resend"
    SETTLE = "settle"


# Seeing. ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A message as it is listed."""

    listed: Listed
    at: datetime
    text: str

    def as_json(self) -> dict[str, Any]:
        one = self.listed
        return {
            "id": one.id,
            "state": one.state,
            "reason": one.reason,
            "account": one.account,
            "chat": one.chat,
            "group": one.title,
            "kind": one.kind,
            "text": self.text,
            "at": self.at.isoformat(),
            "occurrence": one.occurrence,
        }

    def __str__(self) -> str:
        one = self.listed
        where = f"{one.account} {one.title or one.chat}".strip()
        said = self.text.replace("\n", " ")[:40] or one.kind
        why = f"：{one.reason}" if one.reason else ""
        return f"消息 {one.id}，{OUTBOX[one.state]}，{where}，{self.at:%m-%d %H:%M}，「{said}」{why}"


def look(place: Place, states: Sequence[str], timezone: str) -> list[Line]:
    """The messages of a database in these states; the last thousand of each. Raises Unusable.

    Without a state, those that nobody knows the end of.
    """
    places.existing(place).dispose()
    if not states:
        # While nobody is at work, what was being sent may or may not have arrived.
        states = ("unknown",) if places.at_work(place) else ("unknown", "sending")
    zone = ZoneInfo(timezone)
    found = database.look(place, lambda store: [one for s in states for one in store.settling.list(s, MOST)])
    return [
        Line(
            one,
            as_datetime(one.at).astimezone(zone),
            fill(one.body.get("text", ""), one.body.get("values", {})),
        )
        for one in sorted(found, key=lambda one: one.id)
    ]


def shown(lines: Sequence[Line]) -> Iterator[str]:
    """The list as an operator reads it."""
    yield from map(str, lines)
    if not lines:
        yield "没有这样的消息。"


# Saying. ---------------------------------------------------------------------------------------


def tell(folder: Path, settings: Settings, word: Word, number: str) -> None:
    """Say something of a message, wherever it has to be said. Raises Unusable; then nothing is changed."""
    if not number.isdecimal() or int(number) > LARGEST:
        raise Unusable(f"消息的编号是个整数，{number} 不是。用 xiaoer outbox list 看有哪些。")
    place = settings.server or folder
    places.existing(place).dispose()
    if places.at_work(place):
        work = notes.at_work(folder)
        if work is None:
            raise Unusable(f"数据库正被一个小二使用，但数据目录 {folder} 里没有记它的页面在哪里。")
        asking.tell(work, os.environ.get(PAGE_PASSWORD, ""), f"/api/outbox/{int(number)}/{word}")
    else:
        movable = settings.with_sandbox and not settings.accounts
        asyncio.run(_write(place, word, int(number), movable=movable))


async def say(writer: Writer, word: Word, number: int, now: int) -> tuple[str, Row | None]:
    """Have it written: the answer is the state before, as in storage/settling.py, and the row to send."""
    if word is Word.SETTLE:
        return await writer.run(lambda store: store.settling.settle(number)), None
    return await writer.run(lambda store: store.settling.send_again(number, now, now + WITHIN))


def refusal(number: int, before: str) -> str:
    """Why nothing was done, or '' when it was."""
    if not before:
        return f"没有消息 {number}。"
    if before != "unknown":
        return f"消息 {number} 是「{OUTBOX[before]}」，只有「{OUTBOX['unknown']}」的才能这样办。"
    return ""


async def _write(place: Place, word: Word, number: int, *, movable: bool) -> None:
    made = await database.Database.open(place)
    try:
        # As the next start would: what was being said when the last process died is unknown.
        await made.writer.run(_left)
        ahead = await made.writer.run(lambda store: store.sandbox.offset()) if movable else 0
        before, _ = await say(made.writer, word, number, SystemClock().now() + ahead)
    finally:
        await made.close()
    if why := refusal(number, before):
        raise Unusable(why)


def _left(store: Store) -> None:
    for row in store.outbox.in_state("sending"):
        if row.repeatable:
            store.outbox.planned([row])
        else:
            store.outbox.ended(row, "unknown", "上次停下时正在发送")
