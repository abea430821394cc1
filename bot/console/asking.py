"""Asking the process that is at work on a data folder how it is, or to do something, over its own page."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.config import DATABASE_URL, PAGE_PASSWORD
from bot.console import notes
from bot.console.health import PATIENCE
from bot.errors import Unusable
from storage.place import Place, name_of, server_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.console.notes import AtWork

# It looks at its database before it answers.
LONGEST = PATIENCE + 2


@dataclass(frozen=True, slots=True)
class Answer:
    """`reasons` is empty when all is well; without `accounts` it was not told how they stand.

    `library` as in bot/console/health.py.
    """

    reasons: list[str] = field(default_factory=list)
    accounts: Mapping[str, str] = field(default_factory=dict)
    library: Mapping[str, Any] = field(default_factory=dict)


NOBODY = Answer(["没有开工。"])


def ask(work: AtWork, password: str) -> Answer | None:
    """How a process is. None when there is none: nobody answers at its address, or somebody else does."""
    try:
        status, said = _call(work, password, "GET", "/healthz")
    except (TimeoutError, ConnectionResetError):
        return Answer([f"进程 {work.pid} 占着 {work.address}，没有答话。"])
    except (OSError, HTTPException, ValueError):
        return None
    if status == 401:
        return Answer([f"页面要密码：把环境变量 {PAGE_PASSWORD} 设成和它一样，才问得到账号。"])
    try:
        found = json.loads(said)
        if (found["pid"], found["since"]) != (work.pid, work.since):
            return None
        return Answer(list(found["reasons"]), dict(found["accounts"]), dict(found.get("library", {})))
    except (ValueError, TypeError, KeyError):
        return None


def agree(folder: Path, place: Place) -> None:
    """Raise Unusable when the process that is at work on a folder has another database than this place.

    Its file may have been left behind for a server: what stands in it is old.
    """
    work = notes.at_work(folder)
    if (
        work is None
        or work.database == server_of(place)
        or ask(work, os.environ.get(PAGE_PASSWORD, "")) is None
    ):
        return
    raise Unusable(
        f"小二（进程 {work.pid}）的数据库是 {work.database or name_of(folder)}，这条命令的却是 "
        f"{name_of(place)}，什么也没有做。请用和它一样的 {DATABASE_URL}。"
    )


def tell(work: AtWork, password: str, path: str) -> None:
    """Have a process do something. Raises Unusable with its answer when it does not."""
    try:
        status, said = _call(work, password, "POST", path)
        answer = json.loads(said) if status not in (200, 401) else {}
        detail = str(answer.get("detail", said.decode()))
    except (OSError, HTTPException, ValueError, AttributeError) as error:
        raise Unusable(
            f"进程 {work.pid} 占着数据，它的页面 {work.address} 没有答话，什么也没有改。"
        ) from error
    if status == 401:
        raise Unusable(f"页面要密码：请把环境变量 {PAGE_PASSWORD} 设成和它一样。")
    if status != 200:
        raise Unusable(detail)


def _call(work: AtWork, password: str, method: str, path: str) -> tuple[int, bytes]:
    parts = urlsplit(work.address)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=LONGEST)
    headers = {"X-Xiaoer-Since": work.since}
    if password:
        headers["Authorization"] = f"Basic {base64.b64encode(f':{password}'.encode()).decode()}"
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
