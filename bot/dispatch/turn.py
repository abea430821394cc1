"""What a handler is given: the state it may read and write, and what it may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.dispatch import hooks, posts
from bot.dispatch.counts import KEPT
from bot.dispatch.frame import Frame
from bot.dispatch.lanes import Change, Lane
from bot.dispatch.remarks import Remark
from bot.errors import Refused
from bot.model import MINUTE, NOTHING, SECOND, Group, Member, Occurrence, Person, Result, Role, Values, fill
from bot.wall import moment_of

if TYPE_CHECKING:
    from bot.model import Reply
    from bot.sop.library import Library
    from bot.sop.posts import Post
    from storage.occurrences import Claimed
    from storage.store import Store

TWICE = 5 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Turn:
    """One event in one group, inside the transaction on the writer's thread.

    `member` is who spoke, `rest` the words behind a command, `now` the event's stamp. `occurrence`
    is set when the calendar starts something.
    """

    def __init__(self, frame: Frame, store: Store, lane: Lane, now: int) -> None:
        self.store = store
        self.library = frame.library
        self.settings = frame.settings
        self.now = now
        self.rest = ""
        self.occurrence: Claimed | None = None
        self.run = ""
        self.changes: list[Change] = []
        self.remarks: list[Remark] = []
        self.replan = False
        self._frame = frame
        self._lane = lane
        self._member: Member | None = None

    @cached_property
    def chance(self) -> Random:
        """What is left to chance in this turn."""
        seed = self._frame.seed
        return Random(f"{seed} {self.group.chat} {self.now}") if seed else self._frame.chance

    # Who. ---------------------------------------------------------------------------------------

    @property
    def group(self) -> Group:
        return self._lane.group

    @property
    def member(self) -> Member:
        """Who spoke. There is nobody in a timer's or a slot's turn."""
        assert self._member is not None
        return self._member

    @property
    def person(self) -> Person:
        """Who spoke, as a reply names them."""
        return self.named(self.member)

    @property
    def members(self) -> list[Member]:
        return list(self._lane.members.values())

    def named(self, member: Member) -> Person:
        """Somebody, as a reply names them."""
        return Person(member.person, member.name)

    def find(self, person: str) -> Member | None:
        """Somebody in this group by the platform's id."""
        return self._lane.members.get(person)

    def speaks(self, person: str) -> None:
        self._member = self._lane.members[person]

    # What changes in the group. --------------------------------------------------------------------

    def set_group(self, **fields: Any) -> None:  # noqa: ANN401
        """Change what an owner can set; see bot.model.Group for the fields."""
        group = replace(self.group, **fields)
        self.store.groups.save(group)
        self._change(lambda lane: setattr(lane, "group", group))
        self.replan = True

    def set_tags(self, tags: list[str]) -> None:
        self.store.groups.set_tags(self.group.id, tags, self.now)
        self.replan = True

    def enter(self, person: str, name: str, role: Role) -> Member:
        """Somebody is in the group from now on."""
        member = self.store.groups.enter(self.group, person, name, role, self.now)
        self.replan |= self.library.newcomers and self.group.opened_at > 0
        self.know(member)
        return member

    def know(self, member: Member) -> None:
        """Somebody stands in the group like this from now on."""
        self._change(lambda lane: lane.members.__setitem__(member.person, member))

    def know_role(self, member: Member, *, admitted: bool = False) -> None:
        """Somebody was admitted, or the group has another owner."""
        role = max(member.role, Role.MEMBER) if admitted else min(member.role, Role.MEMBER)
        self.know(replace(member, role=Role.OWNER if member.person == self.group.owner else role))

    def rename(self, member: Member, name: str) -> None:
        self.store.groups.rename(member.id, name)
        self.know(replace(member, name=name))

    def leave(self, member: Member) -> None:
        self.store.groups.leave(member.id)
        self.replan |= self.library.newcomers and self.group.opened_at > 0
        self._change(lambda lane: lane.members.pop(member.person, None))

    def mint(self, member: Member, points: int, key: str) -> int:
        """Give a member new points from the house, once for each key; the answer is the new balance."""
        purse = ("purse", member.id)
        return self.store.ledger.transfer(self.group.id, ("house", 0), purse, points, key, self.now)

    def once(self, *order: str | int) -> None:
        """For what moves points: the same order by the same member within 5 seconds is refused."""
        words = " ".join(map(str, order))
        before = self.store.marks.ordered_at(self.member.id, words)
        if before and self.now - before < TWICE:
            raise Refused("gate.again")
        self.store.marks.order(self.member.id, words, self.now)

    def taken_back(self, *order: str | int) -> None:
        """What the member ordered is undone, so the same again is no repetition."""
        self.store.marks.unorder(self.member.id, " ".join(map(str, order)))

    # What it listens for, and when it wants to be called. --------------------------------------------

    def listen(self, topic: str, value: str = "") -> None:
        """Route ordinary text that matches to this topic's listener."""
        self.store.listening.set(self.group.id, topic, value)
        self._change(lambda lane: lane.listening.__setitem__(topic, value))

    def unlisten(self, topic: str) -> None:
        self.store.listening.drop(self.group.id, topic)
        self._change(lambda lane: lane.listening.pop(topic, None))

    def timer(self, kind: str, subject: int, due: int) -> None:
        """Ask for a moment; one of the same kind and subject is moved."""
        self.store.timers.set(self.group.id, kind, subject, due)
        self.timers_changed()

    def cancel(self, kind: str, subject: int) -> None:
        self.store.timers.drop(self.group.id, kind, subject)
        self.timers_changed()

    def timers_changed(self) -> None:
        """Read again when the group's next timer is due."""
        due = self.store.timers.next_of(self.group.id)
        self._change(lambda lane: setattr(lane, "next_due", due))

    def is_command(self, text: str) -> bool:
        """Whether a text in plain form is a command of ours."""
        return text in self._frame.routes.commands or self._frame.routes.with_rest(text) is not None

    # The calendar. ---------------------------------------------------------------------------------

    def start(self, activity: Any) -> Result:  # noqa: ANN401
        """Start an activity of the library with the handler of its kind. One that ends sets `run` to its name,
        such as `quiz:3`, and says `ended` when it does.
        """
        _, handler = self._frame.routes.slots[activity.kind]
        result = self._frame.parking.run(handler, activity, self)
        hooks.begin(self, activity)
        return result

    def ended(self, run: str, state: str) -> None:
        """An activity is over; `void` when nobody ever saw it."""
        hooks.ended(self, run, state)

    @property
    def occurrence_id(self) -> int:
        """The occurrence that this turn carries out; 0 when the owner started it by hand."""
        return self.occurrence.id if self.occurrence else 0

    def plan(self, start: int, end: int) -> list[Occurrence]:
        """What this group's calendar holds after `start`, up to `end`."""
        return self._frame.planner(self.store, self.group.id, start, end)

    def rate(self, span: int = KEPT) -> list[int]:
        """How much is written in this group: messages in each 30 s of a span up to now; see Counts.rate."""
        return self._frame.counts.rate(self.group.id, self.now, span)

    def skip_slot(self, one: Occurrence) -> bool:
        """Leave out one occurrence of this group's plan; False when its moment has come already."""
        if one.due <= self.now:
            return False
        self.store.moves.set(self.group.id, one.slot, one.local, "", self.now)
        self.replan = True
        return True

    def move_slot(self, one: Occurrence, at: time) -> int:
        """Have one occurrence due at another time of its day, and return that moment; 0 when either is past.

        It stays the same occurrence. Its own time puts it back where the calendar has it, also after a skip.
        """
        local = f"{one.local[:10]}T{at:%H:%M}"
        due = self.moment(local)
        if min(one.due, due) <= self.now:
            return 0
        if local == one.local:
            self.store.moves.drop(self.group.id, one.slot, one.local)
        else:
            self.store.moves.set(self.group.id, one.slot, one.local, local, self.now)
        self.replan = True
        return due

    def words(self, text: str, values: Values) -> str:
        """A member text with its values in it."""
        return fill(self.library.text(text), values)

    def post(
        self,
        what: str | Post,
        more: Values = NOTHING,
        *,
        called: str = "",
        alone: Person | None = None,
        last: int = 0,
    ) -> Sequence[Reply]:
        """What a post (also by its id) or a text says now; what follows comes by itself: bot/dispatch/posts.py."""
        return posts.begin(self, what, more, called=called, alone=alone, last=last)

    def remark(self, words: str, **facts: object) -> None:
        """Something for the operator: a line in the log, once this is committed."""
        self.remarks.append(Remark(words, {"group": self.group.id, **facts}))

    # Time. -----------------------------------------------------------------------------------------

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.group.timezone or self.settings.timezone)

    def local(self, moment: int) -> datetime:
        """A moment on the group's clocks."""
        return (EPOCH + timedelta(microseconds=moment)).astimezone(self.zone)

    def moment(self, local: str, days: int = 0) -> int:
        """When the group's clocks show a local time such as `2026-11-24T20:00`, or so many days from then."""
        return moment_of(datetime.fromisoformat(local) + timedelta(days), self.zone)

    def day(self) -> date:
        """Which day it is in the group, days beginning when its settings say."""
        return _day(self.zone, self.now // MINUTE, self.settings.sign_in.day_starts)

    def midnight(self, days: int = 0) -> int:
        """When the group's calendar day began, or the one so many days from it begins."""
        day = self.local(self.now).date() + timedelta(days=days)
        start = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        return int(start.timestamp()) * SECOND

    def _change(self, change: Change) -> None:
        change(self._lane)
        self.changes.append(change)


@lru_cache
def _day(zone: ZoneInfo, minute: int, starts: time) -> date:
    """Offsets and days change at whole minutes, and thousands ask within one."""
    now = (EPOCH + timedelta(minutes=minute)).astimezone(zone)
    return now.date() - timedelta(days=now.time() < starts)


@dataclass(frozen=True, slots=True)
class PrivateTurn:
    """What a handler is given outside of any group."""

    store: Store
    library: Library
    now: int
