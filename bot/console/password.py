"""The password that pages off loopback are behind."""

from __future__ import annotations

import base64
import hmac

from fastapi import Response
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

COOKIE = "xiaoer"


class Password:
    """HTTP Basic for everything, websockets too; the user's name does not matter.

    Who knew the password gets a cookie, because Safari sends a websocket cookies alone.
    """

    def __init__(self, app: ASGIApp, password: str) -> None:
        self._app = app
        self._password = password.encode()
        self._pass = hmac.digest(self._password, b"xiaoer page", "sha256").hex()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        if not self._knows(asked):
            refusal = Response(
                "请输入密码", 401, {"WWW-Authenticate": 'Basic realm="xiaoer", charset="UTF-8"'}
            )
            await refusal(scope, receive, send)
            if scope["type"] == "websocket":
                # uvicorn's one way to take a refusal without an error in the log (its pull request 3138).
                raise ClientDisconnected
        elif scope["type"] == "http" and not self._passes(asked):
            await self._app(scope, receive, self._with_pass(send))
        else:
            await self._app(scope, receive, send)

    def _knows(self, asked: HTTPConnection) -> bool:
        scheme, given = get_authorization_scheme_param(asked.headers.get("Authorization"))
        if scheme.lower() != "basic":
            return self._passes(asked)
        try:
            said = base64.b64decode(given).partition(b":")[2]
        except ValueError:
            return False
        return hmac.compare_digest(said, self._password)

    def _passes(self, asked: HTTPConnection) -> bool:
        return hmac.compare_digest(asked.cookies.get(COOKIE, "").encode(), self._pass.encode())

    def _with_pass(self, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = f"{COOKIE}={self._pass}; Path=/; HttpOnly; SameSite=Strict"
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        return answer
