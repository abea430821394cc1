"""What waits for one chat of an account that is paced, and what of it goes next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.model import LONGEST, Outgoing, Say
from bot.outbox.merging import Merging
from bot.outbox.pace import NEVER

if TYPE_CHECKING:
    from storage.outbox import Row

# What goes out beside a text, as messages of their own: in a row's body, and in a Say.
ATTACHED = ("picture", "file", "card")


@dataclass(frozen=True, slots=True)
class Load:
    """Rows that go as one message, and rows whose moment has passed."""

    rows: Sequence[Row]
    stale: Sequence[Row]


class Chat:
    """Two lines: what answers somebody (`talk`) goes before the posts of timers and slots.

    Each keeps its order. A reply does not overtake a post that members act on, a question or a packet
    (it is `about` something): such a post, and what stands before it, goes with the talk. And one whose
    time runs out goes before the talk, where that never ends.
    """

    def __init__(self, name: str, longest: int, merging: Merging, stir: Callable[[Chat], None]) -> None:
        self.name = name
        self.not_before = 0
        self.talk: deque[Row] = deque()
        self.posts: deque[Row] = deque()
        self._longest = longest
        self._merging = merging
        self._stir = stir

    def __len__(self) -> int:
        return len(self.talk) + len(self.posts)

    def append(self, row: Row) -> None:
        if row.post:
            self.posts.append(row)
        else:
            while any(post.about for post in self.posts):
                self.talk.append(self.posts.popleft())
            self.talk.append(row)
        self._stir(self)

    def clear(self) -> None:
        self.talk.clear()
        self.posts.clear()

    @property
    def head(self) -> Row:
        """What goes next."""
        return (self.talk or self.posts)[0]

    @property
    def deadline(self) -> int:
        """When that is too late."""
        return self.head.send_before or NEVER

    @property
    def gathers(self) -> bool:
        """Whether all that is to be said can share messages."""
        return bool(self.talk) and all(map(self._merging.can, self.talk))

    def drop_late(self, now: int) -> list[Row]:
        """Take out what is too late."""
        late: list[Row] = []
        for line in (self.talk, self.posts):
            if any(row.late(now) for row in line):
                rows = list(line)
                line.clear()
                for row in rows:
                    (late if row.late(now) else line).append(row)
        return late

    def take(self, now: int) -> list[Row]:
        """Take out what goes next as one message."""
        if self.posts and now >= hurry(self.posts[0]) and not any(row.post for row in self.talk):
            self.talk.appendleft(self.posts.popleft())
        line = self.talk or self.posts
        return [line.popleft() for _ in range(self._merging.together(line, self._longest))]

    def put_back(self, rows: Sequence[Row]) -> None:
        """They did not leave: they stand where they stood, before all that came later."""
        row = rows[0]
        promoted = row.post and self.talk and (row.about or any(one.post for one in self.talk))
        (self.talk if promoted or not row.post else self.posts).extendleft(reversed(rows))


def hurry(row: Row) -> int:
    """The moment by which a post should go: when three quarters of its time are over."""
    return row.at + (row.send_before - row.at) * 3 // 4 if row.send_before else NEVER


def weight(row: Row) -> int:
    """How many messages a row is on its platform; a long text is several."""
    text = row.body.get("text", "")
    told = 1 + len(text) // LONGEST if text or "to" in row.body else 0
    return max(1, told + sum(name in row.body for name in ATTACHED))


def weigh(part: Outgoing) -> int:
    """How many messages something is on its platform."""
    if not isinstance(part, Say):
        return 1
    return max(
        1, bool(part.text or part.mentions) + sum(getattr(part, name) is not None for name in ATTACHED)
    )
