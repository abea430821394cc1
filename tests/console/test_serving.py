"""How the pages are served, below what they say."""

from __future__ import annotations

import asyncio
import socket

import pytest
from fastapi import FastAPI

from bot.serve import server_for


async def test_a_connection_that_rests_for_a_minute_is_not_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients keep theirs for seconds (httpx for 5), and must not ask on one that is just being closed."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = server_for(FastAPI())
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0)
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    try:
        assert await answered(reader, writer)
        loop = asyncio.get_running_loop()
        now = loop.time
        monkeypatch.setattr(loop, "time", lambda: now() + 60)
        for _ in range(10):  # whoever waited for this moment has their turn
            await asyncio.sleep(0)
        assert await answered(reader, writer)
    finally:
        writer.close()
        server.should_exit = True
        await serving


async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Ask on a connection; False when it was closed instead."""
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
    return True
