"""Clients of the page that never read what they asked for, or never end what they say."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from benchmarks.idle import resident_mb
from bot.adapters.sandbox.faults import LARGEST_BODY
from storage.audit import audit
from tests import databases
from tests.page import stage

MANY, LONG = 30_000, 300
API = "/api/sandbox"


@pytest.fixture(scope="module")
def open_sockets() -> Iterator[ExitStack]:
    """Connections that nobody closes until the bot has ended."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory, open_sockets: ExitStack) -> Iterator[stage.Bot]:
    """A bot with one group in which very much was said. It ends in order, whoever still hangs on to it."""
    data = tmp_path_factory.mktemp("clients") / "data"
    place = databases.blank(data)
    databases.rows(
        place,
        "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ? - 1)"
        " INSERT INTO sandbox_messages"
        " (chat, message, sender, name, text, at, mentions, picture, handled)"
        " SELECT 'g1', 'old-' || n, 'bot', '小二', n || ' ' || ?, 0, '[]', '', 1 FROM numbers ORDER BY n",
        MANY,
        "话" * LONG,
    )
    with stage.bot(data) as bot:
        yield bot
        code, seconds = bot.end()
        assert code == 0
        assert seconds < 15
        assert bot.troubles() == []
    report = audit(place)
    assert report.clean, report.faults


@pytest.fixture
def client(bot: stage.Bot) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=bot.url, timeout=stage.PATIENCE) as client:
        yield client


def connect(address: str, open_sockets: ExitStack) -> socket.socket:
    made = socket.socket()
    # So little is taken from the network while nobody reads.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    open_sockets.enter_context(made)
    made.settimeout(stage.PATIENCE)
    parts = urlsplit(address)
    made.connect((parts.hostname, parts.port))
    return made


def ask(address: str, open_sockets: ExitStack, request: str) -> socket.socket:
    made = connect(address, open_sockets)
    made.sendall(request.replace("\n", "\r\n").encode())
    return made


def is_served(client: httpx.Client, times: int = 1) -> None:
    """Somebody in another group is answered as ever."""
    new = {"title": "邻居", "owner": "东家", "tags": ["试"]}
    group = client.post(f"{API}/groups", json=new).json()["id"]
    address = f"{API}/groups/{group}/messages"
    seq = 0
    for _ in range(times):
        assert client.post(address, json={"from": "东家", "text": "我的积分"}).status_code == 202
        said: list[str] = []
        while not any(text.startswith("@东家 你有") for text in said):
            lines = client.get(address, params={"after": seq, "wait": 10}).json()
            seq = max([seq, *(line["seq"] for line in lines)])
            said = [line["text"] for line in lines]


def test_who_asks_for_everything_and_reads_nothing_costs_no_memory(
    bot: stage.Bot, client: httpx.Client, open_sockets: ExitStack
) -> None:
    """Twenty of them: others are served, and the memory stays; who does read gets all."""
    lines = client.get(f"{API}/groups/g1/messages", params={"after": 0}).json()
    numbers = [line["text"].split()[0] for line in lines if line["text"].endswith("话")]
    assert numbers == [str(n) for n in range(MANY)]
    before = resident_mb(bot.process.pid)
    for _ in range(20):
        one = ask(
            bot.url, open_sockets, f"GET {API}/groups/g1/messages?after=0 HTTP/1.1\nHost: localhost\n\n"
        )
        assert one.recv(12) == b"HTTP/1.1 200"
    is_served(client, 5)
    # Each of the twenty asked for 28 MB.
    assert resident_mb(bot.process.pid) - before < 100


def test_a_page_that_never_reads_costs_no_memory(
    bot: stage.Bot, client: httpx.Client, open_sockets: ExitStack
) -> None:
    """Ten tabs whose browsers hang while 11 MB are said: what they do not read is not sent."""
    for number in range(10):
        tab(bot.url, client, open_sockets, number)
    is_served(client)
    before = resident_mb(bot.process.pid)
    for _ in range(60):
        long = {"from": "阿强", "text": "长" * 60_000}
        assert client.post(f"{API}/groups/g1/messages", json=long).status_code == 202
    is_served(client)
    # Kept for each tab it would be 300 MB, as NiceGUI and the socket keep it.
    assert resident_mb(bot.process.pid) - before < 100


def tab(url: str, client: httpx.Client, open_sockets: ExitStack, number: int) -> None:
    """A browser that opens the page, shakes hands, and then reads no more."""
    page = client.get("/").text
    found = re.search(r"[\"']client_id[\"']\s*:\s*[\"']([\w-]+)", page)
    assert found, page[:2000]
    query = {
        "client_id": found[1],
        "document_id": f"document-{number}",
        "tab_id": f"tab-{number}",
        "next_message_id": 0,
        "implicit_handshake": "true",
        "EIO": 4,
        "transport": "websocket",
    }
    one = ask(
        url,
        open_sockets,
        f"GET /_nicegui_ws/socket.io/?{urlencode(query)} HTTP/1.1\nHost: localhost\nUpgrade: websocket\n"
        "Connection: Upgrade\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n\n",
    )
    heard = b""
    while b"pingInterval" not in heard:
        heard += one.recv(4096)
    one.sendall(b"\x81\x82\0\0\0\0" + b"40")
    while b'40{"sid"' not in heard:
        heard += one.recv(4096)


def test_who_never_ends_a_message_holds_up_nobody(
    bot: stage.Bot, client: httpx.Client, open_sockets: ExitStack
) -> None:
    """A body that comes byte by byte, and one without end, which is refused in words."""
    head = f"POST {API}/groups/g1/messages HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
    slow = [ask(bot.url, open_sockets, f"{head}Content-Length: 5000\n\n") for _ in range(20)]
    for one in slow:
        one.sendall(b"{")
    before = resident_mb(bot.process.pid)
    endless = ask(bot.url, open_sockets, f"{head}Transfer-Encoding: chunked\n\n")
    threading.Thread(target=pour, args=(endless,), daemon=True).start()
    answer = b""
    while not answer.endswith(b"}"):
        answer += endless.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413"), answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"detail": "太长了。"}
    for one in slow:
        one.sendall(b'"')
    is_served(client)
    assert resident_mb(bot.process.pid) - before < 60
    assert client.post(f"{API}/groups/g1/messages", content=b"x" * (LARGEST_BODY + 1)).status_code == 413


def pour(one: socket.socket) -> None:
    """Write on until nobody takes any more."""
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    try:
        while True:
            one.sendall(piece)
    except OSError:
        pass
