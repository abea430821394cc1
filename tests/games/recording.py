"""Who wrote when in the quizzes of rehearsed weeks: `python -m tests.games.recording` writes recorded.json.

Hooks are left out, or else their post would be among what people write about.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from bot import logs
from bot.app import kinds, routes
from bot.config import Settings
from bot.model import SECOND
from bot.rehearsal.cast import Cast, questions
from bot.rehearsal.casting import casting
from bot.rehearsal.rehearsing import MONDAY
from bot.rehearsal.stage import Plan, Stage
from bot.rehearsal.world import BOT, Line
from bot.sop.library import load
from handlers.quiz_activity import GAMES, QuizActivity
from tests import databases

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).with_name("recorded.json")
DAYS, GROUPS, MEMBERS, SEEDS = 7, 3, 200, (1, 2, 3)
# What was written so long after the end is kept too, in seconds.
AFTER = 10 * 60


@dataclass(frozen=True, slots=True)
class Recorded:
    """One quiz: how long a round takes and when the last one closed, and who wrote when.

    Times are seconds since it began.
    """

    title: str
    lap: int
    end: int
    when: Sequence[float]
    who: Sequence[int]

    def writing(self, moment: float, around: float) -> int:
        """How many members wrote so long before or after a moment."""
        return len(
            {
                who
                for when, who in zip(self.when, self.who, strict=True)
                if moment - around <= when < moment + around
            }
        )


def recorded() -> list[Recorded]:
    """What was recorded."""
    return [Recorded(**one) for one in json.loads(FILE.read_text("utf-8"))]


def record(seed: int) -> list[dict[str, Any]]:
    """Rehearse a week, and keep its quizzes."""
    root, settings = ROOT / "sop_library", Settings()
    library = load(root, kinds(routes()))
    bare = {key: one.model_copy(update={"hook": None}) for key, one in library.activities.items()}
    library = replace(library, activities=MappingProxyType(bare))
    start = int(
        datetime(MONDAY.year, MONDAY.month, MONDAY.day, tzinfo=ZoneInfo(settings.timezone)).timestamp()
    )
    groups = casting(library, None, {"sandbox"}, GROUPS, MEMBERS, DAYS, seed)
    asked = questions((GAMES[bank.game], bank.questions.values()) for bank in library.banks.values())
    cast = Cast(groups, start * SECOND, seed, asked)
    stage = Stage(settings, library, root, Plan(start * SECOND, DAYS, seed, crash=False), groups, cast)
    with tempfile.TemporaryDirectory() as made:
        stage.run(Path(made))
        rows = databases.rows(
            Path(made),
            "SELECT g.chat, q.at, q.definition, MAX(r.closed_at) FROM quizzes q"
            " JOIN groups g ON g.id = q.group_id JOIN rounds r ON r.quiz_id = q.id GROUP BY q.id",
        )
    return [_of(stage.world.lines, *row) for row in rows]


def _of(lines: Sequence[Line], chat: str, began: int, definition: str, ended: int) -> dict[str, Any]:
    activity = QuizActivity.model_validate_json(definition)
    until = ended + AFTER * SECOND
    said = [one for one in lines if one.key[1] == chat and one.who != BOT and began <= one.at < until]
    numbers: dict[str, int] = {}
    return {
        "title": activity.title,
        "lap": activity.lap // SECOND,
        "end": (ended - began) // SECOND,
        "when": [round((one.at - began) / SECOND) for one in said],
        "who": [numbers.setdefault(one.who, len(numbers)) for one in said],
    }


if __name__ == "__main__":
    logs.configure("text", "error")
    made = ",\n".join(
        json.dumps(one, ensure_ascii=False, separators=(",", ":")) for seed in SEEDS for one in record(seed)
    )
    FILE.write_text(f"[\n{made}\n]\n", "utf-8")
