"""Packets and their shares, all of them stored before a packet is announced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.at_once import adding
from storage.db import Db, Query, Row
from storage.tables import members, packets, shares

_columns = (
    packets.c.id,
    packets.c.group_id,
    packets.c.giver,
    packets.c.giver_name,
    packets.c.points,
    packets.c.shares,
    packets.c.state,
    packets.c.at,
)
_ADD = Query(
    insert(packets)
    .values(
        group_id=bindparam("group_id"),
        giver=bindparam("giver"),
        giver_name=bindparam("giver_name"),
        points=bindparam("points"),
        shares=bindparam("shares"),
        state="open",
        at=bindparam("at"),
    )
    .returning(packets.c.id)
)
_ADD_SHARE = adding(shares, "packet_id", "number", "points")
_GET = Query(select(*_columns).where(packets.c.id == bindparam("p")))
_OPEN = Query(
    select(*_columns)
    .where(packets.c.group_id == bindparam("g"), packets.c.state == "open")
    .order_by(packets.c.id)
)
_MINE = Query(
    select(shares.c.points).where(shares.c.packet_id == bindparam("p"), shares.c.member_id == bindparam("m"))
)
_FREE = Query(
    select(shares.c.number, shares.c.points)
    .where(shares.c.packet_id == bindparam("p"), shares.c.member_id.is_(None))
    .order_by(shares.c.number)
    .limit(1)
)
_TAKE = Query(
    update(shares)
    .where(
        shares.c.packet_id == bindparam("p"),
        shares.c.number == bindparam("n"),
        shares.c.member_id.is_(None),
    )
    .values(member_id=bindparam("m"), at=bindparam("now"))
)
_LEFT = Query(
    select(func.count(), func.sum(shares.c.points)).where(
        shares.c.packet_id == bindparam("p"), shares.c.member_id.is_(None)
    )
)
_BEST = Query(
    select(members.c.name, members.c.person, shares.c.points)
    .join(members, members.c.id == shares.c.member_id)
    .where(shares.c.packet_id == bindparam("p"))
    .order_by(shares.c.points.desc(), shares.c.at, shares.c.number)
    .limit(1)
)
_END = Query(update(packets).where(packets.c.id == bindparam("p")).values(state=bindparam("s")))


@dataclass(frozen=True, slots=True)
class Packet:
    """A red packet. `giver` is a member, or 0 for the group's treasury."""

    id: int
    group: int
    giver: int
    giver_name: str
    points: int
    shares: int
    state: str
    at: int


class RedPackets:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(self, group: int, giver: int, giver_name: str, amounts: Sequence[int], now: int) -> Packet:
        """Keep a packet and all its shares, in the order in which they will be given."""
        key = self._db.value(
            _ADD,
            group_id=group,
            giver=giver,
            giver_name=giver_name,
            points=sum(amounts),
            shares=len(amounts),
            at=now,
        )
        self._db.many(
            _ADD_SHARE,
            [{"packet_id": key, "number": n, "points": amount} for n, amount in enumerate(amounts, 1)],
        )
        return Packet(key, group, giver, giver_name, sum(amounts), len(amounts), "open", now)

    def get(self, packet: int) -> Packet | None:
        row = self._db.one(_GET, p=packet)
        return _packet(row) if row else None

    def open(self, group: int) -> list[Packet]:
        """The group's packets that can still be grabbed, the oldest first."""
        return [_packet(row) for row in self._db.all(_OPEN, g=group)]

    def share_of(self, packet: int, member: int) -> int:
        """What a member got of a packet; 0 for nothing yet."""
        return self._db.value(_MINE, p=packet, m=member)

    def take(self, packet: int, member: int, now: int) -> tuple[int, int] | None:
        """Give a member the next share: its number and points. None when all are gone."""
        row = self._db.one(_FREE, p=packet)
        if row is None or not self._db.run(_TAKE, p=packet, n=row[0], m=member, now=now):
            return None
        return row[0], row[1]

    def left(self, packet: int) -> tuple[int, int]:
        """How many shares nobody has taken, and the points in them."""
        row = self._db.one(_LEFT, p=packet)
        return (row[0], row[1] or 0) if row else (0, 0)

    def best(self, packet: int) -> tuple[str, str, int] | None:
        """手气最佳: name, person and points; the earlier of two equal ones."""
        row = self._db.one(_BEST, p=packet)
        return (row[0], row[1], row[2]) if row else None

    def end(self, packet: int, state: str) -> None:
        self._db.run(_END, p=packet, s=state)


def _packet(row: Row) -> Packet:
    return Packet(*row)
