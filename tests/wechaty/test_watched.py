"""A gateway is killed while somebody watches: seen at once by whoever asks, and again when it is back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner

from bot.cli import app
from tests.cli.test_process import ready, start
from tests.console.scraped import numbers
from tests.wechaty.conftest import BACK_WITHIN, people
from tests.wechaty.gateway import TOKEN, Gateway, GatewayHost


async def until(address: str, code: int, within: float = BACK_WITHIN) -> dict[str, Any]:
    """What /healthz says once it answers so."""
    async with httpx.AsyncClient() as http, asyncio.timeout(within):
        while (answer := await http.get(f"{address}/healthz")).status_code != code:
            await asyncio.sleep(0.05)
    found: dict[str, Any] = answer.json()
    return found


async def online(address: str) -> float:
    async with httpx.AsyncClient() as http:
        return numbers((await http.get(f"{address}/metrics")).text)("xiaoer_account_online", account="shop")


async def log_in(gateway: Gateway) -> None:
    await people(gateway)
    await gateway.wait("start", within=BACK_WITHIN)
    await gateway.do("login", id="bot")


async def test_a_gateway_that_is_killed_is_seen_and_so_is_its_return(
    node_env: Mapping[str, str], tmp_path: Path
) -> None:
    """In /healthz, in /metrics and in `xiaoer status`; back within ten seconds of the gateway."""
    config, data = tmp_path / "config.yaml", tmp_path / "data"
    words = ("--data", str(data), "--config", str(config))

    def status() -> tuple[int, str, list[str]]:
        result = CliRunner().invoke(app, ["status", "--json", *words])
        found = json.loads(result.stdout)
        return result.exit_code, found["accounts"]["shop"], found["reasons"]

    host = GatewayHost({**node_env})
    try:
        async with host.gateway() as gateway:
            port = gateway.port
            config.write_text(
                f'accounts: [{{name: shop, endpoint: "{gateway.endpoint}", token_env: SHOP_TOKEN}}]\n'
                "page: {port: 0}\n"
            )
            process = start("run", *words, SHOP_TOKEN=TOKEN)
            try:
                address = await asyncio.to_thread(ready, process)
                await log_in(gateway)
                assert (await until(address, 200))["accounts"] == {"shop": "online"}
                assert await online(address) == 1
                assert await asyncio.to_thread(status) == (0, "online", [])

                await asyncio.to_thread(host.kill)
                (reason,) = (await until(address, 503))["reasons"]
                assert "账号 shop" in reason
                assert await online(address) == 0
                code, state, reasons = await asyncio.to_thread(status)
                assert (code, state != "online", len(reasons)) == (1, True, 1)

                host = GatewayHost({**node_env})
                async with host.gateway(port) as back:
                    await log_in(back)
                    assert (await until(address, 200))["reasons"] == []
                    assert await online(address) == 1
                process.terminate()
                assert await asyncio.to_thread(process.wait, BACK_WITHIN) == 0
            finally:
                process.kill()
                process.communicate()
    finally:
        host.close()
