"""Carries one thing out through the gateway, once, and says what became of it if it fails."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from bot.adapters.wechaty.link import Call, Disconnected, Link
from bot.adapters.wechaty.names import Names
from bot.adapters.wechaty.reading import MENTION_END
from bot.errors import Delivery, NotSent, Unsupported, Unsure
from bot.model import Accept, Outgoing, Person, Say, clean

# A gateway takes requests of 4 MiB, and base64 makes four bytes of three.
LARGEST_PICTURE = 3_000_000

BASE64_BOX = 1

# These come from the gateway's door, before its puppet is asked. Any other status may come from a
# puppet that raised after the message went out, so it is Unsure.
_TURNED_AWAY = {Status.UNAUTHENTICATED, Status.PERMISSION_DENIED, Status.RESOURCE_EXHAUSTED}


class Sender:
    """Raises NotSent, Unsure or Unsupported."""

    def __init__(self, link: Link, names: Names) -> None:
        self._link = link
        self._names = names

    async def send(self, outgoing: Outgoing) -> None:
        if isinstance(outgoing, Accept):
            await self._once(lambda puppet: puppet.room_invitation_accept(outgoing.invitation))
            return
        picture = await _file(outgoing.picture) if outgoing.picture else None
        text = await self._text(outgoing)
        mentions = [] if outgoing.private else [person.id for person in outgoing.mentions]
        if text:
            await self._once(lambda puppet: puppet.message_send_text(outgoing.chat, text, mentions))
        if picture is None:
            return
        try:
            await self._once(
                lambda puppet: puppet.puppet_stub.message_send_file(
                    conversation_id=outgoing.chat, filebox=picture
                )
            )
        except Delivery as error:
            if not text:
                raise
            raise Unsure("文字发出去了，图片没有") from error

    async def _text(self, say: Say) -> str:
        if say.private:
            return clean(say.text)
        calls = [
            f"@{name}{MENTION_END}" for person in say.mentions if (name := await self._name(say, person))
        ]
        return clean("".join(calls) + say.text)

    async def _name(self, say: Say, person: Person) -> str:
        return person.name or await self._names.member(say.chat, person.id)

    async def _once(self, do: Call[Any]) -> None:
        with _told_apart():
            await self._link.call(do)


@contextmanager
def _told_apart() -> Iterator[None]:
    """Turn what a call raises into what the outbox needs to know."""
    try:
        yield
    except Disconnected as error:
        raise NotSent("网关断开了") from error
    except ConnectionError as error:
        raise NotSent("连不上网关") from error
    except GRPCError as error:
        if error.status is Status.UNIMPLEMENTED:
            raise Unsupported("这个网关办不到") from error
        kind = NotSent if error.status in _TURNED_AWAY else Unsure
        raise kind(f"the gateway answered {error.status.name}: {error.message}") from error
    except TimeoutError as error:
        raise Unsure("网关没有按时回话") from error
    except Exception as error:
        raise Unsure("和网关的连接断了") from error


async def _file(path: Path) -> str:
    """A file as gateways take it. wechaty's own FileBox calls deprecated parts of logging."""
    try:
        data = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise NotSent("读不了图片") from error
    if len(data) > LARGEST_PICTURE:
        raise Unsupported(f"图片 {path.name} 有 {len(data)} 字节，网关最多收 {LARGEST_PICTURE} 字节")
    content = base64.b64encode(data).decode()
    return json.dumps({"name": clean(path.name), "boxType": BASE64_BOX, "base64": content})
