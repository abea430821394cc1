"""aiogram 3: a Router with a handler for each word, and a filter written as its documentation has it.

`F.text == word` is the shorter way, and 20 times slower: each such filter goes to a thread.
The stub stands in for its HTTP session.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import Any

from aiogram import Bot, Dispatcher, Router
from aiogram.client.session.base import BaseSession
from aiogram.filters import Filter
from aiogram.types import Chat, Message, Update

from benchmarks.contenders.lap import FarSide, laps, run
from benchmarks.stream import COMMANDS, Said, answer

SENT = Message(message_id=1, date=datetime.now(UTC), chat=Chat(id=-1, type="supergroup"), text="")


class Text(Filter):
    """The whole text is this word."""

    def __init__(self, word: str) -> None:
        self.word = word

    async def __call__(self, message: Message) -> bool:
        return bool(message.text == self.word)


class Session(BaseSession):
    """The far side, in place of HTTP."""

    def __init__(self, far: FarSide) -> None:
        super().__init__()
        self._far = far

    async def make_request(self, bot: Bot, method: Any, timeout: int | None = None) -> Message:  # noqa: ASYNC109
        self._far.took(method.text)
        return SENT

    async def close(self) -> None:
        pass

    async def stream_content(self, *_: Any, **__: Any) -> AsyncGenerator[bytes]:
        """A session must have it; nobody asks for a file here."""
        yield b""


async def reply(message: Message) -> None:
    await message.answer(answer(message.text))


async def contender(many: int) -> float:
    far = FarSide()
    bot = Bot("1:token", session=Session(far))
    router, dispatcher = Router(), Dispatcher()
    for word in COMMANDS:
        router.message(Text(word))(reply)
    dispatcher.include_router(router)
    now = int(time.time())

    def make(said: Said) -> Update:
        # As its polling does: an update that does not know its bot would be made anew.
        chat = {"id": -said.group - 1, "type": "supergroup", "title": f"群{said.group}"}
        user = {"id": said.member + 1, "is_bot": False, "first_name": f"群友{said.member}"}
        message = {"message_id": said.number, "date": now, "chat": chat, "from": user, "text": said.text}
        update = {"update_id": said.number, "message": message}
        return Update.model_validate(update, context={"bot": bot})

    async def feed(updates: Sequence[Update]) -> None:
        for update in updates:
            await dispatcher.feed_update(bot, update)

    return await laps(far, make, feed, many)


if __name__ == "__main__":
    run(contender)
