"""Who won a round and what each gets, and how a ranking is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def prizes(
    right: Sequence[int], everyone: Sequence[int], first: int, amounts: Sequence[int], each: int
) -> dict[int, int]:
    """Points by player: `each` for taking part, and more for the winners.

    `right` are those who were right, in order; the first so many of them win (0: all of them), and
    get the amounts in turn, the last amount for whoever comes after.
    """
    won = dict.fromkeys(everyone, each)
    for place, player in enumerate(right[:first] if first else right):
        won[player] += amounts[min(place, len(amounts) - 1)]
    return {player: points for player, points in won.items() if points > 0}


def lines(ranking: Sequence[tuple[str, int]]) -> Iterator[str]:
    """`1. 阿强 120 分` for each; equal points share a place."""
    place, before = 0, -1
    for number, (name, points) in enumerate(ranking, 1):
        if points != before:
            place, before = number, points
        yield f"{place}. {name} {points} 分"
