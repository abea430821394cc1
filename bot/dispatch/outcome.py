"""What an event leaves behind, for the loop and for the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.dispatch.lanes import Change, Lane
from bot.dispatch.remarks import Remark, failure
from bot.model import Timer

if TYPE_CHECKING:
    from bot.dispatch.turn import Turn
    from storage.outbox import Row

ENDINGS = ("chatter", "handled", "duplicate", "failed")


@dataclass(slots=True)
class Outcome:
    """What one event left behind: rows for the outbox, and changes for the loop's copy of the lane.

    For the log, once it is committed: `remarks`, who handled it in how many milliseconds, and which
    timers rang before it.
    """

    rows: list[Row] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    made: Lane | None = None
    replan: bool = False
    handled: bool = False
    handler: str = ""
    ms: float = 0.0
    rang: tuple[tuple[Timer, float], ...] = ()
    failed: bool = False
    duplicate: bool = False

    @property
    def ended(self) -> str:
        """What became of the event, in one word."""
        if self.failed:
            return "failed"
        if self.handled:
            return "handled"
        return "duplicate" if self.duplicate else "chatter"

    def took(self, turn: Turn, rows: list[Row]) -> None:
        """A turn went well."""
        self.rows += rows
        self.changes += turn.changes
        self.remarks += turn.remarks
        self.replan |= turn.replan
        self.handled = True

    def raised(self, words: str, error: Exception, what: str, **facts: object) -> None:
        """A handler raised, and was undone."""
        self.failed = True
        self.remarks.append(failure(words, facts, error, what))
