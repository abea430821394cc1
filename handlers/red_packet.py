"""红包. Members: 抢, 发红包, 撤回红包 (owners: from the treasury). Slots: red_packet. Timers: packet.expire."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from bot.dispatch.effects import REPLY_WITHIN
from bot.dispatch.router import Router
from bot.dispatch.text import plain
from bot.dispatch.turn import Turn
from bot.errors import Refused
from bot.model import Message, Reply, Role, Timer, Values
from bot.sop.schema import Activity, Part, template
from games.red_packet import split

if TYPE_CHECKING:
    from storage.red_packets import Packet

router = Router(
    "red_packet",
    {
        "packet.opened": "{giver}发了一个 {points} 分的红包，共 {shares} 份。回复「抢」来拿。",
        "packet.got": "抢到 {points} 分，还剩 {left} 份。",
        "packet.got.many": "{count} 人抢到红包\n{lines}",
        "packet.got.line": "{points} 分，还剩 {left} 份",
        "packet.last": "抢到 {points} 分，红包抢完了。手气最佳：{best}，{most} 分。",
        "packet.twice": "这个红包你抢过了，得了 {points} 分。",
        "packet.twice.many": "{count} 人已经抢过这个红包\n{lines}",
        "packet.twice.line": "得了 {points} 分",
        "packet.none": "现在没有红包可抢。",
        "packet.none.many": "{names}现在没有红包可抢。",
        "packet.usage": "红包这样发：发红包 总分 份数，比如「发红包 100 10」，都是整数。",
        "packet.no_points": "总分至少 1 分。",
        "packet.no_shares": "份数至少 1 份。",
        "packet.too_many": "每份至少 1 分，份数不能比总分多。",
        "packet.poor_treasury": "国库只有 {balance} 分，不够发这个红包。",
        "packet.poor_purse": "你只有 {balance} 分，不够发这个红包。",
        "packet.expired": "红包到时间了，剩下的 {left} 份共 {points} 分退回{where}。{best}",
        "packet.best": "手气最佳：{best}，{most} 分。",
        "packet.withdrawn": "撤回了 {left} 份，共 {points} 分退回{where}。{best}",
        "packet.nothing": "你没有可以撤回的红包。",
        "packet.treasury": "国库",
        "packet.purse": "{name} 的钱包",
        "packet.your_purse": "你的钱包",
    },
)
_NUMBER = re.compile(r"[+-]?\d+", re.ASCII)


class Posts(Part):
    opening: Annotated[str, template("points", "shares")] = Field(
        description="发的时候说的话，可用 {points} 总积分、{shares} 份数"
    )


class PacketActivity(Activity):
    """A packet from the group's treasury."""

    ends: ClassVar[bool] = True

    kind: Literal["red_packet"] = Field(description="种类：红包")
    points: int = Field(ge=1, le=1_000_000, description="总积分，从群的国库里出")
    shares: int = Field(ge=1, le=1000, description="份数，不能比总积分多，每份至少 1 分")
    posts: Posts = Field(description="要说的话")

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.shares > self.points:
            raise ValueError("每份至少 1 分，shares 不能比 points 大")
        return self


@router.command("发红包", rest=True)
def give(_message: Message, turn: Turn) -> Reply:
    """`发红包 总分 份数`: an owner gives from the treasury, a member from their own purse."""
    numbers = plain(turn.rest).split()
    if len(numbers) != 2 or not all(_NUMBER.fullmatch(number) for number in numbers):
        raise Refused("packet.usage")
    # Nobody holds as many points as have 19 digits.
    points, shares = (int(number[:20]) for number in numbers)
    if points < 1:
        raise Refused("packet.no_points")
    if shares < 1:
        raise Refused("packet.no_shares")
    if shares > points:
        raise Refused("packet.too_many")
    turn.once("packet", points, shares)
    giver = 0 if turn.member.role == Role.OWNER else turn.member.id
    packet = _open(turn, giver, points, shares)
    values: Values = {"giver": turn.member.name + " ", "points": points, "shares": shares}
    return Reply("packet.opened", values, about=f"packet:{packet.id}", send_before=_announced_by(turn))


@router.slot("red_packet", PacketActivity)
def slot(activity: PacketActivity, turn: Turn) -> Reply:
    if turn.occurrence is None:
        turn.once("start", activity.title)
    packet = _open(turn, 0, activity.points, activity.shares)
    turn.run = f"packet:{packet.id}"
    return Reply(
        activity.posts.opening,
        {"points": activity.points, "shares": activity.shares},
        verbatim=True,
        occurrence=turn.occurrence_id,
        about=f"packet:{packet.id}",
        send_before=_announced_by(turn),
    )


