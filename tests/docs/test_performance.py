"""docs/performance.md is filled from what was measured."""

from __future__ import annotations

from benchmarks import writing
from benchmarks.result import Result
from benchmarks.words import WORDS


def test_what_was_measured_stands_between_the_marks_and_nothing_else_changes() -> None:
    page = writing.PAGE.read_text("utf-8")
    measured = [Result(name, "µs", 1234.5, peers={"discord.py": 2469}).kept for name in WORDS]
    grown = {"full": {"10": {"chatter_us": 1.5, "sign_in_per_s": 9000, "grab_per_s": 5000}}}

    filled = writing.between(page, "results", writing.side_by_side(measured))
    filled = writing.between(filled, "growth", writing.grown(grown))

    for name, (what, wanted) in WORDS.items():
        # (an even half is rounded to the even number)
        assert f"| `{name}` | {what} | 1234 µs | {wanted} | discord.py 2469（2 倍） |\n" in filled
    assert "| 满的 | 10 | 1.5 | 9000 | 5000 |\n" in filled
    again = writing.between(filled, "results", iter(["x"]))
    before = writing.between(page, "results", iter(["x"]))
    assert writing.between(again, "growth", iter(["y"])) == writing.between(before, "growth", iter(["y"]))
