"""Drives gateway.mjs: one Node process, and as many gateways in it as tests ask for."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TOKEN = "token_of_the_tests"
Line = dict[str, Any]


class GatewayHost:
    """The Node process. It outlives event loops, so one can serve a whole session of tests."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["node", "--no-warnings", str(HERE / "gateway.mjs")],
            env={**os.environ, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self._waiting: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Future[Line]]] = {}
        self._gateways: dict[int, Gateway] = {}
        self._orders = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @asynccontextmanager
    async def gateway(self, port: int = 0, tls: Mapping[str, str] | None = None) -> AsyncIterator[Gateway]:
        """Open a gateway on a free port of the loopback, or on a given one; with `tls`, not in plain text."""
        more = {} if tls is None else {"tls": tls}
        opened = await self.order("open", None, port=port, token=TOKEN, **more)
        gateway = self._gateways[opened["gate"]] = Gateway(self, opened["gate"], opened["endpoint"])
        try:
            yield gateway
        finally:
            del self._gateways[gateway.number]
            if self._process.poll() is None:
                await self.order("close", gateway.number)

    async def order(self, op: str, gate: int | None, **args: object) -> Any:
        self._orders += 1
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Line] = loop.create_future()
        self._waiting[self._orders] = (loop, answer)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({**args, "op": op, "re": self._orders, "gate": gate}) + "\n")
        self._process.stdin.flush()
        line = await asyncio.wait_for(answer, 60)
        if "error" in line:
            raise AssertionError(f"{op}: {line['error']}")
        return line["value"]

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self.close()

    def freeze(self) -> None:
        """Stop it where it is: its connections stay open, and nobody answers."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End of input is its order to leave."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            line = json.loads(raw)
            if "re" in line:
                loop, answer = self._waiting.pop(line["re"])
                _tell(loop, _answer, answer, line)
            elif gateway := self._gateways.get(line["gate"]):
                _tell(gateway.loop, gateway.report, line)


class Gateway:
    """One gateway: `await do(op, …)` gives it an order, `await wait(ev, …)` waits for a report."""

    def __init__(self, host: GatewayHost, number: int, endpoint: str) -> None:
        self.number = number
        self.endpoint = endpoint
        self.loop = asyncio.get_running_loop()
        self.reports: list[Line] = []
        self._host = host
        self._news = asyncio.Event()

    @property
    def port(self) -> int:
        return int(self.endpoint.rpartition(":")[2])

    @property
    def sent(self) -> list[Line]:
        return [line for line in self.reports if line["ev"] == "sent"]

    async def all_sent(self) -> list[Line]:
        """All that the bot has sent until now: reports come in order, so those before an answer are here."""
        await self.do("calls")
        return self.sent

    async def do(self, op: str, **args: object) -> Any:
        return await self._host.order(op, self.number, **args)

    async def wait(self, ev: str, *, count: int = 1, within: float = 30, **match: object) -> Line:
        """The nth report that matches, old ones counted."""
        wanted = {**match, "ev": ev}.items()
        async with asyncio.timeout(within):
            while len(found := [line for line in self.reports if wanted <= _hashable(line)]) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]

    def report(self, line: Line) -> None:
        self.reports.append(line)
        self._news.set()


def _hashable(line: Line) -> set[tuple[str, object]]:
    return {(key, value) for key, value in line.items() if isinstance(value, str | int)}


def _answer(answer: asyncio.Future[Line], line: Line) -> None:
    if not answer.done():
        answer.set_result(line)


def _tell(loop: asyncio.AbstractEventLoop, do: Any, *args: object) -> None:
    with suppress(RuntimeError):  # the test is over, and its loop closed
        loop.call_soon_threadsafe(do, *args)
