"""What wechaty_grpc 0.20 does not know of the protocol, or has under old numbers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import betterproto
from grpclib.const import Cardinality

CHUNK = 256 * 1024


@dataclass
class AnnounceRequest(betterproto.Message):
    """wechaty_grpc has the text as number 2, which today's gateways take for a question."""

    id: str = betterproto.string_field(1)
    text: str = betterproto.string_field(3)


@dataclass
class AnnounceResponse(betterproto.Message):
    """Nothing that we need."""


@dataclass
class UploadRequest(betterproto.Message):
    """A part of a file."""

    chunk: bytes = betterproto.bytes_field(1)


@dataclass
class UploadResponse(betterproto.Message):
    """Under which id the gateway keeps the file."""

    id: str = betterproto.string_field(1)


async def announce(stub: Any, room: str, text: str) -> None:  # noqa: ANN401 - wechaty ships no types
    """Make a text the announcement of a room."""
    request = AnnounceRequest(id=room, text=text)
    await stub._unary_unary("/wechaty.Puppet/RoomAnnounce", request, AnnounceResponse)  # noqa: SLF001


async def upload(stub: Any, path: Path) -> str:  # noqa: ANN401
    """Hand a file to the gateway, which sends it to nobody yet. The answer is the file's id."""
    async with stub.channel.request(
        "/wechaty.Puppet/Upload",
        Cardinality.STREAM_UNARY,
        UploadRequest,
        UploadResponse,
        metadata=stub.metadata,
    ) as stream:
        with path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK):
                await stream.send_message(UploadRequest(chunk=chunk))
        await stream.end()
        answer: UploadResponse = await stream.recv_message()
    return answer.id
