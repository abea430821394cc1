"""When the product's post goes: as the talk begins to fall."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from games.peak import past_peak

COUNTS = st.lists(st.integers(0, 40), max_size=120)


def goes(counts: list[int], window: int = 4, earliest: int = 10, latest: int = 120) -> int:
    """After how many steps it goes; 0 for not within these."""
    steps = range(1, len(counts) + 1)
    return next((step for step in steps if past_peak(counts[:step], window, earliest, latest)), 0)


def test_it_goes_soon_after_the_rate_begins_to_fall() -> None:
    """A hill of talk: within three minutes of its top, which was in the 20th half minute."""
    hill = [*range(20), *range(20, 0, -1)]
    assert 20 < goes(hill) <= 26


def test_a_rise_and_a_plateau_are_no_fall() -> None:
    """Nor is the scatter of people who write each for themselves."""
    assert goes([*range(60)]) == 0
    assert goes([8, 9, 7, 8, 10, 8, 7, 9, 8, 8, 9, 7, 8, 9, 10, 8]) == 0


def test_the_quiet_in_a_round_is_no_end() -> None:
    """A question each three minutes, answered in its first: a window that holds a round sees a plateau."""
    rounds = [12, 6, 1, 0, 0, 0] * 6
    assert goes(rounds, window=4) > 0
    assert goes(rounds, window=6) == 0
    assert len(rounds) < goes([*rounds, 4, 2, 0, 0, 0, 0], window=6)


def test_a_few_messages_are_no_peak() -> None:
    """Then it waits for the latest moment."""
    assert goes([1, 2, 1, 1] + [0] * 60) == 0
    assert goes([0] * 200, latest=90) == 90


@given(COUNTS)
def test_it_is_never_too_early_and_never_too_late(counts: list[int]) -> None:
    """Whatever people write."""
    step = goes(counts, earliest=12, latest=40)
    assert step == 0 if len(counts) < 12 else 12 <= (step or 12) <= 40
    assert len(counts) < 40 or step
