"""Messages come in as they were said: in order, once, and only those that are for us."""

from __future__ import annotations

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from bot.adapters.wechaty.adapter import WechatyAdapter
from bot.model import MINUTE, Message, Person, Roster, Say
from tests.wechaty.conftest import ACCOUNT, ROOM
from tests.wechaty.fakes import RecordingInbox
from tests.wechaty.gateway import Gateway


async def test_a_rooms_roster_precedes_its_first_message(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    # A room that came after the login, of which the gateway tells nothing.
    await gateway.do("room", id="r2@chatroom", topic="新群", owner="tom", members=["bot", "tom", "mary"])
    message = await gateway.do("say", **{"from": "tom"}, to="r2@chatroom", text="签到", timestamp=_ms())
    said = await inbox.wait(Message)
    roster, said_again = inbox.events[1:]
    assert isinstance(roster, Roster)
    assert (roster.chat, roster.title, roster.owner) == ("r2@chatroom", "新群", "tom")
    assert roster.members == (Person("tom"), Person("mary"))
    assert said is said_again
    assert said == Message(ACCOUNT, "r2@chatroom", message, Person("tom", "Tom"), "签到", said.at)
    assert said.at % 1_000 == 0
    assert abs(said.at - time.time() * 1e6) < MINUTE


async def test_messages_of_a_room_stay_in_order(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("room", id="r2@chatroom", topic="新群", members=["bot", "tom"])
    texts = [f"第 {n} 条" for n in range(200)]
    # The first payloads come late, and the rest at once.
    await gateway.do("fault", on="messageRawPayload", ms=100, times=5)
    await asyncio.gather(
        gateway.do("burst", **{"from": "mary"}, to=ROOM, texts=texts),
        gateway.do("burst", **{"from": "tom"}, to="r2@chatroom", texts=texts),
    )
    await inbox.wait(Message, 400, within=10)
    for room in (ROOM, "r2@chatroom"):
        assert [said.text for said in inbox.of(Message) if said.chat == room] == texts


async def test_a_name_is_looked_up_once_and_again_when_the_gateway_says_it_changed(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("alias", room=ROOM, who="mary", alias="玛丽")
    for text in ("一", "二"):
        await gateway.do("say", **{"from": "mary"}, to=ROOM, text=text)
    assert (await inbox.wait(Message, 2)).sender == Person("mary", "玛丽")
    calls = await gateway.do("calls")
    assert calls["roomMemberRawPayload"] == 1
    assert "contactRawPayload" not in calls
    await gateway.do("alias", room=ROOM, who="mary", alias="玛丽二世")
    await gateway.do("emit", event="dirty", payload={"payloadType": 4, "payloadId": ROOM})
    await gateway.do("say", **{"from": "mary"}, to=ROOM, text="三")
    assert (await inbox.wait(Message, 3)).sender == Person("mary", "玛丽二世")


async def test_a_private_message_is_named_by_its_sender(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    message = await gateway.do("say", **{"from": "tom"}, to="bot", text=" 你好\u2005")
    said = await inbox.wait(Message)
    assert said == Message(ACCOUNT, "tom", message, Person("tom", "Tom"), "你好", said.at, private=True)


@pytest.mark.parametrize(
    ("text", "mentions", "to_bot", "read"),
    [
        ("@小二\u2005签到", ["bot"], True, "签到"),
        ("@小二 签到", [], True, "签到"),
        ("@店小二\u2005 签到 ", [], True, "签到"),
        ("@掌柜的\u2005签到", ["bot"], True, "签到"),
        ("签到 @小二\u2005", ["bot"], True, "签到 @小二"),
        ("@小二\u2005签到", ["tom"], False, "@小二\u2005签到"),
        ("@小二黑 签到", [], False, "@小二黑 签到"),
        ("签到", [], False, "签到"),
    ],
)
async def test_a_call_is_a_mention_or_else_the_name_at_the_head(
    gateway: Gateway,
    adapter: WechatyAdapter,
    inbox: RecordingInbox,
    text: str,
    mentions: list[str],
    to_bot: bool,
    read: str,
) -> None:
    await gateway.do("alias", room=ROOM, who="bot", alias="店小二")
    await gateway.do("say", **{"from": "mary"}, to=ROOM, text=text, mentions=mentions)
    said = await inbox.wait(Message)
    assert (said.to_bot, said.text) == (to_bot, read)


async def test_what_is_own_old_repeated_or_no_text_is_dropped(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    mary = {"from": "mary", "to": ROOM}
    await adapter.send(Say(ROOM, "我自己说的"))  # comes back as an event
    await gateway.do("say", **mary, text="十一分钟前", timestamp=_ms() - 11 * 60_000)
    await gateway.do("say", **mary, text="十一分钟前", timestamp=_ms() // 1_000 - 11 * 60)
    for kind in ("Image", "Unknown", "Post", 17, 99, 100_000):
        await gateway.do("say", **mary, text="[图]", type=kind)
    await gateway.do("say", **mary, text="九分钟前", timestamp=_ms() - 9 * 60_000)
    once = await gateway.do("say", **mary, text="按秒算", timestamp=_ms() // 1_000)
    await gateway.do("emit", event="message", payload={"messageId": once})
    await gateway.do("say", **mary, text="完")
    await inbox.wait(Message, 3)
    assert [said.text for said in inbox.of(Message)] == ["九分钟前", "按秒算", "完"]
    assert abs(inbox.of(Message)[1].at - time.time() * 1e6) < MINUTE


async def test_yesterdays_messages_at_a_login_are_dropped_and_those_of_now_are_not_told_twice(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    mary = {"from": "mary", "to": ROOM}
    heard = await gateway.do("say", **mary, text="签到")
    await inbox.wait(Message)
    await gateway.do("logout", reason="again")
    await gateway.do("login", id="bot")
    yesterday = _ms() - 86_400_000
    await gateway.do("burst", **mary, texts=[f"昨天 {n}" for n in range(50)], timestamp=yesterday)
    await gateway.do("burst", **mary, texts=["昨天按秒"], timestamp=yesterday // 1_000)
    await gateway.do("emit", event="message", payload={"messageId": heard})
    await gateway.do("say", **mary, text="刚才漏的", timestamp=_ms() - 60_000)
    await inbox.wait(Message, 2)
    assert [said.text for said in inbox.of(Message)] == ["签到", "刚才漏的"]


async def test_a_message_that_comes_again_under_a_new_id_is_dropped_and_one_typed_again_is_not(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    began = _ms() - 60_000

    async def say(who: str, text: str, after: float) -> None:
        await gateway.do("say", **{"from": who}, to=ROOM, text=text, timestamp=began + int(after * 1_000))

    for who, text, after in (
        ("mary", "积分", 0),
        ("mary", "积分", 0),  # another id, the platform's same moment
        ("mary", "积分", 3),  # another id, 3 s later
        ("tom", "积分", 3),
        ("mary", "帮助", 3),
        ("mary", "积分", 9),  # no answer came, or so it seemed
        ("mary", "积分", 12),  # and that, too, comes twice
        ("mary", "积分", 20),
        ("mary", "积分", 20.8),  # in a hurry
    ):
        await say(who, text, after)
    await inbox.wait(Message, 6)
    told = [(said.sender.id, said.text, said.at // 1_000 - began) for said in inbox.of(Message)]
    assert told == [
        ("mary", "积分", 0),
        ("tom", "积分", 3_000),
        ("mary", "帮助", 3_000),
        ("mary", "积分", 9_000),
        ("mary", "积分", 20_000),
        ("mary", "积分", 20_800),
    ]


async def test_unfit_characters_in_texts_and_names_are_replaced(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("contact", id="odd", name="怪\x00人")
    await gateway.do("say", **{"from": "odd"}, to=ROOM, text="a\x00b\ud800c")
    said = await inbox.wait(Message)
    assert said.sender.name == "怪\ufffd人"
    assert said.text.encode().decode() == said.text
    assert "\x00" not in said.text


async def test_a_payload_that_cannot_be_had_at_first_is_asked_for_again(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("fault", on="messageRawPayload", error="not yet", times=2)
    await gateway.do("burst", **{"from": "mary"}, to=ROOM, texts=["一", "二"])
    await inbox.wait(Message, 2)
    assert [said.text for said in inbox.of(Message)] == ["一", "二"]


async def test_events_that_nobody_can_read_disturb_nothing(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    events = ("error", "dong", "ready", "reset", "room-join", "room-leave", "room-topic", "room-invite")
    with capture_logs() as logs:
        for event in (*events, "post", "friendship", "scan", "message", "login", "error"):
            await gateway.do("emit", event=event, payload={"data": "?", "gerror": {"code": 1}, "status": 99})
        await gateway.do("emit", event="message", payload={"messageId": 7})
        await gateway.do("say", **{"from": "mary"}, to=ROOM, text="还在")
        assert (await inbox.wait(Message)).text == "还在"
    assert [line["event"] for line in logs] == ["wechaty_gateway_error"], "once, and nothing else"


async def test_a_full_inbox_holds_its_room_up_and_loses_nothing(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    inbox.flood()
    await gateway.do("burst", **{"from": "mary"}, to=ROOM, texts=["一", "二", "三"])
    await inbox.wait(Message)
    await asyncio.sleep(0.1)
    assert len(inbox.of(Message)) == 1
    inbox.drain()
    await inbox.wait(Message, 3)
    assert [said.text for said in inbox.of(Message)] == ["一", "二", "三"]


def _ms() -> int:
    return time.time_ns() // 1_000_000
