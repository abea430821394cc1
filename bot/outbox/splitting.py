"""A message that is longer than its platform takes becomes several, cut where a reader would pause."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from bot.model import Person, Say, called

UNNAMED = 20  # how long a name may be that the adapter looks up
AROUND = 2  # the @ before a name and the space behind it

# Where to cut, the best first: after a line, a sentence, a part of one, a word.
_PAUSES = tuple(map(re.compile, (r"\n+", r"[。！？!?…；;]+[”」』）]*\s*", r"[，,、：:]\s*|\s+")))

# While a text is measured a mention stands in it as wide as it will be. Adapters let neither of these in.
_BEGIN, _REST = "\ud800", "\0"
_MENTION = re.compile(f"{_BEGIN}{_REST}*")

# These belong to the character before them: a joiner, how it looks, the colour of a skin.
_JOINED = re.compile("[\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")


def wide(person: Person) -> int:
    """How many characters a mention takes."""
    return len(person.name or " " * UNNAMED) + AROUND


def split(say: Say, longest: int) -> Sequence[Say]:
    """The message in parts of at most so many characters. Mentions stay whole; files go with the last."""
    if len(say.text) + sum(map(wide, say.mentions)) <= longest:
        return (say,)
    text = called(say, [_BEGIN + _REST * (wide(person) - 1) for person in say.mentions])
    people = iter(say.mentions)
    parts = [_part(say, part, people) for part in _parts(text, longest)]
    return [
        *parts[:-1],
        say._replace(text=parts[-1].text, mentions=parts[-1].mentions, places=parts[-1].places),
    ]


def _part(say: Say, text: str, people: Iterator[Person]) -> Say:
    bare, places, mentions = "", [], []
    before, *after = _MENTION.split(text)
    bare = before
    for piece in after:
        places.append(len(bare))
        mentions.append(next(people))
        bare += piece
    return Say(say.chat, bare, private=say.private, mentions=tuple(mentions), places=tuple(places))


def _parts(text: str, longest: int) -> Iterator[str]:
    while len(text) > longest:
        cut = _cut(text, longest)
        yield text[:cut].rstrip()
        text = text[cut:].lstrip()
    if text:
        yield text


def _cut(text: str, longest: int) -> int:
    """Where to end the first part: at a pause in its second half, or else anywhere between two characters."""
    for pause in _PAUSES:
        ends = [found.end() for found in pause.finditer(text, longest // 2, longest)]
        if ends:
            return ends[-1]
    cut = longest
    while cut > 1 and _holds_together(text, cut):
        cut -= 1
    if cut > 1:
        return cut
    cut = longest  # whatever it is, it is longer than a message; but a mention stays whole
    while cut > 0 and text[cut] == _REST:
        cut -= 1
    if cut > 0:
        return cut
    cut = longest
    while cut < len(text) and text[cut] == _REST:
        cut += 1
    return cut


def _holds_together(text: str, cut: int) -> bool:
    """Whether what stands before and after a place is one thing to a reader."""
    before, after = text[cut - 1], text[cut]
    if after == _REST:
        return True
    if before == _REST or after == _BEGIN:  # a mention joins nothing
        return False
    return before == "\u200d" or bool(_JOINED.match(after)) or bool(unicodedata.combining(after))
