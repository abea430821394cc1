"""Packets and their shares, all of them stored before a packet is announced."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.at_once import adding
from storage.db import Db
from storage.query import Query, Row
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
        occurrence=bindparam("occurrence"),
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
_SHARES = Query(
    select(shares.c.number, shares.c.points, shares.c.member_id)
    .where(shares.c.packet_id == bindparam("p"))
    .order_by(shares.c.number)
)
_TAKE = Query(
    update(shares)
    .where(shares.c.packet_id == bindparam("p"), shares.c.number == bindparam("n"))
    .values(member_id=bindparam("m"), at=bindparam("now"))
)
_BEST = Query(
    select(members.c.name, members.c.person, shares.c.points)
    .join(members, members.c.id == shares.c.member_id)
    .where(shares.c.packet_id == bindparam("p"))
    .order_by(shares.c.points.desc(), shares.c.at, shares.c.number)
    .limit(1)
)
_END = Query(update(packets).where(packets.c.id == bindparam("p")).values(state=bindparam("s")))
MANY = 10_000


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


@dataclass(slots=True)
class _Race:
    """An open packet: shares that nobody has, number and points, their sum, and what each member got."""

    packet: Packet
    free: deque[tuple[int, int]]
    points: int = 0
    got: dict[int, int] = field(default_factory=dict)


class RedPackets:
    """Packets that are open are kept in memory as well: hundreds grab at the same moment."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._races: dict[int, dict[int, _Race]] = {}  # by group and packet, as long as nothing is undone
        self._undone = db.undone

    def add(
        self,
        group: int,
        giver: int,
        giver_name: str,
        amounts: Sequence[int],
        now: int,
        *,
        occurrence: int = 0,
    ) -> Packet:
        """Keep a packet and all its shares, in the order in which they will be given.

        `occurrence` is that of the calendar which gives it.
        """
        races = self._of(group)
        key = self._db.value(
            _ADD,
            group_id=group,
            giver=giver,
            giver_name=giver_name,
            points=sum(amounts),
            shares=len(amounts),
            at=now,
            occurrence=occurrence,
        )
        numbered = list(enumerate(amounts, 1))
        self._db.many(
            _ADD_SHARE, [{"packet_id": key, "number": n, "points": amount} for n, amount in numbered]
        )
        packet = Packet(key, group, giver, giver_name, sum(amounts), len(amounts), "open", now)
        races[key] = _Race(packet, deque(numbered), packet.points)
        return packet

    def get(self, packet: int) -> Packet | None:
        row = self._db.one(_GET, p=packet)
        return _packet(row) if row else None

    def open(self, group: int) -> list[Packet]:
        """The group's packets that can still be grabbed, the oldest first."""
        return [race.packet for race in self._of(group).values()]

    def share_of(self, packet: Packet, member: int) -> int:
        """What a member got of an open packet; 0 for nothing yet."""
        return self._of(packet.group)[packet.id].got.get(member, 0)

    def take(self, packet: Packet, member: int, now: int) -> tuple[int, int] | None:
        """Give a member the next share of an open packet: its number and points. None when all are gone."""
        race = self._of(packet.group)[packet.id]
        if not race.free:
            return None
        number, points = race.free.popleft()
        race.points -= points
        race.got[member] = points
        self._db.later(_TAKE, {"p": packet.id, "n": number, "m": member, "now": now})
        return number, points

    def left(self, packet: Packet) -> tuple[int, int]:
        """How many shares of an open packet nobody has taken, and the points in them."""
        race = self._of(packet.group)[packet.id]
        return len(race.free), race.points

    def best(self, packet: int) -> tuple[str, str, int] | None:
        """手气最佳: name, person and points; the earlier of two equal ones."""
        self._db.flush()
        row = self._db.one(_BEST, p=packet)
        return (row[0], row[1], row[2]) if row else None

    def end(self, packet: Packet, state: str) -> None:
        self._db.run(_END, p=packet.id, s=state)
        self._of(packet.group).pop(packet.id, None)

    def _of(self, group: int) -> dict[int, _Race]:
        """The open packets of a group, the oldest first."""
        if self._undone != self._db.undone or len(self._races) > MANY:
            self._db.flush()
            self._undone = self._db.undone
            self._races.clear()
        races = self._races.get(group)
        if races is None:
            packets = map(_packet, self._db.all(_OPEN, g=group))
            races = self._races[group] = {packet.id: self._race(packet) for packet in packets}
        return races

    def _race(self, packet: Packet) -> _Race:
        race = _Race(packet, deque())
        for number, points, member in self._db.all(_SHARES, p=packet.id):
            if member is None:
                race.free.append((number, points))
                race.points += points
            else:
                race.got[member] = points
        return race


def _packet(row: Row) -> Packet:
    return Packet(*row)
