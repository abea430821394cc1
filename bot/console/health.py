"""Whether 小二 can do its work now: the process serves, the database answers, every account is online."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.app import App

PATIENCE = 3.0
ONLINE = "online"


@dataclass(frozen=True, slots=True)
class Health:
    """`reasons` are sentences for people, one for each thing that is wrong."""

    status: str
    reasons: list[str]
    accounts: Mapping[str, str]
    pid: int
    since: str


async def examine(app: App) -> Health:
    """Look at everything now."""
    reasons = [f"账号 {name} 不在线：{state}。" for name, state in app.accounts.items() if state != ONLINE]
    if trouble := await _database(app):
        reasons.insert(0, trouble)
    return Health("unwell" if reasons else "ok", reasons, app.accounts, os.getpid(), app.since)


async def _database(app: App) -> str:
    """What is wrong with the database: a unit that does nothing goes the way of every event."""
    try:
        await asyncio.wait_for(app.database.writer.run(lambda _: None), PATIENCE)
    except TimeoutError:
        return f"数据库 {PATIENCE:g} 秒没有答话。"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        return f"数据库写不进去（{type(error).__name__}），原因在日志里。"
    return ""
