"""Files as gateways take them: small ones inside the request, larger ones uploaded before it."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

from bot.adapters.wechaty import wire
from bot.adapters.wechaty.link import Link
from bot.errors import NotSent, Unsupported
from bot.model import clean

# A gateway takes requests of 4 MiB, and base64 makes four bytes of three.
LARGEST_INSIDE = 3_000_000
# WeChat's own limit.
LARGEST = 100_000_000
# Bytes a second that must be possible to the gateway, and from there to WeChat.
SLOWEST = 500_000

# As gateways number the kinds of a file box.
_BASE64 = 1
_UPLOADED = 7


async def box(link: Link, path: Path) -> str:
    """A file in the form in which it is sent. Raises NotSent, Unsupported; nobody was sent anything yet.

    wechaty's own FileBox calls deprecated parts of logging.
    """
    size = await size_of(path)
    if size > LARGEST:
        raise Unsupported(f"{path.name} 有 {size} 字节，微信最多收 {LARGEST} 字节")
    if size <= LARGEST_INSIDE:
        content = base64.b64encode(await asyncio.to_thread(path.read_bytes)).decode()
        return _json(path, _BASE64, base64=content)
    uploaded = await link.call(
        lambda puppet: wire.upload(puppet.puppet_stub, path), link.deadline + size / SLOWEST
    )
    return _json(path, _UPLOADED, uuid=uploaded, size=size)


async def size_of(path: Path) -> int:
    """Raises NotSent when there is no such file."""
    try:
        return (await asyncio.to_thread(path.stat)).st_size
    except OSError as error:
        raise NotSent(f"读不了 {path.name}") from error


def _json(path: Path, kind: int, **more: object) -> str:
    # `boxType` is what gateways of before 2022 read.
    return json.dumps({"name": clean(path.name), "type": kind, "boxType": kind, **more})
