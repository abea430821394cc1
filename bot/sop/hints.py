"""Did you mean: the nearest of the words that would have been right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import lru_cache


def nearest(word: str, candidates: Iterable[str]) -> str:
    """Return the candidate that `word` was probably meant to be, or an empty text."""
    known = {candidate.lower(): candidate for candidate in candidates}
    found = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return known[found[0]] if found else ""


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Return `，是不是 "title"？`, to stand at the end of a sentence, or an empty text."""
    meant = nearest(word, candidates)
    return f'，是不是 "{meant}"？' if meant else ""


def alike(word: str, candidates: Iterable[str]) -> str:
    """Return the candidate that holds `word`, or sounds or is written nearly like it, or an empty text."""
    known = list(candidates)
    within = [one for one in known if len(word) > 1 and word.lower() in one.lower()]
    sounds = {_sound(one): one for one in reversed(known)}
    heard = difflib.get_close_matches(_sound(word), sounds, n=1, cutoff=0.85)
    if within:
        return within[0]
    return sounds[heard[0]] if heard else nearest(word, known)


@lru_cache(4096)
def _sound(text: str) -> str:
    """How a text is read aloud, without tones."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415 - a tenth of a second, and few ask

    return "".join(lazy_pinyin(text)).lower()
