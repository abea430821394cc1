"""Whether 小二 can do its work now: the process serves, the database answers, every account is online."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.clock import as_datetime
from bot.ports import Adapter, State

if TYPE_CHECKING:
    from bot.app import App

PATIENCE = 3.0
ONLINE = State.ONLINE
WORDS: Mapping[str, str] = {
    State.CONNECTING: "正在连网关",
    ONLINE: "在线",
    State.SCAN: "等人用手机扫码",
    State.LOGGED_OUT: "退出登录了",
    State.GONE: "连不上网关",
}


@dataclass(frozen=True, slots=True)
class Health:
    """`reasons` are sentences for people, one for each thing that is wrong.

    `library`: how many faults its files have, of how many an older version runs, and when it last changed
    (ISO; None when it did not since the start).
    """

    status: str
    reasons: list[str]
    accounts: Mapping[str, str]
    pid: int
    since: str
    library: Mapping[str, int | str | None]


async def examine(app: App) -> Health:
    """Look at everything now."""
    reasons = [
        trouble
        for trouble in (await _database(app), *(_account(*one) for one in app.accounts.items()))
        if trouble
    ]
    states = {name: account.state.value for name, account in app.accounts.items()}
    return Health("unwell" if reasons else "ok", reasons, states, os.getpid(), app.since, _library(app))


async def _database(app: App) -> str:
    """What is wrong with the database: a unit that does nothing goes the way of every event."""
    try:
        await asyncio.wait_for(app.database.writer.run(lambda _: None), PATIENCE)
    except TimeoutError:
        return f"数据库 {PATIENCE:g} 秒没有答话。"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        return f"数据库写不进去（{type(error).__name__}），原因在日志里。"
    return ""


def _library(app: App) -> Mapping[str, int | str | None]:
    changed = next((one.at for one in app.librarian.last if one.changes), None)
    return {
        "faults": len(app.library.faults),
        "kept": len(app.library.kept),
        "changed": as_datetime(changed).isoformat(timespec="seconds") if changed else None,
    }


def _account(name: str, account: Adapter) -> str:
    if account.state is ONLINE:
        return ""
    return f"账号 {name} {WORDS[account.state]}{'：' if account.note else '。'}{account.note}"
