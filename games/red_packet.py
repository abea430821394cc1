"""Splitting a red packet."""

from __future__ import annotations

from random import Random


def split(points: int, shares: int, chance: Random) -> list[int]:
    """Split points into shares of at least 1 each; they sum to `points`.

    二倍均值, as it is told of WeChat's own: each share is drawn evenly between 1 and twice the mean
    of what is left, less 1, so that every share has the same expectation. The spread grows towards
    the last ones, so the shares are shuffled before anyone takes one.

    Raises ValueError unless 1 ≤ shares ≤ points.
    """
    if not 1 <= shares <= points:
        raise ValueError(f"cannot split {points} points into {shares} shares")
    amounts = []
    left = points
    for waiting in range(shares, 1, -1):
        amount = chance.randint(1, max(1, 2 * left // waiting - 1))
        amounts.append(amount)
        left -= amount
    amounts.append(left)
    chance.shuffle(amounts)
    return amounts
