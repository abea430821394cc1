"""The same sign-in as fast as it can be written by hand: raw sqlite3, group commit on a thread.

It knows the members by heart, and does nothing else: no router, no roles, no other commands, no
savepoint for a handler that fails.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from benchmarks.by_orm import WORDS
from bot.model import Message
from storage.db import PRAGMAS

BATCH = 256
Unit = tuple[Callable[[sqlite3.Cursor], Any], asyncio.Future[Any]]


class Hand:
    """One thread, one connection, one COMMIT for all that waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: SimpleQueue[Unit | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def run(self, work: Callable[[sqlite3.Cursor], Any]) -> asyncio.Future[Any]:
        done: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put((work, done))
        return done

    async def close(self) -> None:
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}").fetchall()
        last = False
        while not last:
            batch = [self._queue.get()]
            try:
                while len(batch) < BATCH:
                    batch.append(self._queue.get_nowait())
            except Empty:
                pass
            last = None in batch
            cursor.execute("BEGIN IMMEDIATE")
            done = [(unit[1], unit[0](cursor)) for unit in batch if unit]
            cursor.execute("COMMIT")
            self._loop.call_soon_threadsafe(_answer, done)
        connection.close()


async def sign_ins(path: Path, work: Sequence[Message], callers: int) -> None:
    """All of them from so many callers, each waiting for its commit; the replies are sent behind."""
    with sqlite3.connect(path) as connection:
        known = {
            (chat, person): (group, member, name)
            for chat, person, group, member, name in connection.execute(
                "SELECT g.chat, m.person, g.id, m.id, m.name FROM members m JOIN groups g ON g.id = m.group_id"
            )
        }
    connection.close()
    hand, day = Hand(path), datetime.now(UTC).date().toordinal()
    waiting, rows = iter(work), list[int]()
    more = asyncio.Event()

    async def caller() -> None:
        for message in waiting:
            row = await hand.run(partial(sign_in, known=known, message=message, day=day))
            if row is not None:
                rows.append(row)
                more.set()

    async def send() -> None:
        sent = 0
        while sent < len(work):
            await more.wait()
            more.clear()
            ready = [(row,) for row in rows]
            rows.clear()
            for state in ("sending", "sent"):  # between them they would go out
                await hand.run(partial(mark, state=state, rows=ready))
            sent += len(ready)

    await asyncio.gather(send(), *(caller() for _ in range(callers)))
    await hand.close()


def sign_in(
    cursor: sqlite3.Cursor, known: dict[tuple[str, str], tuple[int, int, str]], message: Message, day: int
) -> int | None:
    """Mark, sign-in, both postings, both balances and the reply's row, whose id is the answer."""
    execute = cursor.execute
    execute(
        "INSERT INTO marks VALUES (?, ?, ?, ?, 'sign_in') ON CONFLICT DO NOTHING",
        (message.account, message.chat, message.id, message.at),
    )
    if not cursor.rowcount:
        return None
    group, member, name = known[message.chat, message.sender.id]
    last = execute(
        "SELECT day, streak FROM sign_ins WHERE member_id = ? ORDER BY day DESC LIMIT 1", (member,)
    ).fetchone()
    streak = last[1] + 1 if last and last[0] == day - 1 else 1
    (place,) = execute(
        "INSERT INTO sign_ins (group_id, member_id, day, place, streak, points) VALUES (?, ?, ?,"
        " (SELECT COALESCE(MAX(place), 0) + 1 FROM sign_ins WHERE group_id = ? AND day = ?), ?, 5)"
        " RETURNING place",
        (group, member, day, group, day, streak),
    ).fetchone()
    (house, _), (purse, balance) = execute(
        "INSERT INTO accounts (group_id, kind, subject, balance) VALUES (?, 'house', 0, -5), (?, 'purse', ?, 5)"
        " ON CONFLICT (group_id, kind, subject) DO UPDATE SET balance = balance + excluded.balance"
        " RETURNING id, balance",
        (group, group, member),
    ).fetchall()
    key = f"sign_in:{member}:{day}"
    execute(
        "INSERT INTO postings (key, account_id, amount, at) VALUES (?, ?, -5, ?), (?, ?, 5, ?)",
        (key, house, message.at, key, purse, message.at),
    )
    values = {"place": place, "streak": streak, "points": 5, "balance": balance}
    body = json.dumps({"text": WORDS, "values": values, "to": [message.sender.id, name]}, ensure_ascii=False)
    execute(
        "INSERT INTO outbox (account, chat, kind, body, state, at) VALUES (?, ?, 'say', ?, 'planned', ?)",
        (message.account, message.chat, body, message.at),
    )
    return cursor.lastrowid


def mark(cursor: sqlite3.Cursor, state: str, rows: Sequence[tuple[int]]) -> None:
    cursor.executemany(f"UPDATE outbox SET state = '{state}', reason = '' WHERE id = ?", rows)


def _answer(done: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, result in done:
        future.set_result(result)
