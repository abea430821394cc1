"""docs/performance.md is filled from what was measured."""

from __future__ import annotations

from benchmarks import writing
from benchmarks.growth.figures import LAPS
from benchmarks.growth.picture import TITLES
from benchmarks.result import Result
from benchmarks.words import FIGURES, WORDS


def test_what_was_measured_stands_between_the_marks_and_nothing_else_changes() -> None:
    page = writing.PAGE.read_text("utf-8")
    measured = [Result(name, "µs", 1234.5, peers={"discord.py": 2469}).kept for name in WORDS]
    places = {kind: {"10": 1.5, "1000": 9000} for kind in ("empty", "full")}
    *there, missing = FIGURES
    grown = {"figures": dict.fromkeys(there, places), "skipped": {missing: "there is no node"}}

    filled = writing.between(page, "results", writing.side_by_side(measured))
    filled = writing.between(filled, "growth", writing.grown(grown))

    for name, (what, wanted) in WORDS.items():
        # (an even half is rounded to the even number)
        assert f"| `{name}` | {what} | 1234 µs | {wanted} | discord.py 2469（2 倍） |\n" in filled
    assert "| 量的是什么 | 空的，10 个群 | 空的，1000 个群 | 满的，10 个群 | 满的，1000 个群 |\n" in filled
    for name in there:
        assert f"| {FIGURES[name]} | 1.5 | 9000 | 1.5 | 9000 |\n" in filled
    assert f"没有量「{FIGURES[missing]}」：there is no node。\n" in filled
    again = writing.between(filled, "results", iter(["x"]))
    before = writing.between(page, "results", iter(["x"]))
    assert writing.between(again, "growth", iter(["y"])) == writing.between(before, "growth", iter(["y"]))


def test_every_figure_of_growth_is_measured_and_has_words_and_a_title() -> None:
    measured = [name for lap in LAPS for name in lap.figures]

    assert sorted(measured) == sorted(FIGURES)
    assert list(FIGURES) == list(TITLES)
