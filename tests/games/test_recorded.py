"""The rule of the hook on what was written in rehearsed weeks: more people are there than at the end."""

from __future__ import annotations

from pathlib import Path

from games.peak import past_peak
from tests.games.recording import Recorded, recorded

STEP = 30  # seconds
EARLIEST = 5 * 60
# Whoever writes so long before or after the post has it before their eyes.
AROUND = 150
LONGEST_LAP = 60 * 60
TOLD = Path(__file__).resolve().parents[2] / "docs/how-it-works.md"


def moment(one: Recorded) -> int:
    """When the hook of a quiz goes, in seconds since it began: at its end at the latest."""
    counts = [0] * (one.end // STEP)
    for when in one.when:
        if when < len(counts) * STEP:
            counts[int(when) // STEP] += 1
    window = -(-min(one.lap, LONGEST_LAP) // STEP)
    for steps in range(EARLIEST // STEP, len(counts) + 1):
        if past_peak(counts[:steps], window, 0, len(counts) + 1):
            return steps * STEP
    return one.end


def test_at_the_height_of_the_talk_more_people_write_than_at_the_end() -> None:
    """Members who wrote in the five minutes around it, over all quizzes; the documents tell these figures."""
    quizzes = recorded()
    peak = [one.writing(moment(one), AROUND) for one in quizzes]
    end = [one.writing(one.end, AROUND) for one in quizzes]
    middle = [one.writing(one.end / 2, AROUND) for one in quizzes]
    better = sum(here > there for here, there in zip(peak, end, strict=True))
    assert sum(peak) > 1.2 * sum(end)
    told = (
        f"{len(quizzes)} 场问答里，{better} 场",
        f"{sum(peak)} 人次",
        f"{sum(end)} 人次",
        f"{sum(peak) / sum(end):.2f} 倍",
        f"一半的地方发，是 {sum(middle)} 人次",
    )
    assert [figure for figure in told if figure not in TOLD.read_text("utf-8")] == []


def test_it_goes_before_the_end() -> None:
    """The rule sees the talk of a game fall while it is played, in nearly all of them."""
    quizzes = recorded()
    assert sum(moment(one) < one.end for one in quizzes) >= len(quizzes) * 3 // 4
