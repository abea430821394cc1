"""A gateway that answers late, wrongly or not at all holds up as little as can be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from bot.adapters.wechaty import link, listener, names
from bot.adapters.wechaty.adapter import WechatyAdapter
from bot.clock import MovableClock
from bot.model import HOUR, MINUTE, Joined, Message, Person, Roster
from tests.wechaty.conftest import ROOM, new_adapter
from tests.wechaty.fakes import RecordingInbox
from tests.wechaty.gateway import Gateway

OTHER = "r2@chatroom"


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "FETCH_DEADLINE", 0.6)
    monkeypatch.setattr(link, "RETRY_AFTER", (0.05, 0.1))
    monkeypatch.setattr(listener, "HOLD", 0.1)
    monkeypatch.setattr(names, "PATIENCE", 0.3)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def adapter(
    gateway: Gateway, inbox: RecordingInbox, clock: MovableClock
) -> AsyncIterator[WechatyAdapter]:
    """As in conftest.py, with a clock that can be moved."""
    adapter = new_adapter(gateway.endpoint, clock)
    await adapter.start(inbox)
    await gateway.wait("start")
    await gateway.do("login", id="bot")
    await inbox.wait(Roster)
    yield adapter
    await adapter.stop()


async def test_a_message_whose_payload_hangs_is_overtaken_and_comes_when_it_can(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "FETCH_DEADLINE", 2.0)
    await gateway.do("fault", on="messageRawPayload", hang=True)
    await say(gateway, "tom", "卡住的", to=OTHER, room=True)
    for text in ("一", "二", "三"):
        await say(gateway, "mary", text)
    await inbox.wait(Message, 4)
    assert texts(inbox) == ["一", "二", "三", "卡住的"]


async def test_payloads_that_are_all_slow_overtake_nobody(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "FETCH_DEADLINE", 10.0)
    await gateway.do("fault", on="messageRawPayload", ms=250, times=20)
    numbers = [str(n) for n in range(20)]
    await gateway.do("burst", **{"from": "mary"}, to=ROOM, texts=numbers)
    await inbox.wait(Message, 20)
    assert texts(inbox) == numbers


async def test_a_room_whose_payload_hangs_holds_up_its_own_messages_alone(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("fault", on="roomRawPayload", hang=True)
    await say(gateway, "tom", "这个群还不认得", to=OTHER, room=True)
    await say(gateway, "tom", "第二句", to=OTHER)
    await say(gateway, "mary", "我们这里没事")
    await inbox.wait(Message, 3)
    assert texts(inbox) == ["我们这里没事", "这个群还不认得", "第二句"]
    assert inbox.of(Roster)[1].chat == OTHER


async def test_a_message_does_not_wait_long_for_a_room_or_a_name_that_cannot_be_had(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox, clock: MovableClock
) -> None:
    for method in ("roomRawPayload", "roomMemberRawPayload", "contactRawPayload"):
        await gateway.do("fault", on=method, error="unknown", times=100)
    await say(gateway, "tom", "一", to=OTHER, room=True)
    await say(gateway, "tom", "二", to=OTHER)
    await inbox.wait(Message, 2)
    assert inbox.events[1:] == inbox.of(Message), "without a roster"
    assert [said.sender for said in inbox.of(Message)] == [Person("tom")] * 2
    assert (await gateway.do("calls"))["roomRawPayload"] == 1 + 3, "tried for the first message alone"
    assert not adapter.sees(OTHER)
    # Later the gateway knows the room.
    await gateway.do("fault", on="roomRawPayload", times=0)
    clock.set(clock.now() + MINUTE)
    await say(gateway, "tom", "三", to=OTHER)
    await inbox.wait(Message, 3)
    assert isinstance(inbox.events[3], Roster)
    assert adapter.sees(OTHER)


async def test_names_that_hang_in_every_room_hold_up_no_message_for_long(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "PATIENCE", 1.0)
    await gateway.do("fault", on="roomMemberRawPayload", hang=True, times=1_000)
    rooms = [f"r{n}@chatroom" for n in range(100, 112)]
    for room in rooms:
        await say(gateway, "tom", "在", to=room, room=True)
    await gateway.do("say", **{"from": "tom"}, to="bot", text="悄悄话")
    await inbox.wait(Message, 13)
    assert texts(inbox)[0] == "悄悄话", "what needs no such name waits for none"


async def test_what_was_under_way_when_the_connection_broke_is_asked_for_again_on_the_next(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("fault", on="messageRawPayload", hang=True)
    await say(gateway, "mary", "签到")
    async with asyncio.timeout(30):
        while not (await gateway.do("calls")).get("messageRawPayload"):
            await asyncio.sleep(0.01)
    with capture_logs() as logs:
        await gateway.do("away")
        await gateway.do("back")
        assert (await inbox.wait(Message)).text == "签到"
    assert [line["event"] for line in logs] == ["wechaty_gateway_gone", "wechaty_gateway_reached"]


async def test_a_message_that_cannot_be_had_is_told_in_the_log_and_heard_when_it_is_offered_again(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("fault", on="messageRawPayload", error="not yet", times=3)
    with capture_logs() as logs:
        message = await say(gateway, "mary", "签到")
        async with asyncio.timeout(30):
            while not logs:
                await asyncio.sleep(0.01)
        await say(gateway, "mary", "下一句")
        assert (await inbox.wait(Message)).text == "下一句"
    assert [(line["event"], line["what"]) for line in logs] == [("wechaty_fetch_failed", "message")]
    await gateway.do("emit", event="message", payload={"messageId": message})
    assert (await inbox.wait(Message, 2)).text == "签到"


async def test_members_are_reconciled_with_the_member_list_now_and_then(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox, clock: MovableClock
) -> None:
    # Tom's join was never told, and the room's payload is an old one.
    await gateway.do("members", room=ROOM, list=["bot", "mary", "tom"])
    await say(gateway, "mary", "早", at=clock)
    await inbox.wait(Message)
    assert len(inbox.of(Roster)) == 1
    clock.set(clock.now() + 7 * HOUR)
    await say(gateway, "mary", "晚", at=clock)
    await say(gateway, "mary", "安", at=clock)
    await inbox.wait(Message, 3)
    assert [type(event) for event in inbox.events] == [Roster, Message, Roster, Message, Message]
    assert inbox.of(Roster)[1].members == (Person("mary", "Mary"), Person("tom"))


@pytest.mark.parametrize("kind", [3, 4], ids=["room", "room member"])
async def test_a_room_that_the_gateway_calls_dirty_is_told_anew(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox, kind: int
) -> None:
    await gateway.do("members", room=ROOM, payload=["bot", "mary", "tom"])
    await gateway.do("emit", event="dirty", payload={"payloadType": kind, "payloadId": ROOM})
    await say(gateway, "mary", "早")
    await inbox.wait(Message)
    assert inbox.of(Roster)[1].members == (Person("mary"), Person("tom"))


@pytest.mark.parametrize("change", ["dirty", "topic", "rejoin"])
async def test_a_name_is_asked_for_again_after_what_may_have_changed_it(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox, change: str
) -> None:
    await say(gateway, "mary", "一")
    await inbox.wait(Message)
    await gateway.do("rename", id="mary", name="玛丽")
    if change == "dirty":
        await gateway.do("emit", event="dirty", payload={"payloadType": 2, "payloadId": "mary"})
    elif change == "topic":
        await gateway.do("topic", room=ROOM, topic="新名字", by="mary")
    else:
        await gateway.do("leave", room=ROOM, who=["mary"], by="mary")
        await gateway.do("join", room=ROOM, who=["mary"], by="tom")
        assert (await inbox.wait(Joined)).people == (Person("mary", "玛丽"),)
    await say(gateway, "mary", "二")
    assert (await inbox.wait(Message, 2)).sender == Person("mary", "玛丽")


async def say(
    gateway: Gateway,
    who: str,
    text: str,
    *,
    to: str = ROOM,
    room: bool = False,
    at: MovableClock | None = None,
) -> str:
    """Somebody speaks; in a room that was not there before, with `room`; and by the clock, with `at`."""
    if room:
        await gateway.do("room", id=to, topic="另一个群", owner=who, members=["bot", who])
    more = {"timestamp": at.now() // 1_000} if at else {}
    said: str = await gateway.do("say", **{"from": who}, to=to, text=text, **more)
    return said


def texts(inbox: RecordingInbox) -> list[str]:
    return [said.text for said in inbox.of(Message)]
