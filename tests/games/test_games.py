"""The rules alone: splitting, reading answers, prizes, rankings, streaks."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from random import Random
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.dispatch.text import plain
from games import streaks
from games.choice import Choice, Question
from games.ranking import lines, prizes
from games.red_packet import split


@settings(deadline=None)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.just(n), st.integers(n, 20_000))), st.integers())
def test_shares_add_up_and_none_is_empty(numbers: tuple[int, int], seed: int) -> None:
    """As many as were asked for, each at least 1, the sum to the point."""
    shares, points = numbers
    amounts = split(points, shares, Random(seed))
    assert (len(amounts), sum(amounts)) == (shares, points)
    assert min(amounts) >= 1


@pytest.mark.parametrize(("points", "shares"), [(0, 1), (1, 0), (-5, 2), (10, 11), (0, 0)])
def test_what_cannot_be_split(points: int, shares: int) -> None:
    """Anything but 1 ≤ shares ≤ points."""
    with pytest.raises(ValueError, match="cannot split"):
        split(points, shares, Random(1))


def test_every_place_has_the_same_chances() -> None:
    """Each share has the same mean and the same spread, whichever is taken; none is over twice the mean by far."""
    chance = Random(7)
    packets = [split(100, 5, chance) for _ in range(4000)]
    for place in range(5):
        amounts = [packet[place] for packet in packets]
        assert mean(amounts) == pytest.approx(20, rel=0.05)
        assert 30 < mean(abs(amount - 20) ** 2 for amount in amounts) ** 0.5 * 3 < 60
    best = Counter(packet.index(max(packet)) for packet in packets)
    assert min(best.values()) > 650
    assert max(max(packet) for packet in packets) <= 97


def test_one_seed_is_one_split() -> None:
    """Chance comes in from outside."""
    assert split(100, 10, Random(3)) == split(100, 10, Random(3))


def test_a_packet_of_ones() -> None:
    """As many shares as points are ones; one share is everything."""
    assert split(7, 7, Random(1)) == [1] * 7
    assert split(7, 1, Random(1)) == [7]


@pytest.mark.parametrize(
    ("typed", "letter"),
    [
        *((letter, letter.upper()) for letter in "abcdABCD"),
        ("Ｂ", "B"),
        ("我选B", "B"),
        ("選C", "C"),
        ("答案是 D", "D"),
        ("答案：A", "A"),
        ("我猜b项。", "B"),
        ("选:c", "C"),
        ("E", None),
        ("AB", None),
        ("选", None),
        ("B C", None),
        ("选B还是C", None),
        ("1", None),
        ("我觉得应该选B", None),
        ("", None),
        ("a" * 9, None),
    ],
)
def test_reading_an_answer(typed: str, letter: str | None) -> None:
    """A letter, alone or with a word before it; anything else is talk."""
    assert Choice().read(plain(typed)) == letter


QUESTION = Question("一加一？", ("1", "2", "3", "4"), "b", "数一数")


def test_asking_and_revealing() -> None:
    """Members read four lettered options, and at the end the right one with its reason."""
    game = Choice()
    assert game.ask(QUESTION) == "一加一？\nA. 1\nB. 2\nC. 3\nD. 4"
    assert game.reveal(QUESTION) == "B. 2\n数一数"
    assert [game.right(QUESTION, letter) for letter in "ABCD"] == [False, True, False, False]


@pytest.mark.parametrize(
    ("ask", "options", "answer", "words"),
    [
        (" ", ("1", "2", "3", "4"), "A", "ask"),
        ("问", ("1", "2", "3"), "A", "现在有 3 个"),
        ("问", ("1", "2", "3", " 1"), "A", "一样"),
        ("问", ("1", "2", "3", "4"), "E", '现在是 "E"'),
        ("问", ("1", "2", "3", "4"), "AB", "answer"),
        ("问", ("1", "2", "3", "4"), "", "answer"),
    ],
)
def test_a_question_that_cannot_be_asked(ask: str, options: tuple[str, ...], answer: str, words: str) -> None:
    """Says what is wrong with it."""
    with pytest.raises(ValueError, match=words):
        Question(ask, options, answer)


@pytest.mark.parametrize(
    ("right", "everyone", "first", "amounts", "each", "won"),
    [
        ([1, 2, 3], [3, 1, 2, 4], 2, (10, 6), 1, {1: 11, 2: 7, 3: 1, 4: 1}),
        ([1, 2, 3], [1, 2, 3], 0, (4,), 0, {1: 4, 2: 4, 3: 4}),
        ([1, 2, 3], [1, 2, 3], 3, (10, 6), 0, {1: 10, 2: 6, 3: 6}),
        ([], [1, 2], 3, (10,), 0, {}),
        ([], [1, 2], 3, (10,), 2, {1: 2, 2: 2}),
        ([1], [1], 1, (0,), 0, {}),
        ([], [], 1, (5,), 5, {}),
    ],
)
def test_prizes(
    right: list[int],
    everyone: list[int],
    first: int,
    amounts: tuple[int, ...],
    each: int,
    won: dict[int, int],
) -> None:
    """The first so many in their order, or all; the last amount for all who come after; some for everyone."""
    assert prizes(right, everyone, first, amounts, each) == won


def test_a_ranking_shares_places() -> None:
    """Equal points are one place, and the next place is skipped."""
    assert list(lines([("甲", 9), ("乙", 5), ("丙", 5), ("丁", 1)])) == [
        "1. 甲 9 分",
        "2. 乙 5 分",
        "2. 丙 5 分",
        "4. 丁 1 分",
    ]


@settings(deadline=None)
@given(st.sets(st.integers(0, 40), min_size=1))
def test_a_streak_is_the_days_in_a_row_up_to_today(days: set[int]) -> None:
    """Counted from dates, over the ends of months and years."""
    start = date(2029, 12, 20)
    last, streak = 0, 0
    for offset in sorted(days):
        today = (start + timedelta(offset)).toordinal()
        streak = streaks.streak(last, streak, today)
        last = today
        run = 1
        while offset - run in days:
            run += 1
        assert streak == run


@pytest.mark.parametrize(
    ("streak", "points"), [(1, 5), (2, 5), (3, 6), (6, 6), (7, 10), (29, 10), (30, 15), (999, 15)]
)
def test_points_by_streak(streak: int, points: int) -> None:
    """The table says from which streak on."""
    assert streaks.points(streak, {1: 5, 3: 6, 7: 10, 30: 15}) == points
