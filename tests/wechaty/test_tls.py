"""TLS to the gateway: its certificate is checked, always, and against whom the operator trusts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from structlog.testing import capture_logs

from bot.adapters.wechaty.adapter import WechatyAdapter
from bot.adapters.wechaty.tls import Tls
from bot.config import Settings
from bot.errors import Unusable
from bot.model import Message, Roster, Say
from bot.ports import State
from tests.wechaty.chat import at_work, log_in
from tests.wechaty.conftest import ACCOUNT, ROOM, new_adapter, people
from tests.wechaty.fakes import RecordingInbox
from tests.wechaty.gateway import TOKEN, Gateway, GatewayHost


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> Path:
    """The file that an operator is given to trust."""
    path = tmp_path / "gateway-ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def identity(authority: trustme.CA, name: str) -> Mapping[str, str]:
    """A certificate made out to somebody, as the gateway takes it."""
    made = authority.issue_cert(name)
    chain = b"".join(blob.bytes() for blob in made.cert_chain_pems)
    return {"serverCert": chain.decode(), "serverKey": made.private_key_pem.bytes().decode()}


@asynccontextmanager
async def guarded(host: GatewayHost, certificate: Mapping[str, str]) -> AsyncIterator[Gateway]:
    async with host.gateway(tls=certificate) as gateway:
        await people(gateway)
        yield gateway


async def test_messages_come_and_go_over_tls(
    gateway_host: GatewayHost, authority: trustme.CA, ca: Path, inbox: RecordingInbox, tmp_path: Path
) -> None:
    file = tmp_path / "large.dat"
    file.write_bytes(bytes(4_000_000))
    async with guarded(gateway_host, identity(authority, "127.0.0.1")) as gateway:
        adapter = new_adapter(gateway.endpoint, tls=Tls(ca))
        await adapter.start(inbox)
        await gateway.wait("start")
        await gateway.do("login", id="bot")
        await inbox.wait(Roster)
        await gateway.do("say", **{"from": "mary"}, to=ROOM, text="签到")
        assert (await inbox.wait(Message)).text == "签到"
        await adapter.send(Say(ROOM, "收到", file=file))
        assert [line["kind"] for line in await gateway.all_sent()] == ["text", "file"]
        # And it finds back.
        await gateway.do("away")
        await gateway.do("back")
        await inbox.wait(Roster, 2)
        await adapter.stop()


@pytest.mark.parametrize("name", ["gateway.example", ""])
async def test_a_gateway_is_known_by_the_name_that_is_configured(
    gateway_host: GatewayHost, authority: trustme.CA, ca: Path, inbox: RecordingInbox, name: str
) -> None:
    async with guarded(gateway_host, identity(authority, "gateway.example")) as gateway:
        adapter = new_adapter(gateway.endpoint, tls=Tls(ca, name))
        await adapter.start(inbox)
        if name:
            await gateway.wait("start")
        else:
            assert "证书信不过" in await why_gone(adapter)
        await adapter.stop()


async def test_a_certificate_that_nobody_vouches_for_is_refused_and_told_once(
    gateway_host: GatewayHost, authority: trustme.CA, inbox: RecordingInbox
) -> None:
    async with guarded(gateway_host, identity(authority, "127.0.0.1")) as gateway:
        with capture_logs() as logs:
            adapter = new_adapter(gateway.endpoint, tls=Tls(), backoff=(0.01, 0.01))
            await adapter.start(inbox)
            assert "证书信不过" in await why_gone(adapter)
            await adapter.stop()
        assert not [line for line in gateway.reports if line["ev"] == "start"]
    assert [line["event"] for line in logs] == ["wechaty_gateway_gone"]


async def test_plain_text_and_tls_do_not_understand_each_other_and_it_says_so(
    gateway_host: GatewayHost, gateway: Gateway, authority: trustme.CA, inbox: RecordingInbox
) -> None:
    adapter = new_adapter(gateway.endpoint, tls=Tls())
    await adapter.start(inbox)
    assert "TLS" in await why_gone(adapter)
    await adapter.stop()
    async with guarded(gateway_host, identity(authority, "127.0.0.1")) as other:
        adapter = new_adapter(other.endpoint)
        await adapter.start(inbox)
        assert await why_gone(adapter) == "和网关的连接断了"
        await adapter.stop()


async def test_it_is_switched_on_in_the_configuration(
    gateway_host: GatewayHost,
    authority: trustme.CA,
    ca: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XIAOER_WECHATY_TOKEN", TOKEN)
    async with guarded(gateway_host, identity(authority, "gateway.example")) as gateway:
        account = {
            "endpoint": gateway.endpoint,
            "tls": True,
            "tls_ca": str(ca),
            "tls_name": "gateway.example",
        }
        async with at_work(tmp_path, {ACCOUNT: account}) as app:
            await log_in(app, gateway)


def test_a_file_of_certificates_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for path in (tmp_path / "missing.pem", empty):
        with pytest.raises(Unusable, match=path.name):
            new_adapter("127.0.0.1:1", tls=Tls(path))


def test_whom_to_trust_says_nothing_without_tls() -> None:
    account = {"name": "shop", "endpoint": "127.0.0.1:8788", "tls_ca": "ca.pem"}
    with pytest.raises(ValueError, match="tls: true"):
        Settings.model_validate({"accounts": [account]})


async def why_gone(adapter: WechatyAdapter) -> str:
    """What the operator is told when the first attempt has failed."""
    async with asyncio.timeout(30):
        while adapter.state is not State.GONE:
            await asyncio.sleep(0.01)
    return adapter.note
