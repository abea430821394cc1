"""A dictionary that forgets its oldest entries."""

from __future__ import annotations

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(dict[Key, Value]):
    """Holds at most `size` entries: what was put in first goes first."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def keep(self, key: Key, value: Value) -> None:
        self.pop(key, None)
        while len(self) >= self._size:
            del self[next(iter(self))]
        self[key] = value
