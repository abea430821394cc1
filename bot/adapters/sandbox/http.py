"""The sandbox's HTTP face. It is public: fields are only ever added.

404 for what does not exist, 409 for what cannot be now, 422 for what cannot be at all, 503 when the
database takes nothing and 小二 ends, each with {"detail"} in words.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Path, Query, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from bot.adapters.sandbox.adapter import PAGE, Missing, Sandbox
from bot.adapters.sandbox.attached import attachments
from bot.clock import as_datetime, as_moment
from bot.durations import duration
from bot.model import DAY, clean
from bot.ports import Clock, SandboxMessage

LONGEST_WAIT = 30.0
FURTHEST = 366 * DAY


def _word(text: str) -> str:
    if not text.strip():
        raise ValueError("不能空着")
    return text.strip()


# A lone surrogate is no text to pydantic; it becomes a replacement character before it gets there.
Typed = Annotated[str, BeforeValidator(lambda value: clean(value) if isinstance(value, str) else value)]
Word = Annotated[Typed, Field(max_length=200), AfterValidator(_word)]


def _tag(text: str) -> str:
    # As 开张 takes them, or the group would be there and not be open.
    if len(text.split()) != 1 or len(text) > 12:
        raise ValueError("要写成一个词，最多 12 个字")
    return text


class NewGroup(BaseModel):
    title: Word
    owner: Word
    members: Annotated[list[Word], Field(max_length=2000)] = []
    tags: Annotated[list[Annotated[Word, AfterValidator(_tag)]], Field(max_length=5)] | None = None


class NewMember(BaseModel):
    name: Word


class Said(BaseModel):
    sender: Annotated[Word, Field(alias="from")]
    text: Annotated[Typed, Field(max_length=200_000)]
    mentions: Annotated[list[Typed], Field(max_length=2000)] | None = None
    id: Annotated[Typed, Field(max_length=200)] | None = None


class SaidPrivately(BaseModel):
    text: Annotated[Typed, Field(max_length=200_000)]


class Move(BaseModel):
    advance: str | None = None
    to: str | None = None


class Desk:
    """What the face needs beside the sandbox itself: tags of groups, and the clock where it can move."""

    def __init__(
        self,
        clock: Clock,
        timezone: str,
        tags: Callable[[], Awaitable[Mapping[str, Sequence[str]]]],
        move: Callable[[int], Awaitable[None]] | None,
    ) -> None:
        self.clock = clock
        self.timezone = timezone
        self.tags = tags
        self.move = move

    def now(self) -> str:
        """The time in the default time zone, ISO 8601 with its offset."""
        return self._local(self.clock.now(), "seconds")

    def shown(self, message: SandboxMessage) -> dict[str, Any]:
        """A line as the face gives it."""
        return {
            "seq": message.seq,
            "from": message.sender,
            "name": message.name,
            "text": message.text,
            "at": self._local(message.at, "milliseconds"),
            "mentions": list(message.mentions),
            "attachments": list(attachments(message)),
        }

    def _local(self, moment: int, precision: str) -> str:
        return as_datetime(moment).astimezone(ZoneInfo(self.timezone)).isoformat(timespec=precision)

    def target(self, wanted: Move) -> int:
        """The moment that somebody asked for. Raises HTTPException."""
        if (wanted.advance is None) == (wanted.to is None):
            raise HTTPException(422, '要写 {"advance": "90m"} 或 {"to": "2026-11-24T20:00"}，二选一。')
        try:
            if wanted.advance is not None:
                return self.clock.now() + duration(wanted.advance)
            assert wanted.to is not None
            when = datetime.fromisoformat(wanted.to)
            moment = as_moment(when if when.tzinfo else when.replace(tzinfo=ZoneInfo(self.timezone)))
        except (ValueError, OverflowError) as error:
            words = str(error) if wanted.advance is not None else f'"{wanted.to}" 不是时间'
            raise HTTPException(422, f"{words}。") from None
        if moment > self.clock.now() + FURTHEST:
            raise HTTPException(422, "一次最多往前拨 366 天。")
        return moment


def router(sandbox: Sandbox, desk: Desk) -> APIRouter:  # noqa: C901 - one short function for each address
    """All addresses below /api/sandbox."""
    api = APIRouter(prefix="/api/sandbox")

    @api.get("/groups")
    async def groups() -> list[dict[str, Any]]:
        tags = await desk.tags()
        return [
            {
                "id": group.id,
                "title": group.title,
                "tags": list(tags.get(group.id, ())),
                "members": [
                    {"id": member.id, "name": member.name, "role": member.role} for member in group.members
                ],
            }
            for group in sandbox.groups
        ]

    @api.post("/groups", status_code=201)
    async def add_group(new: NewGroup) -> dict[str, str]:
        return {"id": await open_group(sandbox, new.title, new.owner, new.members, new.tags)}

    @api.post("/groups/{group}/messages", status_code=202)
    async def say(group: str, said: Said) -> dict[str, str]:
        return {"id": await sandbox.say(group, said.sender, said.text, said.mentions or (), said.id or "")}

    @api.get("/groups/{group}/messages")
    async def read(group: str, after: After = 0, wait: Wait = 0) -> Response:
        sandbox.group(group)
        return await _lines(sandbox, desk, group, after, wait)

    @api.post("/groups/{group}/members", status_code=201)
    async def join(group: str, new: NewMember) -> dict[str, str]:
        return {"id": (await sandbox.join(group, new.name)).id}

    @api.delete("/groups/{group}/members/{member}", status_code=204)
    async def leave(group: str, member: str) -> Response:
        await sandbox.leave(group, member)
        return Response(status_code=204)

    @api.post("/members/{member}/messages", status_code=202)
    async def say_privately(member: str, said: SaidPrivately) -> dict[str, str]:
        return {"id": await sandbox.say_privately(member, said.text)}

    @api.get("/members/{member}/messages")
    async def read_privately(member: str, after: After = 0, wait: Wait = 0) -> Response:
        sandbox.anybody(member)
        return await _lines(sandbox, desk, member, after, wait)

    @api.get("/chats/{chat}/pictures/{seq}")
    async def picture(chat: str, seq: Seq) -> FileResponse:
        path = await sandbox.picture(chat, seq)
        if not path.is_file():
            raise Missing("这张图片的文件不在了。")
        return FileResponse(path)

    @api.get("/chats/{chat}/files/{seq}")
    async def file(chat: str, seq: Seq) -> FileResponse:
        path = await sandbox.file(chat, seq)
        if not path.is_file():
            raise Missing("这个文件不在了。")
        # To be kept, never shown: whatever is in it does nothing on this page.
        return FileResponse(path, filename=path.name, media_type="application/octet-stream")

    @api.get("/clock")
    async def now() -> dict[str, str]:
        return {"now": desk.now()}

    @api.post("/clock")
    async def move(wanted: Move) -> dict[str, str]:
        if desk.move is None:
            raise HTTPException(409, "接了真的账号，时间不能拨。")
        try:
            await desk.move(desk.target(wanted))
        except ValueError:
            raise HTTPException(409, f"时间只能往前拨，现在是 {desk.now()}。") from None
        return {"now": desk.now()}

    @api.api_route("/{address:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def nowhere(address: str) -> None:
        raise Missing(f"没有 /api/sandbox/{address} 这个地址，或者它不是这样用的。")

    return api


LARGEST = 2**63 - 1
After = Annotated[int, Query(ge=0, le=LARGEST)]
Seq = Annotated[int, Path(ge=0, le=LARGEST)]
Wait = Annotated[
    float, Query(ge=0, allow_inf_nan=False), AfterValidator(lambda wait: min(wait, LONGEST_WAIT))
]


async def open_group(
    sandbox: Sandbox, title: str, owner: str, members: Sequence[str], tags: Sequence[str] | None
) -> str:
    """A new group; with tags its owner says 开张, and they hold when this returns."""
    group = await sandbox.add_group(title, owner, members)
    if tags is not None:
        await sandbox.say(group.id, group.members[0].id, " ".join(("开张", *tags)), handled=True)
    return group.id


async def _lines(sandbox: Sandbox, desk: Desk, chat: str, after: int, wait: float) -> Response:
    """All lines of a chat after a `seq`. Of a long one, as much is in memory as the client reads."""
    first = await sandbox.messages(chat, after, wait)
    if len(first) < PAGE:
        return JSONResponse([desk.shown(message) for message in first])

    async def pages() -> AsyncIterator[str]:
        lines, comma = first, "["
        while lines:
            yield comma + json.dumps([desk.shown(line) for line in lines], ensure_ascii=False)[1:-1]
            lines, comma = await sandbox.messages(chat, lines[-1].seq), ","
        yield "]"

    return StreamingResponse(pages(), media_type="application/json")
