"""What the sandbox's HTTP face answers to a caller's fault: a status, and {"detail"} in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Part

from bot.adapters.sandbox.adapter import Impossible, Missing
from bot.errors import Away

# The longest line, each of its characters written as JSON may write it, and more.
LARGEST_BODY = 8_000_000


class Bounded:
    """Takes in no body that nobody could mean: it would be held in memory as a whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken = 0

        async def bounded() -> Part:
            nonlocal taken
            part = await receive()
            taken += len(part.get("body", b""))
            if taken > LARGEST_BODY:
                raise HTTPException(413, "太长了。")
            return part

        await self._app(scope, bounded if scope["type"] == "http" else receive, send)


def explain_faults(app: FastAPI) -> None:
    """Answer every fault of a caller's with {"detail"} in words."""

    @app.exception_handler(Missing)
    async def missing(_request: Request, error: Missing) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 404)

    @app.exception_handler(Impossible)
    async def impossible(_request: Request, error: Impossible) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 409)

    @app.exception_handler(Away)
    async def away(_request: Request, error: Away) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 503)

    @app.exception_handler(StarletteHTTPException)
    async def other(request: Request, error: StarletteHTTPException) -> Response:
        if error.status_code == 400:  # FastAPI's word for a body that is no text at all
            return JSONResponse({"detail": "不是 JSON"}, 422)
        return await http_exception_handler(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": "；".join(_sentence(one) for one in error.errors())}, 422)


def _sentence(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"] if part not in ("body", "query", "path"))
    said = {
        "missing": "缺了",
        "json_invalid": "不是 JSON",
        "string_type": "要写文字",
        "string_too_long": "太长了",
        "string_unicode": "有写坏的字符",
        "list_type": "要写成列表",
        "too_long": "太长了",
        "int_parsing": "要写整数",
        "float_parsing": "要写数字",
        "greater_than_equal": "不能小于 0",
        "value_error": str(error.get("ctx", {}).get("error", "")),
    }.get(error["type"], "写得不对")
    return f"{where} {said}".strip()
