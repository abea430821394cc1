"""The stock `Wechaty` class behind a real gateway: one `on_message` that answers. Its log is off."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

from benchmarks.contenders.wechaty_import import Wechaty, WechatyOptions

ASKED = ("积分", "積分", "排行榜")


class Bot(Wechaty):
    async def on_message(self, msg: Any) -> None:
        if msg.is_self() or msg.room() is None or not msg.text().startswith(ASKED):
            return
        await msg.say(f"{msg.text()}：你有 0 分。", mention_ids=[msg.talker().contact_id])


async def main(endpoint: str, token: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bot = Bot(WechatyOptions(token=token, endpoint=endpoint, host="127.0.0.1", port=port))
    print("ready", flush=True)
    await bot.start()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
