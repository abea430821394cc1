"""What an operator sees of the outbox, and says about rows that nobody knows the end of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, text, update

from storage.db import Db
from storage.outbox import Row, columns
from storage.query import Query
from storage.tables import groups, occurrences, outbox

_LIST = Query(
    select(
        outbox.c.id,
        outbox.c.account,
        outbox.c.chat,
        groups.c.title,
        outbox.c.kind,
        outbox.c.body,
        outbox.c.state,
        outbox.c.reason,
        outbox.c.at,
        outbox.c.occurrence,
    )
    .outerjoin(groups, (groups.c.account == outbox.c.account) & (groups.c.chat == outbox.c.chat))
    .where(outbox.c.state == bindparam("s"), text("outbox.state <> 'sent'"))  # see storage/tables.py
    .order_by(outbox.c.id.desc())
    .limit(bindparam("most"))
)
_GET = Query(select(outbox.c.state, *columns).where(outbox.c.id == bindparam("row")))
_SETTLE = Query(update(outbox).where(outbox.c.id == bindparam("row")).values(state="sent", reason=""))
_AGAIN = Query(
    update(outbox)
    .where(outbox.c.id == bindparam("row"))
    .values(state="planned", reason="", at=bindparam("now"), send_before=bindparam("before"), noticed=0)
)
_OCCURRENCE = Query(
    update(occurrences)
    .where(occurrences.c.id == bindparam("o"), occurrences.c.state == "unknown")
    .values(state=bindparam("s"), reason="", noticed=0)
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A row as it is listed. `title` is its group's, empty in a private chat; `body` as in `Row`."""

    id: int
    account: str
    chat: str
    title: str
    kind: str
    body: dict[str, Any]
    state: str
    reason: str
    at: int
    occurrence: int


class Settling:
    def __init__(self, db: Db) -> None:
        self._db = db

    def list(self, state: str, most: int) -> list[Listed]:
        """The last rows in a state (any but `sent`), the oldest first."""
        self._db.flush()
        rows = self._db.all(_LIST, s=state, most=most)
        return [
            Listed(key, account, chat, title or "", kind, json.loads(body), *rest)
            for key, account, chat, title, kind, body, *rest in reversed(rows)
        ]

    def settle(self, number: int) -> str:
        """It arrived, and so its occurrence. The answer is the row's state before, or "" for no such row.

        Only an `unknown` one is changed.
        """
        found = self._find(number)
        if found is None or found[0] != "unknown":
            return found[0] if found else ""
        self._db.run(_SETTLE, row=number)
        self._db.run(_OCCURRENCE, o=found[1].occurrence, s="sent")
        return found[0]

    def send_again(self, number: int, now: int, before: int) -> tuple[str, Row | None]:
        """Plan it anew, and so its occurrence; it is stale after `before`. As `settle`, and the row."""
        found = self._find(number)
        if found is None or found[0] != "unknown":
            return (found[0] if found else ""), None
        self._db.run(_AGAIN, row=number, now=now, before=before)
        self._db.run(_OCCURRENCE, o=found[1].occurrence, s="claimed")
        again = self._find(number)
        assert again is not None
        return found[0], again[1]

    def _find(self, number: int) -> tuple[str, Row] | None:
        self._db.flush()
        found = self._db.one(_GET, row=number)
        if found is None:
            return None
        state, key, account, chat, kind, body, *rest = found
        return state, Row(key, account, chat, kind, json.loads(body), *rest)
