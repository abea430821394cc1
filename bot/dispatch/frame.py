"""The snapshot that turns go by; a reload makes another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from bot.dispatch.counts import Counts
from bot.dispatch.parking import Parking
from bot.model import Occurrence

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.dispatch.router import Routes
    from bot.sop.library import Library
    from storage.store import Store

Planner = Callable[["Store", int, int, int], "list[Occurrence]"]


@dataclass(frozen=True, slots=True)
class Frame:
    """What every turn sees and none changes: one frozen snapshot of library and settings.

    `planner` says what a group's calendar holds between two moments; `parking` minds slow handlers;
    `counts` is how much is written. With a `seed`, each turn has a chance of its own, which its group and
    its moment decide.
    """

    routes: Routes
    library: Library
    settings: Settings
    chance: Random
    planner: Planner
    parking: Parking = field(default_factory=Parking)
    counts: Counts = field(default_factory=Counts)
    seed: str = ""
