"""四选一: a question with the options A to D."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LETTERS = "ABCD"

_ANSWER = re.compile(r"(?:我)?(?:选|答|猜|选择|答案)?(?:是)?[:： ]?([a-d])(?:项)?")


@dataclass(frozen=True, slots=True)
class Question:
    """`options` are four texts for A to D, `answer` is the right letter, `why` explains it."""

    ask: str = field(metadata={"description": "题目"})
    options: tuple[str, ...] = field(metadata={"description": "四个选项，互不相同，前面不写 A、B、C、D"})
    answer: str = field(metadata={"description": "正确的那个：A、B、C 或 D"})
    why: str = field(default="", metadata={"description": "公布答案时讲一句为什么"})

    def __post_init__(self) -> None:
        if not self.ask.strip():
            raise ValueError("ask 不能空着，要写题目")
        if len(self.options) != len(LETTERS):
            raise ValueError(f"options 要写 4 个选项，现在有 {len(self.options)} 个")
        if len({option.strip() for option in self.options}) != len(LETTERS):
            raise ValueError("options 里有两个选项一样")
        if self.answer.strip().upper() not in LETTERS or len(self.answer.strip()) != 1:
            raise ValueError(f'answer 要写 A、B、C 或 D，现在是 "{self.answer}"')


class Choice:
    name = "choice"
    question = Question

    def ask(self, question: Question) -> str:
        options = (f"{letter}. {text}" for letter, text in zip(LETTERS, question.options, strict=True))
        return "\n".join((question.ask.strip(), *options))

    def read(self, text: str) -> str | None:
        """`b`, `选b`, `我选b`: the letter, as a capital."""
        if len(text) > 8:
            return None
        found = _ANSWER.fullmatch(text)
        return found[1].upper() if found else None

    def right(self, question: Question, answer: str) -> bool:
        return answer == question.answer.strip().upper()

    def reveal(self, question: Question) -> str:
        letter = question.answer.strip().upper()
        text = f"{letter}. {question.options[LETTERS.index(letter)]}"
        return f"{text}\n{question.why.strip()}" if question.why.strip() else text
