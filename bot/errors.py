"""The tree of errors. Each takes facts and writes its own sentence.

XiaoerError
├── Refused         a member asked for what cannot be; the sentence is for the chat
├── Faults          an operator's files are wrong; one line for each fault
├── Unusable        the bot cannot start or a command cannot run: one sentence, exit 2
│   └── NotNow      later it may, with nothing changed: a start exits 1, and is tried again
├── Away            the database takes nothing, and there is no time to wait for it
└── Delivery        a message did not go out
    ├── NotSent     it certainly did not arrive; it may be tried again
    │   └── TooFast the platform asks to send less
    ├── Unsure      it may have arrived; what was said is never tried again blindly
    └── Unsupported the platform cannot do this
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.model import Value


class XiaoerError(Exception):
    """The root: whatever 小二 itself raises."""


class Refused(XiaoerError):
    """A member asked for what cannot be done. The turn is undone, and the text is the answer."""

    def __init__(self, text: str, **values: Value) -> None:
        super().__init__(text)
        self.text = text
        self.values = values


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong in a file of the operator's; line and column count from 1."""

    file: str
    line: int
    col: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col}: {self.message}"


class Faults(XiaoerError):
    """All that is wrong in the files that were read."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


class Unusable(XiaoerError):
    """It cannot go on, through no fault in the code. The sentence is for the operator."""


class NotNow(Unusable):
    """It cannot go on now, because of a server: another try may find it as it should be."""


class Away(XiaoerError):
    """Nothing was written: the database takes nothing now, and the process wants to end."""


class Delivery(XiaoerError):
    """A message or an effect did not go out as it should."""


class NotSent(Delivery):
    """It certainly did not arrive, so it may be tried again."""


class TooFast(NotSent):
    """The platform turned it away because too much was sent; `seconds` is how long it asks for, if it says."""

    def __init__(self, text: str, seconds: float = 0) -> None:
        super().__init__(text)
        self.seconds = seconds


class Unsure(Delivery):
    """The request had left when the connection broke or the deadline passed."""


class Unsupported(Delivery):
    """The platform cannot do it."""
