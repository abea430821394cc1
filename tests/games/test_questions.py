"""Which questions come next: none again while others have not come for longer."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from games.questions import unasked_longest

# Each firing: how many days after the one before, from which of two banks or from both, and how many.
FIRINGS = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["a", "b", "ab"]), st.integers(1, 6)), max_size=30
)


@given(FIRINGS, st.integers(6, 15), st.integers(6, 15), st.integers(1, 40), st.integers())
def test_nothing_comes_again_within_a_span_while_there_is_enough_else(
    firings: list[tuple[int, str, int]], a: int, b: int, span: int, seed: int
) -> None:
    """Whatever two activities drew from the banks; where there is too little, the longest unasked come."""
    banks = {"a": [f"a{n}" for n in range(a)], "b": [f"b{n}" for n in range(b)]}
    asked: dict[str, int] = {}
    chance, day = Random(seed), 1
    for days, drawn, count in firings:
        day += days
        pool = [question for bank in drawn for question in banks[bank]]
        chosen = unasked_longest(pool, asked, count, chance)
        assert len(chosen) == len(set(chosen)) == count
        free = [one for one in pool if one not in asked or day - asked[one] >= span]
        again = [one for one in chosen if one not in free]
        assert len(again) == max(0, count - len(free))
        left = [asked[one] for one in pool if one in asked and one not in chosen]
        assert all(asked[one] <= min(left, default=day) for one in again)
        asked |= dict.fromkeys(chosen, day)


def test_chance_decides_among_those_never_asked() -> None:
    """The same seed gives the same ones, whatever their order in the file."""
    pool = [f"q{n}" for n in range(50)]
    first = unasked_longest(pool, {}, 5, Random(1))
    assert first == unasked_longest(pool[::-1], {}, 5, Random(1))
    assert first != unasked_longest(pool, {}, 5, Random(2))