@router.command("抢", "抢红包")
def grab(_message: Message, turn: Turn) -> Reply:
    """One share for each member, of the latest packet in this group that they have no share of."""
    packets, store = turn.store.red_packets, turn.store
    mine = 0
    for packet in reversed(packets.open(turn.group.id)):
        had = packets.share_of(packet, turn.member.id)
        mine = mine or had
        share = None if had else packets.take(packet, turn.member.id, turn.now)
        if share is None:
            continue
        number, points = share
        store.ledger.transfer(
            turn.group.id,
            ("escrow", packet.id),
            ("purse", turn.member.id),
            points,
            f"share:{packet.id}:{number}",
            turn.now,
        )
        left, _ = packets.left(packet)
        if left:
            return Reply("packet.got", {"points": points, "left": left}, to=turn.person)
        _end(turn, packet, "done")
        best = packets.best(packet.id)
        assert best is not None
        return Reply("packet.last", {"points": points, "best": best[0], "most": best[2]}, to=turn.person)
    if mine:
        raise Refused("packet.twice", points=mine)
    raise Refused("packet.none")


@router.command("撤回红包")
def withdraw(_message: Message, turn: Turn) -> Reply:
    """Take back what nobody has taken of the giver's latest packet; an owner's is the treasury's."""
    givers = {turn.member.id, 0 if turn.member.role == Role.OWNER else turn.member.id}
    mine = [packet for packet in turn.store.red_packets.open(turn.group.id) if packet.giver in givers]
    if not mine:
        raise Refused("packet.nothing")
    turn.once("withdraw")
    packet = mine[-1]
    left, points = _refund(turn, packet, "withdrawn")
    turn.taken_back("packet", packet.points, packet.shares)
    where = "packet.your_purse" if packet.giver else "packet.treasury"
    values: Values = {
        "left": left,
        "points": points,
        "where": turn.words(where, {}),
        "best": _best(turn, packet),
    }
    return Reply("packet.withdrawn", values, to=turn.person)


@router.timer("packet.expire")
def expire(timer: Timer, turn: Turn) -> Sequence[Reply]:
    """What is left goes back. A packet that nobody was told of is void, and nothing is said."""
    packet = turn.store.red_packets.get(timer.subject)
    if packet is None or packet.state != "open":
        return []
    if not turn.store.outbox.went_out(f"packet:{packet.id}"):
        _refund(turn, packet, "void")
        return []
    left, points = _refund(turn, packet, "expired")
    values: Values = {
        "left": left,
        "points": points,
        "where": _where(turn, packet),
        "best": _best(turn, packet),
    }
    return [Reply("packet.expired", values)]


def _open(turn: Turn, giver: int, points: int, shares: int) -> Packet:
    source = ("purse", giver) if giver else ("treasury", 0)
    balance = turn.store.ledger.balance(turn.group.id, source)
    if balance < points:
        raise Refused("packet.poor_purse" if giver else "packet.poor_treasury", balance=balance)
    name = turn.member.name if giver else ""
    amounts = split(points, shares, turn.chance)
    packet = turn.store.red_packets.add(
        turn.group.id, giver, name, amounts, turn.now, occurrence=turn.occurrence_id
    )
    turn.store.ledger.transfer(
        turn.group.id, source, ("escrow", packet.id), points, f"packet:{packet.id}", turn.now
    )
    turn.timer("packet.expire", packet.id, turn.now + turn.settings.red_packet.expires)
    return packet


def _announced_by(turn: Turn) -> int:
    """When it is too late to tell of a packet: as late as its slot or a reply may be, or when it is over."""
    slot = turn.occurrence
    by = slot.due + slot.late if slot else turn.now + REPLY_WITHIN
    return min(by, turn.now + turn.settings.red_packet.expires)


def _refund(turn: Turn, packet: Packet, state: str) -> tuple[int, int]:
    left, points = turn.store.red_packets.left(packet)
    target = ("purse", packet.giver) if packet.giver else ("treasury", 0)
    if points:
        turn.store.ledger.transfer(
            turn.group.id, ("escrow", packet.id), target, points, f"refund:{packet.id}", turn.now
        )
    _end(turn, packet, state)
    return left, points


def _end(turn: Turn, packet: Packet, state: str) -> None:
    turn.store.red_packets.end(packet, state)
    turn.cancel("packet.expire", packet.id)
    turn.ended(f"packet:{packet.id}", state)


def _best(turn: Turn, packet: Packet) -> str:
    """手气最佳 of a packet that ends early, if anybody had a share."""
    best = turn.store.red_packets.best(packet.id)
    return turn.words("packet.best", {"best": best[0], "most": best[2]}) if best else ""


def _where(turn: Turn, packet: Packet) -> str:
    if not packet.giver:
        return turn.words("packet.treasury", {})
    return " " + turn.words("packet.purse", {"name": packet.giver_name})
