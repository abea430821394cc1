"""What a rehearsal came to, from the database that it leaves behind and from what could be read in its groups.

No figure here comes from the machine's clock.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.clock import as_datetime
from bot.model import DAY, fill
from bot.rehearsal.people import Group
from bot.rehearsal.world import BOT, Line
from bot.tally import Histogram

if TYPE_CHECKING:
    from storage.outbox import Row
    from storage.store import Store

# Whether something was sent late, or may have been sent, hangs on the pace and on where a process ended:
# what is compared between two rehearsals is that it was sent.
SENT = ("sent", "late", "unknown")


@dataclass(frozen=True, slots=True)
class Came:
    """What one group came to: `took_part` is how many people signed in, answered or had a share of a packet,
    `said` how many lines members wrote, and `points_in` what went into their purses.
    """

    title: str
    tags: tuple[str, ...]
    members: int
    activities: int
    posts: int
    took_part: int
    said: int
    sent: int
    points_in: int
    points_out: int


@dataclass(frozen=True, slots=True)
class Played:
    """A quiz that was played: how often, and by how many people on average."""

    title: str
    times: int
    players: float


@dataclass(frozen=True, slots=True)
class Waited:
    """How long messages waited for their pace, in seconds: half of them and 95 of 100 at most so long.

    None is longer than 10 minutes.
    """

    messages: int
    mean: float
    half: float | None
    most: float | None

    @classmethod
    def of(cls, waited: Histogram) -> Waited:
        many = sum(waited.counts)
        return cls(
            many,
            round(waited.sum / many, 2) if many else 0.0,
            _bound(waited, many, 50),
            _bound(waited, many, 95),
        )


@dataclass(frozen=True, slots=True)
class Books:
    """What the database says. The first three go by a group's title, and are the same after any crashes."""

    balances: Mapping[str, Mapping[str, Any]]
    occurrences: Mapping[str, Mapping[str, str]]
    replies: Mapping[str, Mapping[str, Any]]
    groups: Sequence[Came]
    quizzes: Sequence[Played]
    outcomes: Mapping[str, int]
    messages: Mapping[str, int]


def read(store: Store, groups: Sequence[Group], lines: Sequence[Line], until: int) -> Books:
    """Read the books of these groups, whose calendars ran until a moment."""
    kept = {(group.account, group.chat): group for group in store.groups.all()}
    rows = store.reckoning.rows()
    said = Counter((line.key, line.who == BOT) for line in lines)
    balances, slots, replies, came = {}, {}, {}, []
    quizzes: dict[str, list[int]] = {}
    outcomes: Counter[str] = Counter()
    for group in groups:
        number = kept[group.key].id
        purses = store.reckoning.purses(number)
        held = store.reckoning.held(number)
        balances[group.title] = {
            "house": held.get("house", 0),
            "treasury": held.get("treasury", 0),
            "packets": held.get("escrow", 0),
            "members": dict(purses),
        }
        claimed = store.occurrences.between(number, 0, until + DAY)
        slots[group.title] = {f"{one.slot} {one.local}": _outcome(one.state, one.reason) for one in claimed}
        outcomes.update(one.state for one in claimed)
        replies[group.title] = _digest([row for row in rows if (row.account, row.chat) == group.key])
        done = Counter(one.what.partition(":")[0] for one in claimed if one.state in SENT)
        points_in, points_out = store.reckoning.moved(number)
        came.append(
            Came(
                group.title,
                group.tags,
                len(store.groups.members(kept[group.key])),
                done["do"],
                done["post"],
                store.reckoning.took_part(number),
                said[group.key, False],
                said[group.key, True],
                points_in,
                points_out,
            )
        )
        for definition, players in store.reckoning.players(number):
            quizzes.setdefault(json.loads(definition)["title"], []).append(players)
    played = [
        Played(title, len(each), round(sum(each) / len(each), 1)) for title, each in sorted(quizzes.items())
    ]
    messages = store.reckoning.states()
    return Books(balances, slots, replies, came, played, dict(sorted(outcomes.items())), messages)


def transcript(lines: Sequence[Line], group: Group, zone: ZoneInfo) -> list[dict[str, str]]:
    """What could be read in a group, line by line."""
    return [
        {
            "at": as_datetime(line.at).astimezone(zone).isoformat(timespec="milliseconds"),
            "from": line.who,
            "text": line.text,
        }
        for line in lines
        if line.key == group.key
    ]


def plain(books: Books) -> dict[str, Any]:
    """The books as JSON has them, what is to be compared first."""
    return asdict(books)


def _outcome(state: str, reason: str) -> str:
    if state in SENT:
        return "sent"
    return f"{state}: {reason}" if reason else state


def _digest(rows: Sequence[Row]) -> dict[str, Any]:
    """How many rows there are, and what stands for all that they say, in whichever order."""
    said = [
        [row.kind, fill(row.body.get("text", ""), row.body.get("values", {})), row.body.get("to")]
        for row in rows
    ]
    text = json.dumps(sorted(said, key=repr), ensure_ascii=True, separators=(",", ":"))
    return {"rows": len(rows), "digest": hashlib.sha256(text.encode()).hexdigest()[:16]}


def _bound(waited: Histogram, many: int, percent: int) -> float | None:
    """The end of the bucket below which so many of 100 are."""
    for bound, below in zip(waited.bounds, accumulate(waited.counts), strict=False):
        if below * 100 >= many * percent:
            return bound
    return None
