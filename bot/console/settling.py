"""The addresses at which the command line tells the process at work what became of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header, HTTPException, Path

from bot.console.outbox import LARGEST, Word, refusal, say

if TYPE_CHECKING:
    from bot.app import App

Number = Annotated[int, Path(ge=0, le=LARGEST)]
# Which process is meant: what is asked of another one must not be done here. No web page of somebody
# else's can send a header of its own to us.
Since = Annotated[str, Header(alias="X-Xiaoer-Since")]


def router(app: App) -> APIRouter:
    """They stand where the page stands, and behind its password where it has one."""
    api = APIRouter(prefix="/api/outbox")

    @api.post("/{number}/{word}")
    async def settle(number: Number, word: Word, since: Since) -> dict[str, int]:
        if since != app.since:
            raise HTTPException(409, "这里当差的是另一个小二。")
        before, row = await say(app.database.writer, word, number, app.clock.now())
        if why := refusal(number, before):
            raise HTTPException(409 if before else 404, why)
        if row is not None:
            app.deliver([row])
        return {"id": number}

    return api
