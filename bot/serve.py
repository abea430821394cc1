"""`xiaoer run`: the bot and its pages in one process, until a signal ends it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from bot import collector
from bot.adapters.sandbox import faults, http
from bot.app import App
from bot.config import PAGE_PASSWORD, Settings
from bot.console import notes, settling, watch
from bot.console.password import Password
from bot.console.report import downloads
from bot.errors import Unusable
from storage.place import server_of

GRACE = 1  # second that clients have to take what was said to them, when it ends
# Seconds that an idle connection is kept: longer than clients do, or they ask on one that is just being closed.
KEEP_ALIVE = 75


async def run(settings: Settings, data: Path, library: Path) -> None:
    """Start everything, print `ready` and the address, and serve. Raises Unusable."""
    password = os.environ.get(PAGE_PASSWORD, "")
    if not settings.page.loopback and not password:
        raise Unusable(f"页面要开在 {settings.page.host} 上，请先用环境变量 {PAGE_PASSWORD} 设一个密码。")
    listening = _bind(settings.page.host, settings.page.port)
    app = App(settings, data, library)
    stop = _on_signals()
    try:
        await app.start()
    except BaseException:
        listening.close()
        raise
    watching = asyncio.get_running_loop().create_task(app.librarian.watch())
    try:
        await _serve(app, listening, password, stop, data)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        notes.end(data)
        await app.stop()


def face(app: App, password: str = "") -> FastAPI:
    """The HTTP face without the pages: what tests call through httpx, and `run` puts pages on."""
    made = FastAPI(title="小二", docs_url=None, redoc_url=None, openapi_url=None)
    faults.explain_faults(made)
    made.add_middleware(faults.Bounded)
    made.include_router(watch.router(app))
    made.include_router(settling.router(app))
    made.include_router(downloads.router(app))
    if app.sandbox is not None:
        made.include_router(http.router(app.sandbox, desk(app)))
    else:

        @made.get("/")
        async def at_work() -> PlainTextResponse:
            return PlainTextResponse(
                "小二在群里当差。沙箱没有开；这一周的安排在 /preview，周报在 /report，活动库和提醒在 /library。"
            )

    if app.settings.page.loopback:
        # A page elsewhere whose name is made to point here must not be served.
        made.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
    if password:
        made.add_middleware(Password, password=password)
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


def server_for(made: FastAPI) -> uvicorn.Server:
    """What serves the pages, ready to be given a socket."""
    return _Server(
        uvicorn.Config(
            made,
            log_config=None,  # bot/logs.py says how
            log_level="warning",
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE + 2,
            lifespan="on",
        )
    )


def _on_signals() -> asyncio.Event:
    """What is set by Ctrl-C or SIGTERM, from here on."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _serve(app: App, listening: socket.socket, password: str, stop: asyncio.Event, data: Path) -> None:
    made = face(app, password)
    _mount_pages(app, made)
    server = server_for(made)
    loop = asyncio.get_running_loop()
    serving = loop.create_task(server.serve(sockets=[listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if serving.done():
        await serving
        return
    host, port = listening.getsockname()[:2]
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - where a page for all is asked
    collector.rest()
    notes.begin(data, _at_work(app, _address(here, port)))
    print(f"ready {_address(host, port)}", flush=True)  # noqa: T201
    await asyncio.wait({serving, loop.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
    app.hurry()
    if app.sandbox is not None:
        await app.sandbox.stop()
    server.should_exit = True
    letting_go = loop.call_later(GRACE, _let_go, server)
    await serving
    letting_go.cancel()


def _mount_pages(app: App, made: FastAPI) -> None:
    """The pages for people. NiceGUI binds to one server in a process, and is half a second to import."""
    from bot.adapters.sandbox import page  # noqa: PLC0415
    from bot.console import library  # noqa: PLC0415
    from bot.console.preview import page as preview  # noqa: PLC0415
    from bot.console.report import page as report  # noqa: PLC0415

    if app.sandbox is not None:
        page.mount(made, app.sandbox, desk(app))
    else:
        page.bind(made)
    library.mount(app)
    preview.mount(app)
    report.mount(app)


def _at_work(app: App, address: str) -> notes.AtWork:
    return notes.AtWork(os.getpid(), address, app.since, server_of(app.place))


def _let_go(server: uvicorn.Server) -> None:
    """Drop who still reads nothing or has not ended; uvicorn would log a traceback for each of them."""
    for connection in list(server.server_state.connections):
        connection.transport.abort()


def _address(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


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
