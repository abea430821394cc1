"""Replies that can share one message, in which each person is called at a line of their own.

The texts say which: `sign_in.done` can be merged because there is a `sign_in.done.many` beside it. In that,
`{lines}` is a line for each person, written as `sign_in.done.line` says, `{names}` calls all of them, and
`{count}` is how many there are. Such a reply tells one person of their own affair alone. So within one
message they may stand by kinds, not by the order in which they were asked for, and nobody reads them
amiss; between messages the order is kept, and nothing else is moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from bot.model import Person, Say, fill
from bot.outbox.splitting import wide

if TYPE_CHECKING:
    from storage.outbox import Row

MANY, LINE = ".many", ".line"

# Where a mention will stand, while a text is put together. Adapters let no NUL in, so no name holds one.
_MARK = re.compile("\0([0-9]+)\0")


class Merging:
    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def go_by(self, texts: Mapping[str, str]) -> None:
        """The texts are others from now on."""
        self._texts = texts

    def can(self, row: Row) -> bool:
        """Whether a row can share a message."""
        body = row.body
        return "to" in body and f"{body.get('key')}{MANY}" in self._texts

    def together(self, rows: Iterable[Row], longest: int) -> int:
        """How many of these rows, from the first on, go out as one message."""
        kinds: set[str] = set()
        count = width = 0
        for row in rows:
            if not self.can(row):
                break
            key = row.body["key"]
            width += self._width(row) + (0 if key in kinds else len(self._texts[key + MANY]))
            if width > longest:
                break
            kinds.add(key)
            count += 1
        return max(1, count)

    def merge(self, rows: Sequence[Row]) -> Say:
        """One message for all of them."""
        kinds: dict[str, list[int]] = {}
        for number, row in enumerate(rows):
            kinds.setdefault(row.body["key"], []).append(number)
        text = "\n".join(self._kind(key, numbers, rows) for key, numbers in kinds.items())
        mentions, places, said = [], [], ""
        for number, part in enumerate(_MARK.split(text)):
            if number % 2:
                mentions.append(Person(*rows[int(part)].body["to"]))
                places.append(len(said))
            else:
                said += part
        return Say(rows[0].chat, said, mentions=tuple(mentions), places=tuple(places))

    def _width(self, row: Row) -> int:
        """How many characters a row adds at most: alone or on a line, the mention, and the end of the line."""
        body = row.body
        alone = fill(body["text"], body["values"])
        return max(len(alone), len(self._line(row))) + wide(Person(*body["to"])) + 1

    def _kind(self, key: str, numbers: Sequence[int], rows: Sequence[Row]) -> str:
        if len(numbers) == 1:
            body = rows[numbers[0]].body
            return _mark(numbers[0]) + fill(body["text"], body["values"])
        first = {rows[number].body["to"][0]: number for number in reversed(numbers)}
        return fill(
            self._texts[key + MANY],
            {
                "count": len(first),
                "names": "".join(map(_mark, sorted(first.values()))),
                "lines": "\n".join(_mark(number) + self._line(rows[number]) for number in numbers),
            },
        )

    def _line(self, row: Row) -> str:
        body = row.body
        return fill(self._texts.get(body["key"] + LINE, ""), body["values"])


def _mark(number: int) -> str:
    return f"\0{number}\0"
