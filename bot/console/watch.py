"""The two addresses for those who watch from outside: /healthz and /metrics."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from bot.console.health import examine
from bot.console.metrics import scrape

if TYPE_CHECKING:
    from bot.app import App


def router(app: App) -> APIRouter:
    """They stand where the page stands, and behind its password where it has one."""
    api = APIRouter()

    @api.get("/healthz")
    async def healthz() -> JSONResponse:
        health = await examine(app)
        return JSONResponse(asdict(health), 503 if health.reasons else 200)

    @api.get("/metrics")
    async def metrics() -> Response:
        return Response(await scrape(app), media_type=CONTENT_TYPE_LATEST)

    return api
