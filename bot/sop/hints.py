"""Did you mean: the nearest of the words that would have been right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, candidates: Iterable[str]) -> str:
    """Return the candidate that `word` was probably meant to be, or an empty text."""
    known = {candidate.lower(): candidate for candidate in candidates}
    found = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return known[found[0]] if found else ""


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Return `，是不是 "title"？`, to stand at the end of a sentence, or an empty text."""
    meant = nearest(word, candidates)
    return f'，是不是 "{meant}"？' if meant else ""
