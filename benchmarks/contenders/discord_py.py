"""discord.py: its client dispatches a message to the `on_message` of a subclass, in a task for each event.

The stub stands in for its HTTP client.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord

from benchmarks.contenders.lap import FarSide, laps, run
from benchmarks.stream import COMMANDS, GROUPS, Said, answer


class Client(discord.Client):
    """One word, one method, found in a dictionary."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.all())
        self.commands = dict.fromkeys(COMMANDS, self.reply)

    async def on_message(self, message: discord.Message) -> None:
        if message.author.bot:
            return
        command = self.commands.get(message.content)
        if command is not None:
            await command(message)

    async def reply(self, message: discord.Message) -> None:
        await message.channel.send(answer(message.content))


async def contender(many: int) -> float:
    client, far = Client(), FarSide()

    async def send_message(channel_id: int, *, params: Any) -> Any:
        far.took(params.payload["content"])
        return _message(Said(0, channel_id - 10_000, 0, params.payload["content"]))

    client.http.send_message = send_message
    state = client._connection
    channels = []
    for number in range(GROUPS):
        guild = discord.Guild(data=_guild(number), state=state)
        data = {"id": str(10_000 + number), "type": 0, "name": "群", "position": 0}
        channels.append(discord.TextChannel(state=state, guild=guild, data=data))

    def make(said: Said) -> discord.Message:
        return discord.Message(state=state, channel=channels[said.group], data=_message(said))

    async def feed(messages: Sequence[discord.Message]) -> None:
        for message in messages:
            client.dispatch("message", message)

    async with client:
        return await laps(far, make, feed, many)


def _guild(number: int) -> Any:
    return {"id": str(1_000 + number), "name": f"群{number}", "roles": [], "emojis": [], "features": []}


def _message(said: Said) -> Any:
    author = {
        "id": str(said.member + 1),
        "username": f"群友{said.member}",
        "discriminator": "0",
        "avatar": None,
    }
    return {
        "id": str(1_000_000 + said.number),
        "channel_id": str(10_000 + said.group),
        "author": author,
        "content": said.text,
        "timestamp": "2026-01-05T08:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
    }


if __name__ == "__main__":
    run(contender)
