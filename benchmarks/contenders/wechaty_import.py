"""The stock `Wechaty` class, imported on today's libraries.

The bot itself needs only the puppet service (bot/adapters/wechaty/compat.py); the class above it needs
three things more, and a folder to write to. Its log is silenced as that door silences the rest.
"""

from __future__ import annotations

import os
import socket
import tempfile
from typing import Any

import urllib3
import urllib3.util

from bot.adapters.wechaty.compat import PuppetOptions, PuppetService, _as_it_expects


def _get_host(url: str) -> tuple[str, str | None, int | None]:
    parsed = urllib3.util.parse_url(url)
    return parsed.scheme or "http", parsed.hostname, parsed.port


class _Telnet:
    """All that wechaty asks of it: whether anybody answers at a port."""

    def open(self, host: str, port: int = 0, timeout: int = 3) -> None:
        socket.create_connection((host, port), timeout).close()


_folder = tempfile.TemporaryDirectory(prefix="wechaty-")
os.environ["CACHE_DIR"] = _folder.name
urllib3.get_host = _get_host  # type: ignore[attr-defined]
PuppetOptions.__hash__ = object.__hash__  # a default of one of its dataclasses

with _as_it_expects():
    import wechaty.plugin
    import wechaty_puppet
    import wechaty_puppet_service.utils

for _module in (wechaty.plugin, wechaty_puppet_service.utils):
    vars(_module)["Telnet"] = _Telnet

Wechaty: Any = wechaty.Wechaty
WechatyOptions: Any = wechaty.WechatyOptions
WechatyPlugin: Any = wechaty.WechatyPlugin
WechatyPluginOptions: Any = wechaty.WechatyPluginOptions

__all__ = [
    "PuppetOptions",
    "PuppetService",
    "Wechaty",
    "WechatyOptions",
    "WechatyPlugin",
    "WechatyPluginOptions",
    "wechaty_puppet",
]
