"""Who is in a room: rosters at each login, joins, leaves, topics and invitations."""

from __future__ import annotations

from bot.adapters.wechaty.adapter import WechatyAdapter
from bot.model import Accept, Invited, Joined, Left, Message, Person, Roster
from bot.ports import State
from tests.wechaty.conftest import ACCOUNT, ROOM
from tests.wechaty.fakes import RecordingInbox
from tests.wechaty.gateway import Gateway


async def test_a_login_tells_the_roster_of_every_room_without_asking_for_names(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    crowd = [f"m{n}" for n in range(300)]
    await gateway.do("room", id="big@chatroom", topic="大群", owner="m7", members=["bot", *crowd])
    await gateway.do("room", id="gone@chatroom", topic="退了的群", members=["mary", "tom"])
    await gateway.do("logout", reason="again")
    await gateway.do("login", id="bot")
    await inbox.wait(Roster, 3)
    first, *others = inbox.of(Roster)
    at = first.at
    assert first == Roster(ACCOUNT, ROOM, "福利群", "mary", (Person("mary"),), at)
    rosters = {roster.chat: roster for roster in others}
    assert set(rosters) == {ROOM, "big@chatroom"}
    assert rosters["big@chatroom"].members == tuple(Person(person) for person in crowd)
    calls = await gateway.do("calls")
    assert not {"contactRawPayload", "roomMemberRawPayload"} & set(calls)
    assert adapter.state is State.ONLINE


async def test_rooms_that_come_with_ready_are_told_then(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("room", id="late@chatroom", topic="晚到的群", members=["bot", "tom"])
    await gateway.do("emit", event="ready", payload={"data": "ready"})
    assert (await inbox.wait(Roster, 2)).title == "晚到的群"
    assert len(inbox.of(Roster)) == 2


async def test_people_who_join_are_told_by_name(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("contact", id="ann", name="Ann")
    await gateway.do("join", room=ROOM, who=["tom", "ann"], by="mary")
    joined = await inbox.wait(Joined)
    people = (Person("tom", "Tom"), Person("ann", "Ann"))
    assert joined == Joined(ACCOUNT, ROOM, people, joined.at)


async def test_the_roster_before_the_first_join_is_without_those_who_join(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("room", id="r2@chatroom", topic="新群", members=["bot", "mary"])
    await gateway.do("join", room="r2@chatroom", who=["tom"], by="mary")
    await inbox.wait(Joined)
    roster, joined = inbox.events[1:]
    assert isinstance(roster, Roster)
    assert roster.members == (Person("mary"),)
    assert isinstance(joined, Joined)
    assert joined.people == (Person("tom", "Tom"),)


async def test_a_join_that_does_not_say_who_makes_for_a_new_roster(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    # The room's payload is an old one; the member list is not.
    await gateway.do("members", room=ROOM, list=["bot", "mary", "tom"])
    await gateway.do(
        "emit", event="room-join", payload={"inviteeIdList": [], "inviterId": "mary", "roomId": ROOM}
    )
    assert (await inbox.wait(Roster, 2)).members == (Person("mary"), Person("tom"))
    assert not inbox.of(Joined)


async def test_a_room_whose_payload_lists_nobody_is_asked_for_its_member_list(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("room", id="r2@chatroom", topic="新群", members=[])
    await gateway.do("members", room="r2@chatroom", list=["bot", "tom"])
    await gateway.do("say", **{"from": "tom"}, to="r2@chatroom", text="在")
    await inbox.wait(Message)
    assert inbox.of(Roster)[1].members == (Person("tom"),)


async def test_when_xiaoer_itself_joins_it_tells_the_roster(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("room", id="r2@chatroom", topic="新群", owner="tom", members=["tom", "mary"])
    await gateway.do("join", room="r2@chatroom", who=["bot"], by="tom")
    roster = await inbox.wait(Roster, 2)
    assert (roster.chat, roster.owner) == ("r2@chatroom", "tom")
    assert roster.members == (Person("tom"), Person("mary"))
    assert not inbox.of(Joined)


async def test_people_who_leave_are_told_with_names_that_were_known(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("join", room=ROOM, who=["tom"], by="mary")
    await inbox.wait(Joined)
    await gateway.do("leave", room=ROOM, who=["tom"], by="tom")
    left = await inbox.wait(Left)
    assert left == Left(ACCOUNT, ROOM, (Person("tom", "Tom"),), left.at)


async def test_when_xiaoer_itself_is_out_nothing_is_asked_until_it_is_back(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("leave", room=ROOM, who=["bot"], by="mary")
    await gateway.do("join", room=ROOM, who=["bot"], by="mary")
    await inbox.wait(Roster, 2)
    assert not inbox.of(Left)


async def test_a_new_topic_is_a_new_roster(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("topic", room=ROOM, topic="福利\x00群二", by="mary")
    assert (await inbox.wait(Roster, 2)).title == "福利\ufffd群二"


async def test_an_invitation_comes_in_and_is_accepted(
    gateway: Gateway, adapter: WechatyAdapter, inbox: RecordingInbox
) -> None:
    await gateway.do("invite", id="inv-1", inviterId="tom", topic="读书群", timestamp=1_770_000_000)
    invited = await inbox.wait(Invited)
    assert invited == Invited(ACCOUNT, "inv-1", Person("tom", "Tom"), "读书群", 1_770_000_000_000_000)
    await adapter.send(Accept(invited.id))
    assert (await gateway.wait("did"))["args"] == ["inv-1"]
