"""`xiaoer run`: the bot and its pages in one process, until a signal ends it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.security.utils import get_authorization_scheme_param
from starlette.middleware.trustedhost import TrustedHostMiddleware

from bot.adapters.sandbox import http
from bot.app import App
from bot.config import Settings
from bot.errors import Unusable

PASSWORD = "XIAOER_PAGE_PASSWORD"  # noqa: S105 - the name of a variable


async def run(settings: Settings, data: Path, library: Path) -> None:
    """Start everything, print `ready` and the address, and serve. Raises Unusable."""
    password = os.environ.get(PASSWORD, "")
    if not settings.page.loopback and not password:
        raise Unusable(f"页面要开在 {settings.page.host} 上，请先用环境变量 {PASSWORD} 设一个密码。")
    listening = _bind(settings.page.host, settings.page.port)
    app = App(settings, data, library)
    try:
        await app.start()
    except BaseException:
        listening.close()
        raise
    try:
        await _serve(app, listening, password)
    finally:
        await app.stop()


def face(app: App, password: str = "") -> FastAPI:
    """The HTTP face without the pages: what tests call through httpx, and `run` puts pages on."""
    made = FastAPI(title="小二", docs_url=None, redoc_url=None, openapi_url=None)
    http.explain_faults(made)
    if app.sandbox is not None:
        made.include_router(http.router(app.sandbox, desk(app)))
    if app.settings.page.loopback:
        # A page elsewhere whose name is made to point here must not be served.
        made.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]", "test"])
    if password:
        _ask_password(made, password)
    return made


def desk(app: App) -> http.Desk:
    """What the sandbox's faces may ask of the rest."""
    move = app.mover.move if app.mover else None
    return http.Desk(app.clock, app.settings.timezone, app.tags, move)


class _Server(uvicorn.Server):
    """uvicorn, with the signals left to us: it would raise them again after serving."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(app: App, listening: socket.socket, password: str) -> None:
    made = face(app, password)
    if app.sandbox is not None:
        from bot.adapters.sandbox import page  # noqa: PLC0415 - NiceGUI binds to one server in a process

        page.mount(made, app.sandbox, desk(app))
    server = _Server(
        uvicorn.Config(
            made, log_level="warning", access_log=False, timeout_graceful_shutdown=2, lifespan="on"
        )
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    serving = loop.create_task(server.serve(sockets=[listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    host, port = listening.getsockname()[:2]
    print(f"ready http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)  # noqa: T201
    await asyncio.wait({serving, loop.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
    if app.sandbox is not None:
        await app.sandbox.stop()
    server.should_exit = True
    await serving


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(512)
    except OSError as error:
        made.close()
        raise Unusable(
            f"端口 {port} 用不了（{error.strerror}），可能别的程序占着。换一个：xiaoer run --port 8700"
        ) from None
    return made


def _ask_password(made: FastAPI, password: str) -> None:
    """HTTP Basic for everything; the user's name does not matter."""

    @made.middleware("http")
    async def ask(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if _knows(request, password):
            return await call_next(request)
        return Response("请输入密码", 401, {"WWW-Authenticate": 'Basic realm="xiaoer", charset="UTF-8"'})


def _knows(request: Request, password: str) -> bool:
    scheme, given = get_authorization_scheme_param(request.headers.get("Authorization"))
    if scheme.lower() != "basic":
        return False
    try:
        said = base64.b64decode(given).partition(b":")[2]
    except ValueError:
        return False
    return secrets.compare_digest(said, password.encode())
