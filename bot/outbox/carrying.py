"""From rows to the platform: what is said, in how many parts, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from bot.errors import NotSent, Unsupported, Unsure
from bot.model import LONGEST, Accept, Announce, Card, Outgoing, Person, Say, fill
from bot.outbox.book import Book
from bot.outbox.merging import Merging
from bot.outbox.splitting import split
from bot.ports import Adapter

if TYPE_CHECKING:
    from storage.outbox import Row
    from storage.store import Store

TOLD = {"failed": "the platform cannot do this", "unknown": "unknown whether this was sent"}
# How often what can be repeated is tried when nobody knows whether it was done.
TRIES = 3

# How a part goes: to which adapter, what, and after how many parts of the same message.
Carry = Callable[[Adapter, Outgoing, int], Awaitable[None]]

log = structlog.get_logger()


class Carrier:
    """`files` is the folder that pictures and files are in, `drawn` that of pictures which 小二 drew."""

    def __init__(
        self, book: Book, adapters: Mapping[str, Adapter], files: Path, merging: Merging, drawn: Path
    ) -> None:
        self._book = book
        self._adapters = adapters
        self._files = files
        self._drawn = drawn
        self._merging = merging
        # By row, of what can be repeated: how often it may have been done.
        self._perhaps = Counter[int]()
        # For /metrics: what became of the rows that this process ended, by their state.
        self.count = Counter(sent=0, failed=0, stale=0, unknown=0)

    def longest(self, account: str) -> int:
        """How many characters a message of an account may have."""
        adapter = self._adapters.get(account)
        return adapter.longest if adapter else LONGEST

    async def carry_out(self, account: str, rows: Sequence[Row], carry: Carry | None = None) -> bool:
        """Whether the adapter took a message, all of it; what else became of its rows is kept.

        Raises NotSent, also where it may have been done and can be repeated. Without `carry` all parts
        go at once.
        """
        adapter = self._adapters.get(account)
        if adapter is None:
            await self.ended(rows, "failed", f"没有账号 {account}")
            return False
        out = 0
        try:
            for part in self._parts(adapter, rows):
                await (carry(adapter, part, out) if carry else adapter.send(part))
                out += 1
        except NotSent as error:
            if not out:
                raise
            state, why = "unknown", f"前 {out} 段发出去了，后面的没有：{error}"
        except Unsupported as error:
            state, why = "unknown" if out else "failed", str(error)
        except Exception as error:  # whatever it was, it may have left
            why = str(error) if isinstance(error, Unsure) else f"发送时出了错：{error!r}"[:200]
            if rows[0].repeatable and self.perhaps(rows[0]) < TRIES:
                raise NotSent(why) from error
            state = "unknown"
        else:
            self._perhaps.pop(rows[0].id, None)
            return True
        await self.ended(rows, state, why)
        log.warning(TOLD[state], row=rows[0].id, account=account, chat=rows[0].chat, why=why)
        return False

    async def ended(self, rows: Sequence[Row], state: str, why: str) -> None:
        """Rows did not go out as planned: `failed`, `stale` or `unknown`.

        What may have been done before its moment passed is unknown.
        """
        states = ["unknown" if self._perhaps.pop(row.id, 0) and state == "stale" else state for row in rows]

        def note(store: Store) -> None:
            for row, became in zip(rows, states, strict=True):
                store.outbox.ended(row, became, why)

        await self._book.keep(note)
        self.count.update(states)

    def perhaps(self, row: Row) -> int:
        """Note that what can be repeated may have been done: how often by now."""
        self._perhaps[row.id] += 1
        return self._perhaps[row.id]

    def _parts(self, adapter: Adapter, rows: Sequence[Row]) -> Sequence[Outgoing]:
        """What goes to the platform for these rows, one after the other."""
        message = self._outgoing(rows[0]) if len(rows) == 1 else self._merging.merge(rows)
        return split(message, adapter.longest) if isinstance(message, Say) else (message,)

    def _outgoing(self, row: Row) -> Outgoing:
        if row.kind == "accept":
            return Accept(row.body["invitation"])
        body = row.body
        if row.kind == "announce":
            return Announce(body["text"], row.chat)
        picture, file = body.get("picture"), body.get("file")
        pictures = self._drawn if "drawn" in body else self._files
        return Say(
            row.chat,
            fill(body["text"], body["values"]),
            private=bool(body.get("private")),
            mentions=(Person(*body["to"]),) if "to" in body else (),
            picture=pictures / picture if picture else None,
            file=self._files / file if file else None,
            card=Card(**body["card"]) if "card" in body else None,
        )


def preview(row: Row) -> str:
    """The beginning of a message, for the log."""
    return fill(row.body.get("text", row.kind), row.body.get("values", {}))[:40]
