"""The stock `Wechaty` class as it is documented: 25 plugins, each looking for its word. Its log is off.

Its puppet is the real PuppetService, whose calls to a gateway are answered here from memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.contenders.lap import FarSide, laps, run
from benchmarks.contenders.wechaty_import import (
    PuppetOptions,
    PuppetService,
    Wechaty,
    WechatyOptions,
    WechatyPlugin,
    WechatyPluginOptions,
    wechaty_puppet,
)
from benchmarks.stream import COMMANDS, Said, answer


class Stub(PuppetService):
    """Knows every message, room and contact at once; what is sent arrives at the far side."""

    far: FarSide
    kept: dict[str, Any]

    async def message_payload(self, message_id: str) -> Any:
        return self.kept[message_id]

    async def contact_payload(self, contact_id: str) -> Any:
        return wechaty_puppet.ContactPayload(id=contact_id, name=contact_id)

    async def room_payload(self, room_id: str) -> Any:
        return wechaty_puppet.RoomPayload(id=room_id, topic=room_id, owner_id="", member_ids=[])

    async def room_members(self, room_id: str) -> list[str]:
        return []

    async def message_send_text(
        self, conversation_id: str, message: str, mention_ids: list[str] | None = None
    ) -> str:
        self.far.took(message)
        self.kept["sent"] = _payload("sent", conversation_id, "bot", message)
        return "sent"


class Word(WechatyPlugin):
    """Answers one word."""

    def __init__(self, word: str) -> None:
        super().__init__(WechatyPluginOptions(name=word))
        self.word = word

    async def on_message(self, msg: Any) -> None:
        if msg.text() == self.word:
            await msg.say(answer(self.word))


async def contender(many: int) -> float:
    far = FarSide()
    puppet = Stub(PuppetOptions(token="token", end_point="127.0.0.1:1"))
    puppet.far, puppet.kept = far, {}
    bot = Wechaty(WechatyOptions(puppet=puppet))
    for word in COMMANDS:
        bot.use(Word(word))
    await bot.init_puppet()
    await bot.init_puppet_event_bridge(puppet)
    count = 0

    def make(said: Said) -> Any:
        nonlocal count
        count += 1
        key = f"m{count}"
        puppet.kept[key] = _payload(key, f"g{said.group}@chatroom", f"p{said.member}", said.text)
        return wechaty_puppet.EventMessagePayload(message_id=key)

    async def feed(events: Sequence[Any]) -> None:
        for event in events:
            puppet._event_stream.emit("message", event)

    return await laps(far, make, feed, many)


def _payload(key: str, room: str, person: str, text: str) -> Any:
    return wechaty_puppet.MessagePayload(
        id=key,
        room_id=room,
        from_id=person,
        to_id="",
        text=text,
        type=wechaty_puppet.MessageType.MESSAGE_TYPE_TEXT,
    )


if __name__ == "__main__":
    run(contender)
