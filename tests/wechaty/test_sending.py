"""What 小二 says goes out once, and what fails says whether it may be tried again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.wechaty import files
from bot.adapters.wechaty.adapter import WechatyAdapter
from bot.errors import NotSent, TooFast, Unsupported, Unsure
from bot.model import Announce, Card, Message, Person, Roster, Say
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


async def test_what_it_sent_itself_is_not_asked_for_when_it_comes_back(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox, tmp_path: Path
) -> None:
    """Its id is known from the answer to the sending, so a reply costs the gateway one call and not two."""
    file = tmp_path / "明细.csv"
    file.write_text("1")
    await adapter.send(Say(ROOM, "", file=file, card=Card("周报", "https://example.com", "")))
    await gateway.wait("sent", count=2)
    for sent in gateway.sent:
        await gateway.do("emit", event="message", payload={"messageId": sent["id"]})
    await gateway.do("say", **{"from": "mary"}, to=ROOM, text="收到")
    assert (await inbox.wait(Message)).text == "收到"
    assert (await gateway.do("calls"))["messageRawPayload"] == 1


async def test_a_private_text_calls_nobody(gateway: Gateway, adapter: WechatyAdapter) -> None:
    await adapter.send(Say("mary", "你的积分：5", private=True, mentions=(MARY,)))
    sent = await gateway.wait("sent")
    assert (sent["to"], sent["body"], sent["mentions"]) == ("mary", "你的积分：5", [])


async def test_picture_file_and_card_follow_their_text(
    gateway: Gateway, adapter: WechatyAdapter, tmp_path: Path
) -> None:
    picture, file = tmp_path / "排行榜.png", tmp_path / "明细.xlsx"
    picture.write_bytes(b"\x89PNG" * 500_000)
    file.write_bytes(b"PK")
    card = Card("周报\ud800", "https://example.com/a?b=1", "本周要点", "https://example.com/s.png")
    await adapter.send(Say(ROOM, "本周榜单", picture=picture, file=file, card=card))
    await gateway.wait("sent", count=4)
    assert [(line["kind"], line["to"], line["body"]) for line in gateway.sent] == [
        ("text", ROOM, "本周榜单"),
        ("file", ROOM, {"name": "排行榜.png", "size": 2_000_000}),
        ("file", ROOM, {"name": "明细.xlsx", "size": 2}),
        (
            "card",
            ROOM,
            {
                "title": "周报\ufffd",
                "url": "https://example.com/a?b=1",
                "description": "本周要点",
                "thumbnailUrl": "https://example.com/s.png",
            },
        ),
    ]
    await adapter.send(Say("mary", "", private=True, picture=picture))
    assert (await gateway.wait("sent", count=5))["to"] == "mary"


async def test_an_announcement_is_put_up(gateway: Gateway, adapter: WechatyAdapter) -> None:
    await adapter.send(Announce("今晚八点开奖\x00", ROOM))
    assert (await gateway.wait("did"))["args"] == [ROOM, "今晚八点开奖\ufffd"]


async def test_a_file_that_is_too_large_for_a_request_is_uploaded(
    gateway: Gateway, adapter: WechatyAdapter, tmp_path: Path
) -> None:
    file = tmp_path / "讲座.mp4"
    for size in (files.LARGEST_INSIDE, files.LARGEST_INSIDE + 1, 9_000_000):
        file.write_bytes(bytes(size))
        await adapter.send(Say(ROOM, "", file=file))
    await gateway.wait("sent", count=3)
    assert [line["body"] for line in gateway.sent] == [
        {"name": "讲座.mp4", "size": size} for size in (3_000_000, 3_000_001, 9_000_000)
    ]


async def test_a_gateway_that_takes_no_uploads_takes_no_large_files(
    gateway: Gateway, adapter: WechatyAdapter, tmp_path: Path
) -> None:
    await gateway.do("forget", method="Upload")
    file = tmp_path / "讲座.mp4"
    file.write_bytes(bytes(files.LARGEST_INSIDE + 1))
    with pytest.raises(Unsupported, match="网关办不到"):
        await adapter.send(Say(ROOM, "讲座来了", file=file))
    assert not await gateway.all_sent(), "nor their text"


async def test_a_file_that_cannot_be_sent_keeps_its_text_back(
    gateway: Gateway, adapter: WechatyAdapter, tmp_path: Path
) -> None:
    huge = tmp_path / "huge.mp4"
    with huge.open("wb") as made:
        made.truncate(files.LARGEST + 1)
    with pytest.raises(Unsupported, match="最多收 100000000 字节"):
        await adapter.send(Say(ROOM, "文件", file=huge))
    with pytest.raises(NotSent, match=r"读不了 missing\.png"):
        await adapter.send(Say(ROOM, "图", picture=tmp_path / "missing.png"))
    assert not await gateway.all_sent()


async def test_an_upload_that_broke_off_was_sent_to_nobody_and_may_be_tried_again(
    gateway: Gateway, adapter: WechatyAdapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "讲座.mp4"
    file.write_bytes(bytes(30_000_000))
    assert adapter._session
    adapter._session.link.deadline = 0.01
    monkeypatch.setattr(files, "SLOWEST", 1e12)
    with pytest.raises(NotSent, match="文件没有传到网关"):
        await adapter.send(Say(ROOM, "讲座来了", file=file))
    assert not await gateway.all_sent()


async def test_a_text_whose_picture_failed_is_not_sent_again(
    gateway: Gateway, adapter: WechatyAdapter, tmp_path: Path
) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"png")
    await gateway.do("fault", on="messageSendFile", error="no room")
    with pytest.raises(Unsure, match="文字发出去了，图片没有"):
        await adapter.send(Say(ROOM, "图来了", picture=picture, card=Card("周报", "https://example.com")))
    assert [line["kind"] for line in await gateway.all_sent()] == ["text"]


@pytest.mark.parametrize(
    ("method", "outgoing"),
    [
        ("messageSendText", Say(ROOM, "卡住了")),
        ("messageSendUrl", Say(ROOM, "", card=Card("周报", "https://example.com"))),
        ("roomAnnounce", Announce("卡住了", ROOM)),
    ],
)
async def test_a_gateway_that_does_not_answer_leaves_it_open_whether_it_sent(
    gateway: Gateway, inbox: RecordingInbox, method: str, outgoing: Say | Announce
) -> None:
    adapter = await _online(gateway, inbox, deadline=0.4)
    await gateway.do("fault", on=method, hang=True)
    with pytest.raises(Unsure, match="按时"):
        await adapter.send(outgoing)
    assert (await gateway.do("calls"))[method] == 1, "a send is never repeated"
    await adapter.send(Say(ROOM, "又好了"))
    await gateway.wait("sent")
    assert [line["body"] for line in gateway.sent] == ["又好了"]
    await adapter.stop()


async def test_a_puppet_that_raises_leaves_it_open_whether_it_sent(
    gateway: Gateway, adapter: WechatyAdapter
) -> None:
    await gateway.do("fault", on="messageSendText", error="sent, but I could not read it back")
    with pytest.raises(Unsure, match="could not read it back"):
        await adapter.send(Say(ROOM, "收到"))


async def test_what_the_platform_turns_away_as_too_much_was_not_sent(
    gateway: Gateway, adapter: WechatyAdapter
) -> None:
    await gateway.do("fault", on="messageSendText", error="rate limited", code=8)
    with pytest.raises(TooFast):
        await adapter.send(Say(ROOM, "收到"))
    with pytest.raises(Unsupported, match="太长"):
        await adapter.send(Say(ROOM, "长" * 1_500_000))
    assert not await gateway.all_sent()


async def test_nothing_is_sent_by_an_adapter_that_has_not_started(gateway: Gateway) -> None:
    with pytest.raises(NotSent, match="没有连上"):
        await new_adapter(gateway.endpoint).send(Say(ROOM, "在吗"))


async def _online(gateway: Gateway, inbox: RecordingInbox, *, deadline: float) -> WechatyAdapter:
    adapter = new_adapter(gateway.endpoint, deadline=deadline)
    await adapter.start(inbox)
    await gateway.wait("start")
    await gateway.do("login", id="bot")
    await inbox.wait(Roster)
    return adapter
