"""`xiaoer status`: what stands in the database, and how the process that works on it is.

It takes no lock and writes nothing, so it can be asked at any time, also when nobody is at work.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.config import PAGE_PASSWORD
from bot.console import asking, notes
from bot.console.books import Books, Next, reader
from bot.console.health import ONLINE, WORDS
from bot.console.outbox import OUTBOX
from bot.errors import NotNow
from handlers.calendar import STATES
from storage import database

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.sop.library import Library

TROUBLE = ("missed", "failed", "unknown")
NAMES = 3
WIDE = 200


def look(folder: Path, settings: Settings, library: Library) -> Status:
    """Look at a data folder, and at the database in it or on the settings' server. Raises Unusable.

    Whether somebody is at work can be told without a server too.
    """
    books, trouble = None, []
    try:
        books = database.look(settings.server or folder, reader(settings, library))
    except NotNow as error:
        trouble = [str(error)]
    work = notes.at_work(folder)
    answer = asking.ask(work, os.environ.get(PAGE_PASSWORD, "")) if work else None
    reasons = [*(answer or asking.NOBODY).reasons, *trouble]
    return Status(
        books,
        work if answer else None,
        asking.Answer(reasons, answer.accounts if answer else {}),
        notes.last_backup(folder),
        ZoneInfo(settings.timezone),
        on_server=bool(settings.server),
    )


@dataclass(frozen=True, slots=True)
class Status:
    """All of it. Without `work` nobody is at work; without `books` the server could not be asked."""

    books: Books | None
    work: notes.AtWork | None
    answer: asking.Answer
    backup: tuple[datetime, str] | None
    zone: ZoneInfo
    on_server: bool = False

    @property
    def healthy(self) -> bool:
        return not self.answer.reasons

    def as_json(self) -> dict[str, Any]:
        """For a program; moments in ISO 8601."""
        work, backup = self.work, self.backup
        return {
            "running": work is not None,
            "healthy": self.healthy,
            "reasons": self.answer.reasons,
            "pid": work.pid if work else None,
            "address": work.address if work else None,
            "since": work.since if work else None,
            "accounts": self.answer.accounts,
            **(_counts(self.books) if self.books else {}),
            "backup": {"at": backup[0].isoformat(), "file": backup[1]} if backup else None,
        }

    def show(self) -> None:
        """For a person, in the terminal."""
        table = Table.grid(padding=(0, 2))
        for head, said in self._lines():
            table.add_row(Text(head, "bold"), said)
        # Nothing is broken at 80 columns where it goes into a file.
        Console(highlight=False, width=None if sys.stdout.isatty() else WIDE).print(table)

    def _lines(self) -> Iterator[tuple[str, Text]]:
        books, work = self.books, self.work
        if work:
            began = datetime.fromisoformat(work.since).astimezone(self.zone)
            yield "小二", Text(f"在当差，{began:%m-%d %H:%M} 开工，进程 {work.pid}，{work.address}", "green")
        for number, reason in enumerate(self.answer.reasons):
            yield "不对劲" if work or number else "小二", Text(reason, "red")
        for name, state in self.answer.accounts.items():
            yield "账号", Text(f"{name} {WORDS.get(state, state)}", "" if state == ONLINE else "red")
        if books:
            yield from _read(books)
        yield "备份", self._backup()

    def _backup(self) -> Text:
        if self.on_server:
            return Text("在服务器上，用 pg_dump")
        if self.backup is None:
            return Text("还没有，用 xiaoer db backup", "yellow")
        at, file = self.backup
        return Text(f"{_span((datetime.now(UTC) - at).total_seconds())}前，{file}")


def _counts(books: Books) -> dict[str, Any]:
    due = books.next
    return {
        "groups": books.groups,
        "groups_open": books.groups_open,
        "members": books.members,
        "outbox": books.outbox,
        "outbox_oldest_seconds": books.waits,
        "occurrences_today": books.today,
        "timers_parked": books.parked,
        "next": {"at": due.at.isoformat(), "what": due.what} if due else None,
    }


def _read(books: Books) -> Iterator[tuple[str, Text]]:
    yield "群", Text(f"{books.groups} 个，开张的 {books.groups_open} 个，成员 {books.members} 人")
    yield "发件箱", _outbox(books)
    yield "今天", _counted(books.today, STATES) or Text("还没有到点的")
    if books.parked:
        yield "搁置", Text(f"{books.parked} 件定时的事，看 xiaoer db audit", "yellow")
    if books.next:
        yield "下一件", Text(_next(books.next, books.now))


def _outbox(books: Books) -> Text:
    said = _counted(books.outbox, OUTBOX) or Text("没有要发的")
    if books.waits is not None:
        said.append(f"；最早的等了 {_span(books.waits)}")
    if books.outbox["unknown"]:
        said.append("；不知道的是哪几条，看 xiaoer outbox list")
    return said


def _next(due: Next, now: datetime) -> str:
    day = "" if due.at.date() == now.date() else f"{due.at:%m-%d} "
    more = "……" if len(due.what) > NAMES else ""
    return f"{day}{due.at:%H:%M} {'、'.join(due.what[:NAMES])}{more}"


def _counted(counts: Mapping[str, int], words: Mapping[str, str]) -> Text:
    """What there is any of; what somebody should look at is yellow."""
    return Text("；").join(
        Text(f"{word} {counts[key]}", "yellow" if key in TROUBLE else "")
        for key, word in words.items()
        if counts.get(key)
    )


def _span(seconds: float) -> str:
    for size, unit in ((86400, "天"), (3600, "小时"), (60, "分钟")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} 秒"
