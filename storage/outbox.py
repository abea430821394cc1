"""Messages and effects to carry out, one row each, written in the transaction that wanted them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic_core import to_json
from sqlalchemy import bindparam, case, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from bot.model import MINUTE
from storage.at_once import adding, setting
from storage.db import Db
from storage.query import Query
from storage.tables import members, occurrences, outbox, paces

# Members can have seen it. (An IN would be expanded at each call; see storage/query.py.)
SEEN = ("sent", "unknown", "sending")

_ADD = adding(
    outbox,
    "id",
    "account",
    "chat",
    "kind",
    "body",
    "at",
    "send_before",
    "occurrence",
    "about",
    "state",
)
_LAST = Query(select(func.coalesce(func.max(outbox.c.id), 0)))
columns = (
    outbox.c.id,
    outbox.c.account,
    outbox.c.chat,
    outbox.c.kind,
    outbox.c.body,
    outbox.c.at,
    outbox.c.send_before,
    outbox.c.occurrence,
    outbox.c.about,
)
_IN_STATE = Query(
    select(*columns)
    .where(outbox.c.state == bindparam("s"), text("state <> 'sent'"))  # see storage/tables.py
    .order_by(outbox.c.id)
)
_STATE = setting(outbox.c.id, "row", s=outbox.c.state, why=outbox.c.reason)
_WENT_OUT = Query(
    select(outbox.c.id)
    .where(
        outbox.c.about == bindparam("what"),
        text("about <> ''"),
        or_(*(outbox.c.state == seen for seen in SEEN)),
    )
    .limit(1)
)
# What goes to many groups takes its time: that it is late is told to nobody before half of that is over.
_SENT_OCCURRENCE = Query(
    update(occurrences)
    .where(occurrences.c.id == bindparam("o"), occurrences.c.state == "claimed")
    .values(
        state=case((bindparam("now") - occurrences.c.due > MINUTE, "late"), else_="sent"),
        sent_at=bindparam("now"),
        noticed=case((2 * (bindparam("now") - occurrences.c.due) > occurrences.c.late, 0), else_=1),
        members=select(func.count())
        .where(members.c.group_id == occurrences.c.group_id, members.c.status != "left")
        .scalar_subquery(),
    )
)
# One of its messages went out, and another did not: then it is told as the one that did not.
_OCCURRENCE = Query(
    update(occurrences)
    .where(
        occurrences.c.id == bindparam("o"),
        or_(*(occurrences.c.state == state for state in ("claimed", "sent", "late"))),
    )
    .values(state=bindparam("s"), reason=bindparam("why"), noticed=0)
)
_PACES = Query(select(paces.c.account, paces.c.kept))
_KEEP_PACE = Query(
    insert(paces)
    .values(account=bindparam("account"), kept=bindparam("kept"))
    .on_conflict_do_update(index_elements=["account"], set_={"kept": bindparam("kept")})
)


class Row(NamedTuple):
    """A row of the outbox. `body` is what `say` or `accept` needs, as it was kept in JSON."""

    id: int
    account: str
    chat: str
    kind: str
    body: dict[str, Any]
    at: int
    send_before: int
    occurrence: int
    about: str = ""

    @property
    def post(self) -> bool:
        """Whether a timer or a slot wants it said, and nobody waits for an answer."""
        return "post" in self.body

    @property
    def repeatable(self) -> bool:
        """Whether it may be done twice without harm: an effect, not something that is said."""
        return self.kind != "say"

    def late(self, now: int) -> bool:
        """Whether its moment has passed."""
        return 0 < self.send_before < now


class Outbox:
    """Its rows are numbered here, so that writing them can wait for the commit."""

    def __init__(self, db: Db) -> None:
        self._db = db
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
        self._last = number = (self._last or self._db.value(_LAST)) + 1
        row = {
            "id": number,
            "account": account,
            "chat": chat,
            "kind": kind,
            "body": to_json(body).decode(),
            "at": now,
            "send_before": send_before,
            "occurrence": occurrence,
            "about": about,
            "state": "planned",
        }
        self._db.later(_ADD, row)
        return Row(number, account, chat, kind, body, now, send_before, occurrence, about)

    def in_state(self, state: str) -> list[Row]:
        self._db.flush()
        return [
            Row(key, account, chat, kind, json.loads(body), *rest)
            for key, account, chat, kind, body, *rest in self._db.all(_IN_STATE, s=state)
        ]

    def planned(self, rows: Sequence[Row]) -> None:
        """They certainly did not leave, or can be repeated, and will be tried again."""
        self._now(rows, "planned")

    def sending(self, rows: Sequence[Row]) -> None:
        self._now(rows, "sending")

    def sent(self, rows: Sequence[Row], now: int) -> None:
        self._now(rows, "sent")
        for row in rows:
            if row.occurrence:
                self._db.run(_SENT_OCCURRENCE, o=row.occurrence, now=now)

    def ended(self, row: Row, state: str, why: str) -> None:
        """It did not go out as planned: `failed`, `stale` or `unknown`, and so its occurrence."""
        self._db.later(_STATE, {"row": row.id, "s": state, "why": why})
        if row.occurrence:
            outcome = {"stale": "missed"}.get(state, state)
            told = f"第 {row.body['step']} 条：{why}" if "step" in row.body else why
            self._db.run(_OCCURRENCE, o=row.occurrence, s=outcome, why=told)

    def went_out(self, about: str) -> bool:
        """Whether members can have seen a message about this."""
        self._db.flush()
        return self._db.one(_WENT_OUT, what=about) is not None

    def keep_pace(self, account: str, kept: str) -> None:
        """What an account sent last, for its pacer at the next start."""
        self._db.run(_KEEP_PACE, account=account, kept=kept)

    def paces(self) -> dict[str, str]:
        """What was kept last, by account."""
        return dict(self._db.all(_PACES))

    def _now(self, rows: Sequence[Row], state: str) -> None:
        self._db.later(_STATE, *({"row": row.id, "s": state, "why": ""} for row in rows))
