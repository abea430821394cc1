"""What 小二 says goes out once, and what fails says whether it may be tried again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.wechaty.adapter import WechatyAdapter
from bot.errors import NotSent, Unsupported, Unsure
from bot.model import Person, Roster, Say
from tests.wechaty.conftest import ROOM, new_adapter
from tests.wechaty.fakes import RecordingInbox
from tests.wechaty.gateway import Gateway

MARY = Person("mary", "Mary")


async def test_a_text_calls_those_whom_it_mentions(gateway: Gateway, adapter: WechatyAdapter) -> None:
    await adapter.send(Say(ROOM, "收到", mentions=(MARY,)))
    sent = await gateway.wait("sent")
    assert (sent["to"], sent["body"], sent["mentions"]) == (ROOM, "@Mary\u2005收到", ["mary"])
    # A name that is not known is looked up.
    await adapter.send(Say(ROOM, "都收到", mentions=(MARY, Person("tom"))))
    sent = await gateway.wait("sent", count=2)
    assert (sent["body"], sent["mentions"]) == ("@Mary\u2005@Tom\u2005都收到", ["mary", "tom"])
    await adapter.send(Say(ROOM, "没点名\ud800"))
    sent = await gateway.wait("sent", count=3)
    assert (sent["body"], sent["mentions"]) == ("没点名\ufffd", [])


async def test_a_private_text_calls_nobody(gateway: Gateway, adapter: WechatyAdapter) -> None:
    await adapter.send(Say("mary", "你的积分：5", private=True, mentions=(MARY,)))
    sent = await gateway.wait("sent")
    assert (sent["to"], sent["body"], sent["mentions"]) == ("mary", "你的积分：5", [])


async def test_a_picture_follows_its_text(gateway: Gateway, adapter: WechatyAdapter, tmp_path: Path) -> None:
    picture = tmp_path / "排行榜.png"
    picture.write_bytes(b"\x89PNG" * 500_000)
    await adapter.send(Say(ROOM, "本周榜单", picture=picture))
    await gateway.wait("sent", count=2)
    text, file = gateway.sent
    assert (text["kind"], text["body"]) == ("text", "本周榜单")
    assert (file["kind"], file["to"], file["body"]) == (
        "file",
        ROOM,
        {"name": "排行榜.png", "size": 2_000_000},
    )
    await adapter.send(Say("mary", "", private=True, picture=picture))
    assert (await gateway.wait("sent", count=3))["to"] == "mary"


async def test_the_largest_picture_gets_through_and_a_larger_one_is_not_tried(
    gateway: Gateway, adapter: WechatyAdapter, tmp_path: Path
) -> None:
    picture = tmp_path / "big.png"
    picture.write_bytes(bytes(3_000_000))
    await adapter.send(Say(ROOM, "", picture=picture))
    assert (await gateway.wait("sent"))["body"]["size"] == 3_000_000
    picture.write_bytes(bytes(3_000_001))
    with pytest.raises(Unsupported):
        await adapter.send(Say(ROOM, "图", picture=picture))
    with pytest.raises(NotSent):
        await adapter.send(Say(ROOM, "图", picture=tmp_path / "missing.png"))
    assert len(gateway.sent) == 1


async def test_a_text_whose_picture_failed_is_not_sent_again(
    gateway: Gateway, adapter: WechatyAdapter, tmp_path: Path
) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"png")
    await gateway.do("fault", on="messageSendFile", error="no room")
    with pytest.raises(Unsure, match="图片没有"):
        await adapter.send(Say(ROOM, "图来了", picture=picture))
    assert [line["kind"] for line in gateway.sent] == ["text"]


async def test_a_gateway_that_does_not_answer_leaves_it_open_whether_it_sent(
    gateway: Gateway, inbox: RecordingInbox
) -> None:
    adapter = new_adapter(gateway.endpoint, deadline=1.0)
    await adapter.start(inbox)
    await gateway.wait("start")
    await gateway.do("login", id="bot")
    await inbox.wait(Roster)
    await gateway.do("fault", on="messageSendText", hang=True)
    with pytest.raises(Unsure, match="按时"):
        await adapter.send(Say(ROOM, "卡住了"))
    await adapter.send(Say(ROOM, "又好了"))
    assert [line["body"] for line in gateway.sent] == ["又好了"]
    assert (await gateway.do("calls"))["messageSendText"] == 2, "a send is never repeated"
    await adapter.stop()


async def test_a_puppet_that_raises_leaves_it_open_whether_it_sent(
    gateway: Gateway, adapter: WechatyAdapter
) -> None:
    await gateway.do("fault", on="messageSendText", error="sent, but I could not read it back")
    with pytest.raises(Unsure, match="could not read it back"):
        await adapter.send(Say(ROOM, "收到"))


async def test_nothing_is_sent_by_an_adapter_that_has_not_started(gateway: Gateway) -> None:
    with pytest.raises(NotSent, match="没有连上"):
        await new_adapter(gateway.endpoint).send(Say(ROOM, "在吗"))
