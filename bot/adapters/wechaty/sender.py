"""Carries one thing out through the gateway, once, and says what became of it if it fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from bot.adapters.wechaty import files, wire
from bot.adapters.wechaty.link import Call, Disconnected, Link
from bot.adapters.wechaty.names import Names
from bot.adapters.wechaty.reading import MENTION_END
from bot.adapters.wechaty.recent import Recent
from bot.errors import Delivery, NotSent, TooFast, Unsupported, Unsure
from bot.model import EVERYONE, Accept, Announce, Card, Outgoing, Person, Say, called, clean

# These come from the gateway's door, before its puppet is asked. Any other status may come from a
# puppet that raised after the message went out, so it is Unsure.
_TURNED_AWAY = {Status.UNAUTHENTICATED, Status.PERMISSION_DENIED}


class Sender:
    """Raises NotSent, Unsure or Unsupported. `sent` gets the ids of what went out."""

    def __init__(self, link: Link, names: Names, sent: Recent[str, None]) -> None:
        self._link = link
        self._names = names
        self._sent = sent

    async def send(self, outgoing: Outgoing) -> None:
        match outgoing:
            case Accept(invitation):
                await self._once(lambda puppet: puppet.room_invitation_accept(invitation))
            case Announce(text, chat):
                await self._once(lambda puppet: wire.announce(puppet.puppet_stub, chat, clean(text)))
            case Say():
                await self._say(outgoing)

    async def _say(self, say: Say) -> None:
        """The parts of a message, each on its own. What cannot be sent is found out before any is."""
        parts: list[tuple[str, Call[Any], float]] = []
        if text := await self._text(say):
            mentions = [] if say.private else [one.id for one in say.mentions if one != EVERYONE]
            parts.append(("文字", lambda puppet: puppet.message_send_text(say.chat, text, mentions), 0))
        for what, path in (("图片", say.picture), ("文件", say.file)):
            if path is not None:
                parts.append((what, *await self._file(say.chat, path)))
        if say.card is not None:
            parts.append(("链接", partial(_send_card, say.chat, say.card), 0))
        out = ""
        for what, part, longer in parts:
            try:
                await self._once(part, longer)
            except Delivery as error:
                if not out:
                    raise
                raise Unsure(f"{out}发出去了，{what}没有：{error}") from error
            out = what

    async def _file(self, chat: str, path: Path) -> tuple[Call[Any], float]:
        """How to send a file, and how much longer than a text it may take."""
        longer = await files.size_of(path) / files.SLOWEST
        with _nothing_sent():
            box = await files.box(self._link, path)
        return partial(_send_file, chat, box), longer

    async def _text(self, say: Say) -> str:
        if say.private:
            return clean(say.text)
        # Gateways have no common way to call everyone, and a name that calls nobody looks odd.
        names = ["" if one == EVERYONE else await self._name(say, one) for one in say.mentions]
        return clean(called(say, [f"@{name}{MENTION_END}" if name else "" for name in names]))

    async def _name(self, say: Say, person: Person) -> str:
        return person.name or await self._names.member(say.chat, person.id)

    async def _once(self, do: Call[Any], longer: float = 0.0) -> None:
        with _told_apart():
            answer = await self._link.call(do, self._link.deadline + longer)
        if isinstance(answer, str):
            self._sent.keep(answer, None)


async def _send_file(chat: str, box: str, puppet: Any) -> Any:  # noqa: ANN401 - wechaty ships no types
    return (await puppet.puppet_stub.message_send_file(conversation_id=chat, filebox=box)).id


async def _send_card(chat: str, card: Card, puppet: Any) -> Any:  # noqa: ANN401 - wechaty ships no types
    payload = {
        "title": clean(card.title),
        "url": card.url,
        "description": clean(card.description),
        "thumbnailUrl": card.thumbnail,
    }
    return await puppet.message_send_url(
        chat, json.dumps({key: value for key, value in payload.items() if value})
    )


@contextmanager
def _told_apart() -> Iterator[None]:
    """Turn what a call raises into what the outbox needs to know."""
    try:
        yield
    except Delivery:
        raise
    except Disconnected as error:
        raise NotSent("网关断开了") from error
    except ConnectionError as error:
        raise NotSent("连不上网关") from error
    except GRPCError as error:
        raise _refused(error) from error
    except TimeoutError as error:
        raise Unsure("网关没有按时回话") from error
    except Exception as error:
        raise Unsure("和网关的连接断了") from error


@contextmanager
def _nothing_sent() -> Iterator[None]:
    """The same for what goes to the gateway alone: whatever fails, no message was on its way yet."""
    try:
        with _told_apart():
            yield
    except Unsure as error:
        raise NotSent(f"文件没有传到网关：{error}") from error


def _refused(error: GRPCError) -> Delivery:
    if error.status is Status.UNIMPLEMENTED:
        return Unsupported("这个网关办不到")
    if error.status is Status.RESOURCE_EXHAUSTED:
        if "larger than max" in (error.message or ""):
            return Unsupported("太长了，网关不收")
        return TooFast("平台说发得太快了")
    kind = NotSent if error.status in _TURNED_AWAY else Unsure
    return kind(f"网关回的是 {error.status.name}：{error.message}")
