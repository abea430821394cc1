"""nonebot2: a full-match matcher for each word, behind an adapter of plain text. Its log is off.

The stub stands where an adapter calls its platform.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import nonebot
from nonebot import on_fullmatch
from nonebot.adapters import Adapter, Bot, Event, Message, MessageSegment
from nonebot.log import logger
from nonebot.message import handle_event

from benchmarks.contenders.lap import FarSide, laps, run
from benchmarks.stream import COMMANDS, Said, answer


class Segment(MessageSegment["Text"]):
    @classmethod
    def get_message_class(cls) -> type[Text]:
        return Text

    def __str__(self) -> str:
        return str(self.data["text"])

    def is_text(self) -> bool:
        return True


class Text(Message[Segment]):
    @classmethod
    def get_segment_class(cls) -> type[Segment]:
        return Segment

    @staticmethod
    def _construct(msg: str) -> Iterable[Segment]:
        yield Segment("text", {"text": msg})


class GroupMessage(Event):
    group: str
    user: str
    message: Text

    def get_type(self) -> str:
        return "message"

    def get_event_name(self) -> str:
        return "message.group"

    def get_event_description(self) -> str:
        return f"{self.user}@{self.group}: {self.message}"

    def get_user_id(self) -> str:
        return self.user

    def get_session_id(self) -> str:
        return f"{self.group}_{self.user}"

    def get_message(self) -> Text:
        return self.message

    def is_tome(self) -> bool:
        return False


class Here(Adapter):
    far: FarSide

    @classmethod
    def get_name(cls) -> str:
        return "here"

    async def _call_api(self, bot: Bot, api: str, **data: Any) -> None:
        self.far.took(data["message"])


class Chatting(Bot):
    async def send(self, event: Event, message: Any, **_: Any) -> None:
        await self.call_api("send_group_msg", group=event.get_session_id(), message=message)


async def reply(bot: Bot, event: Event) -> None:
    await bot.send(event, answer(event.get_plaintext()))


async def contender(many: int) -> float:
    logger.remove()
    nonebot.init(driver="~none")
    far = FarSide()
    adapter = Here(nonebot.get_driver())
    adapter.far = far
    bot = Chatting(adapter, "bot")
    for word in COMMANDS:
        on_fullmatch(word).handle()(reply)

    def make(said: Said) -> GroupMessage:
        return GroupMessage(group=f"g{said.group}", user=f"p{said.member}", message=Text(said.text))

    async def feed(events: Sequence[GroupMessage]) -> None:
        for event in events:
            await handle_event(bot, event)

    return await laps(far, make, feed, many)


if __name__ == "__main__":
    run(contender)
