"""What a round of questions needs from a game. The round engine is handlers/quiz.py."""

from __future__ import annotations

from typing import Any, Protocol


class Game(Protocol):
    """The rules of one kind of question. Questions are frozen dataclasses of plain values."""

    name: str
    question: type[Any]

    def ask(self, question: Any) -> str:  # noqa: ANN401
        """The question as members read it."""

    def read(self, text: str) -> str | None:
        """The answer that a text in plain form gives, or None when it gives none."""

    def right(self, question: Any, answer: str) -> bool:  # noqa: ANN401
        """Whether an answer that `read` gave is right."""

    def reveal(self, question: Any) -> str:  # noqa: ANN401
        """The right answer, as it is told when the round is closed."""
