"""What was done already: message ids, and commands that move points."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.db import Db, Query
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
_UNORDER = Query(delete(orders).where(orders.c.member_id == bindparam("m")))
_ORDER = Query(
    insert(orders)
    .values(member_id=bindparam("member_id"), words=bindparam("words"), at=bindparam("at"))
    .on_conflict_do_update(index_elements=["member_id", "words"], set_={"at": bindparam("at")})
)


class Marks:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(self, account: str, chat: str, message: str, now: int, outcome: str) -> bool:
        """Mark a message as handled; False when it was before."""
        return self._db.run(_ADD, account=account, chat=chat, message=message, at=now, outcome=outcome) == 1

    def failed(self, account: str, chat: str, message: str) -> None:
        """Say that the handler of a marked message raised."""
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

    def unorder(self, member: int) -> None:
        """What a member ordered was taken back, so the same again is no repetition."""
        self._db.run(_UNORDER, m=member)
