"""What was done already: message ids, and commands that move points."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.at_once import adding, each, given, packed
from storage.db import Db
from storage.query import Query
from storage.tables import marks, orders

_ADD = Query(
    insert(marks)
    .values(
        account=bindparam("account"),
        chat=bindparam("chat"),
        message=bindparam("message"),
        at=bindparam("at"),
        outcome=bindparam("outcome"),
    )
    .on_conflict_do_nothing()
)
_ADD_NEW = adding(marks, "account", "chat", "message", "at", "outcome")
_wanted = given(marks.c.account, marks.c.chat, marks.c.message)
_KNOWN = each(
    _wanted,
    select(marks.c.outcome).where(
        marks.c.account == _wanted.c.account,
        marks.c.chat == _wanted.c.chat,
        marks.c.message == _wanted.c.message,
    ),
)
_HAS = Query(
    select(marks.c.at).where(
        marks.c.account == bindparam("a"), marks.c.chat == bindparam("c"), marks.c.message == bindparam("m")
    )
)
_OUTCOME = Query(
    update(marks)
    .where(
        marks.c.account == bindparam("a"), marks.c.chat == bindparam("c"), marks.c.message == bindparam("m")
    )
    .values(outcome=bindparam("o"))
)
_FORGET = Query(delete(marks).where(marks.c.at < bindparam("before")))
_FORGET_ORDERS = Query(delete(orders).where(orders.c.at < bindparam("before")))
_ORDERED = Query(
    select(orders.c.at).where(orders.c.member_id == bindparam("m"), orders.c.words == bindparam("w"))
)
_UNORDER = Query(delete(orders).where(orders.c.member_id == bindparam("m"), orders.c.words == bindparam("w")))
_ORDER = Query(
    insert(orders)
    .values(member_id=bindparam("member_id"), words=bindparam("words"), at=bindparam("at"))
    .on_conflict_do_update(index_elements=["member_id", "words"], set_={"at": bindparam("at")})
)


Key = tuple[str, ...]  # account, chat and message
# So many messages are remembered, at least of one batch; and so many looked for before they are taken for new.
MANY = 2_000
WARY = 1_000


class Marks:
    """Nearly every message is new. So it is taken for new, and its mark waits for the commit.

    Where it was not, the commit fails, and the writer has the batch done again. So for a while after the
    start, after something was undone, and after one that was found in the database, each is looked for first.
    """

    def __init__(self, db: Db) -> None:
        self._db = db
        self._undone = db.undone
        self._marked: dict[Key, bool] = {}
        self._wary = WARY

    def read_ahead(self, keys: Sequence[Key]) -> None:
        """Find out at once which of these messages were marked before."""
        self._forget(len(keys))
        wanted = [key for key in keys if key not in self._marked]
        if not wanted:
            return
        rows = [dict(zip(("account", "chat", "message"), key, strict=True)) for key in wanted]
        self._marked.update(dict.fromkeys(wanted, False))
        self._marked.update((row[:3], True) for row in self._db.all(_KNOWN, rows=packed(rows)))

    def add(self, account: str, chat: str, message: str, now: int, outcome: str) -> bool:
        """Mark a message as handled; False when it was before."""
        self._forget()
        key = (account, chat, message)
        row = {"account": account, "chat": chat, "message": message, "at": now, "outcome": outcome}
        marked = self._marked.get(key)
        self._marked[key] = True
        if marked is None and (self._wary or self._db.careful):
            marked = not self._db.run(_ADD, **row)
            self._wary = WARY if marked else max(0, self._wary - 1)
        elif not marked:
            self._db.later(_ADD_NEW, row)
        return not marked

    def has(self, account: str, chat: str, message: str) -> bool:
        """Whether a message was handled."""
        self._db.flush()
        return self._db.one(_HAS, a=account, c=chat, m=message) is not None

    def failed(self, account: str, chat: str, message: str) -> None:
        """Say that the handler of a marked message raised."""
        self._db.flush()
        self._db.run(_OUTCOME, a=account, c=chat, m=message, o="failed")

    def forget(self, before: int) -> None:
        """Drop what is older than anything a platform replays."""
        self._db.run(_FORGET, before=before)
        self._db.run(_FORGET_ORDERS, before=before)

    def ordered_at(self, member: int, words: str) -> int:
        """When a member last gave just this command and it was done; 0 for never."""
        return self._db.value(_ORDERED, m=member, w=words)

    def order(self, member: int, words: str, now: int) -> None:
        self._db.run(_ORDER, member_id=member, words=words, at=now)

    def unorder(self, member: int, words: str) -> None:
        """What a member ordered was taken back, so the same again is no repetition."""
        self._db.run(_UNORDER, m=member, w=words)

    def _forget(self, coming: int = 0) -> None:
        """What was undone is not marked, and what is written need not be remembered for ever."""
        if self._undone != self._db.undone:
            self._undone = self._db.undone
            self._wary = WARY
            self._marked.clear()
        elif len(self._marked) + coming > MANY:
            self._marked.clear()
