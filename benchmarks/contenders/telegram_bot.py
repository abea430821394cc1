"""python-telegram-bot: an Application with a MessageHandler for each word.

The stub stands in for its HTTP requests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from telegram import Chat, Message, Update, User
from telegram.ext import Application, MessageHandler, filters
from telegram.request import BaseRequest

from benchmarks.contenders.lap import FarSide, laps, run
from benchmarks.stream import COMMANDS, GROUPS, MEMBERS, Said, answer

ME = {"id": 1, "is_bot": True, "first_name": "小二", "username": "xiaoer_bot"}
SENT = {"message_id": 1, "date": 1_767_571_200, "chat": {"id": -1, "type": "supergroup"}, "text": ""}


class Request(BaseRequest):
    """The far side, in place of HTTP."""

    def __init__(self, far: FarSide) -> None:
        self._far = far
        self._sent = json.dumps({"ok": True, "result": SENT}).encode()

    @property
    def read_timeout(self) -> float:
        return 5.0

    async def initialize(self) -> None:
        pass

    async def shutdown(self) -> None:
        pass

    async def do_request(self, url: str, method: str, *_: Any, **__: Any) -> tuple[int, bytes]:
        if url.endswith("/getMe"):
            return 200, json.dumps({"ok": True, "result": ME}).encode()
        self._far.took()
        return 200, self._sent


async def reply(update: Update, _context: object) -> None:
    message = update.effective_message
    await message.reply_text(answer(message.text))


async def contender(many: int) -> float:
    far = FarSide()
    request = Request(far)
    application = (
        Application.builder()
        .token("1:token")
        .request(request)
        .get_updates_request(request)
        .updater(None)
        .build()
    )
    for word in COMMANDS:
        application.add_handler(MessageHandler(filters.Text([word]), reply))
    await application.initialize()
    now = datetime.now(UTC)
    chats = [Chat(-number - 1, "supergroup", f"群{number}") for number in range(GROUPS)]
    users = [User(number + 1, f"群友{number}", is_bot=False) for number in range(MEMBERS)]

    def make(said: Said) -> Any:
        message = Message(said.number, now, chats[said.group], users[said.member], text=said.text)
        message.set_bot(application.bot)
        return Update(said.number, message)

    async def feed(updates: Sequence[Any]) -> None:
        for update in updates:
            await application.process_update(update)

    return await laps(far, make, feed, many)


if __name__ == "__main__":
    run(contender)
