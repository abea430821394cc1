"""What the calendar did: one row for each slot, group and local date and time, claimed before it acts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, case, select, update
from sqlalchemy.dialects.postgresql import insert

from bot.model import Occurrence
from storage.db import Db
from storage.query import Query
from storage.tables import horizon, occurrences, slots

_CLAIM = Query(
    insert(occurrences)
    .values(
        slot=bindparam("slot"),
        group_id=bindparam("group_id"),
        local=bindparam("local"),
        due=bindparam("due"),
        late=bindparam("late"),
        what=bindparam("what"),
        state="claimed",
    )
    .on_conflict_do_nothing()
    .returning(occurrences.c.id)
)
_columns = (
    occurrences.c.id,
    occurrences.c.slot,
    occurrences.c.group_id,
    occurrences.c.local,
    occurrences.c.due,
    occurrences.c.late,
    occurrences.c.what,
    occurrences.c.state,
    occurrences.c.reason,
)
_GET = Query(select(*_columns).where(occurrences.c.id == bindparam("o")))
_BETWEEN = Query(
    select(*_columns)
    .where(
        occurrences.c.group_id == bindparam("g"),
        occurrences.c.due >= bindparam("start"),
        occurrences.c.due < bindparam("stop"),
    )
    .order_by(occurrences.c.due, occurrences.c.id)
)
_END = Query(
    update(occurrences)
    .where(occurrences.c.id == bindparam("o"))
    .values(state=bindparam("s"), reason=bindparam("why"))
)
_HOOKED = Query(
    update(occurrences).where(occurrences.c.id == bindparam("o")).values(hooked_at=bindparam("now"))
)
_SLOTS = Query(select(slots.c.slot, slots.c.since))
_ADD_SLOT = Query(
    insert(slots)
    .values(slot=bindparam("slot"), since=bindparam("since"))
    .on_conflict_do_update(
        index_elements=["slot"],
        set_={"since": case((slots.c.since > bindparam("since"), bindparam("since")), else_=slots.c.since)},
    )
)
_RENEW = Query(
    insert(slots)
    .values(slot=bindparam("slot"), since=bindparam("since"))
    .on_conflict_do_update(index_elements=["slot"], set_={"since": bindparam("since")})
)
_HORIZON = Query(select(horizon.c.planned_until).where(horizon.c.id == 1))
_SET_HORIZON = Query(
    insert(horizon)
    .values(id=1, planned_until=bindparam("until"))
    .on_conflict_do_update(index_elements=["id"], set_={"planned_until": bindparam("until")})
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An occurrence with its row and its outcome so far. `what` is `do:<activity>` or `post:<post>`."""

    id: int
    slot: str
    group: int
    local: str
    due: int
    late: int
    what: str
    state: str
    reason: str


class Occurrences:
    def __init__(self, db: Db) -> None:
        self._db = db

    def claim(self, occurrence: Occurrence) -> int:
        """The id of a new row, or 0 when somebody has claimed it before."""
        return self._db.value(
            _CLAIM,
            slot=occurrence.slot,
            group_id=occurrence.group,
            local=occurrence.local,
            due=occurrence.due,
            late=occurrence.late,
            what=occurrence.what,
        )

    def get(self, key: int) -> Claimed | None:
        row = self._db.one(_GET, o=key)
        return Claimed(*row) if row else None

    def between(self, group: int, start: int, stop: int) -> list[Claimed]:
        return [Claimed(*row) for row in self._db.all(_BETWEEN, g=group, start=start, stop=stop)]

    def end(self, key: int, state: str, why: str = "") -> None:
        self._db.run(_END, o=key, s=state, why=why)

    def hooked(self, key: int, now: int) -> None:
        """The hook of its activity goes out now."""
        self._db.run(_HOOKED, o=key, now=now)

    def know_slots(self, keys: Iterable[str], now: int) -> dict[str, int]:
        """Since when each slot exists; those not seen before (or in a clock's future) exist from now on."""
        self._db.many(_ADD_SLOT, [{"slot": key, "since": now} for key in keys])
        return self.slots()

    def renew_slots(self, keys: Iterable[str], now: int) -> dict[str, int]:
        """The same, where these are other than they were: they exist from now on."""
        self._db.many(_RENEW, [{"slot": key, "since": now} for key in keys])
        return self.slots()

    def slots(self) -> dict[str, int]:
        """Since when each slot exists that was ever seen."""
        return {key: since for key, since in self._db.all(_SLOTS)}

    def planned_until(self, now: int) -> int:
        """All that was due by this moment has its rows. Before the first start there is nothing: now."""
        until = self._db.value(_HORIZON)
        if not until:
            self.plan_until(now)
        return until or now

    def plan_until(self, moment: int) -> None:
        self._db.run(_SET_HORIZON, until=moment)
