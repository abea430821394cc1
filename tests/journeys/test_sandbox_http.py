"""The sandbox's HTTP face: every address, every status, and what survives a restart."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.config import Account, Pace, Settings
from bot.model import SECOND
from tests.fakes import picture
from tests.harness import World, library

API = "/api/sandbox"


def detail(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert list(body) == ["detail"]
    assert isinstance(body["detail"], str)
    assert body["detail"]
    return str(body["detail"])


async def test_the_first_start_makes_one_group_that_is_open(tmp_path: Path) -> None:
    """An owner, six members, the tag 理财; a second start makes no other."""
    async with World(tmp_path) as world:
        for _ in range(2):
            (group,) = (await world.http.get(f"{API}/groups")).json()
            assert set(group) >= {"id", "title", "tags", "members"}
            assert group["tags"] == ["理财"]
            assert [one["role"] for one in group["members"]] == ["owner"] + ["member"] * 6
            assert all(set(one) >= {"id", "name", "role"} for one in group["members"])
            await world.restart()


async def test_a_group_is_made_and_listed(tmp_path: Path) -> None:
    """201 with its id; without tags it is there but not 开张; unknown fields do no harm."""
    async with World(tmp_path) as world:
        body = {"title": "新群", "owner": "东家", "members": ["甲", "乙", "甲", "东家"], "colour": "red"}
        answer = await world.http.post(f"{API}/groups", json=body)
        assert answer.status_code == 201
        found = (await world.http.get(f"{API}/groups")).json()[-1]
        assert found["id"] == answer.json()["id"]
        assert (found["title"], found["tags"]) == ("新群", [])
        names = [(one["name"], one["role"]) for one in found["members"]]
        assert names == [("东家", "owner"), ("甲", "member"), ("乙", "member")]
        opened = await world.http.post(
            f"{API}/groups", json={"title": "空", "owner": "东家", "tags": ["理财"]}
        )
        assert opened.status_code == 201
        assert (await world.http.get(f"{API}/groups")).json()[-1]["tags"] == ["理财"]


async def test_a_message_is_taken_in_and_read_by_all(tmp_path: Path) -> None:
    """202 with an id; the line and 小二's answer follow in order, each with all its fields."""
    async with World(tmp_path) as world:
        group = await world.first()
        for sender in ("m2", "小美"):
            answer = await group.post(sender, "签到", mentions=["m1"], emoji=":)")
            assert answer.status_code == 202
            assert answer.json()["id"]
        assert (await group.post("m2", "哈哈", id="mine")).json() == {"id": "mine"}
        lines = [line for line in await group.read() if line["seq"] > group.seq]
        assert [line["from"] for line in lines] == ["m2", "bot", "m3", "bot", "m2"]
        fields = {"seq", "from", "name", "text", "at", "mentions", "attachments"}
        assert all(set(line) >= fields for line in lines)
        assert (lines[0]["name"], lines[0]["mentions"], lines[0]["attachments"]) == ("阿强", ["m1"], [])
        assert (lines[1]["name"], lines[1]["mentions"]) == ("小二", ["m2"])
        assert lines[1]["text"].startswith("@阿强 ")
        assert [line["seq"] for line in lines] == sorted({line["seq"] for line in lines})
        assert await group.read(after=lines[-1]["seq"]) == []
        assert await group.read(after=2**62) == []


async def test_a_long_poll_ends_with_the_first_line(tmp_path: Path) -> None:
    """Held until there is something new; with nothing new it ends after its decimals, and empty."""
    async with World(tmp_path) as world:
        group = await world.first()
        assert await group.read(group.seq, wait=0.01) == []
        polls = [asyncio.create_task(group.read(group.seq, wait=30)) for _ in range(3)]
        while not world.app.sandbox or len(world.app.sandbox._waiting.get("g1", [])) < 3:
            await asyncio.sleep(0)
        await group.post("阿强", "哈哈")
        assert [[line["text"] for line in lines] for lines in await asyncio.gather(*polls)] == [["哈哈"]] * 3
        assert [line["text"] for line in await group.read(group.seq, wait=0.5)] == ["哈哈"]


async def test_a_long_poll_does_not_hold_the_end(tmp_path: Path) -> None:
    """When 小二 stops, whoever waits is answered."""
    async with World(tmp_path) as world:
        group = await world.first()
        poll = asyncio.create_task(group.read(group.seq, wait=30))
        while not world.app.sandbox or not world.app.sandbox._waiting.get("g1"):
            await asyncio.sleep(0)
        await world.app.sandbox.stop()
        assert await poll == []


async def test_people_join_and_leave(tmp_path: Path) -> None:
    """201 with an id, 204; the same name twice at a time cannot be, afterwards it is the same person."""
    async with World(tmp_path) as world:
        address = f"{API}/groups/g1/members"
        joined = await world.http.post(address, json={"name": "新人"})
        assert joined.status_code == 201
        assert "已经有" in detail(await world.http.post(address, json={"name": "新人"}), 409)
        assert "已经有" in detail(await world.http.post(address, json={"name": " 阿强 "}), 409)
        left = await world.http.delete(f"{address}/{joined.json()['id']}")
        assert (left.status_code, left.content) == (204, b"")
        detail(await world.http.delete(f"{address}/新人"), 404)
        again = await world.http.post(address, json={"name": "新人"})
        assert again.json() == joined.json()


async def test_who_joins_at_the_same_moment_is_there(tmp_path: Path) -> None:
    """Of many who come in and go at once nobody is lost, and of two with one name one is refused."""
    async with World(tmp_path) as world:
        address = f"{API}/groups/g1/members"
        names = [f"同时{n}" for n in range(10)]
        answers = await asyncio.gather(
            *(world.http.post(address, json={"name": name}) for name in [*names, *names]),
            world.http.delete(f"{address}/豆豆"),
        )
        assert [answer.status_code for answer in answers].count(201) == 10
        assert [answer.status_code for answer in answers].count(409) == 10
        (group,) = (await world.http.get(f"{API}/groups")).json()
        assert sorted(one["name"] for one in group["members"] if one["name"] in names) == names
        assert "豆豆" not in [one["name"] for one in group["members"]]
        assert len(group["members"]) == 16


NOWHERE = [
    ("GET", "/groups/g9/messages", None),
    ("POST", "/groups/g9/messages", {"from": "m1", "text": "哈"}),
    ("POST", "/groups/g1/messages", {"from": "无名氏", "text": "哈"}),
    ("POST", "/groups/g1/messages", {"from": "bot", "text": "签到成功"}),
    ("POST", "/groups/g9/members", {"name": "新人"}),
    ("DELETE", "/groups/g1/members/m99", None),
    ("DELETE", "/groups/g9/members/m1", None),
    ("POST", "/members/m99/messages", {"text": "哈"}),
    ("GET", "/members/m99/messages", None),
    ("GET", "/members/bot/messages", None),
    ("GET", "/chats/g1/pictures/1", None),
    ("GET", "/nothing", None),
]
NEVER: list[tuple[str, str, Any]] = [
    ("POST", "/groups", {}),
    ("POST", "/groups", {"title": "", "owner": "甲"}),
    ("POST", "/groups", {"title": "群", "owner": "  "}),
    ("POST", "/groups", {"title": "群", "owner": "甲", "members": "乙"}),
    ("POST", "/groups", {"title": "群", "owner": "甲", "members": [1]}),
    ("POST", "/groups", {"title": "群", "owner": "甲", "tags": ["长" * 13]}),
    ("POST", "/groups", {"title": "群", "owner": "甲", "tags": ["一 二"]}),
    ("POST", "/groups", [1, 2]),
    ("POST", "/groups/g1/messages", {"from": "m1"}),
    ("POST", "/groups/g1/messages", {"text": "哈"}),
    ("POST", "/groups/g1/messages", {"from": "m1", "text": None}),
    ("POST", "/groups/g1/messages", {"from": "m1", "text": 5}),
    ("POST", "/groups/g1/messages", {"from": "m1", "text": "哈", "mentions": "m2"}),
    ("POST", "/groups/g1/messages", {"from": "m1", "text": "哈" * 200_001}),
    ("POST", "/groups/g1/members", {}),
    ("POST", "/groups/g1/members", {"name": ""}),
    ("POST", "/groups/g1/members", {"name": "名" * 201}),
    ("POST", "/members/m1/messages", {}),
    ("GET", "/groups/g1/messages?after=x", None),
    ("GET", "/groups/g1/messages?after=-1", None),
    ("GET", f"/groups/g1/messages?after={10**30}", None),
    ("GET", "/groups/g1/messages?wait=long", None),
    ("GET", "/groups/g1/messages?wait=-1", None),
    ("GET", "/groups/g1/messages?wait=nan", None),
    ("GET", "/groups/g1/messages?wait=inf", None),
    ("GET", f"/chats/g1/pictures/{10**30}", None),
    ("POST", "/clock", {}),
    ("POST", "/clock", {"advance": "5m", "to": "2030-01-08T08:00"}),
    ("POST", "/clock", {"advance": "soon"}),
    ("POST", "/clock", {"advance": "-5m"}),
    ("POST", "/clock", {"advance": ""}),
    ("POST", "/clock", {"advance": 90}),
    ("POST", "/clock", {"advance": "367d"}),
    ("POST", "/clock", {"to": "tomorrow"}),
    ("POST", "/clock", {"to": "2030-02-30T08:00"}),
    ("POST", "/clock", {"to": "9999-12-31T23:59"}),
]


async def test_what_does_not_exist_is_404_in_words(tmp_path: Path) -> None:
    """Groups, members, pictures and addresses that are not there."""
    async with World(tmp_path) as world:
        for method, address, body in NOWHERE:
            detail(await world.http.request(method, API + address, json=body), 404)


async def test_what_cannot_be_at_all_is_422_in_words(tmp_path: Path) -> None:
    """And nothing has changed."""
    async with World(tmp_path) as world:
        before = (await world.http.get(f"{API}/groups")).json()
        for method, address, body in NEVER:
            said = detail(await world.http.request(method, API + address, json=body), 422)
            assert any("\u4e00" <= char <= "\u9fff" for char in said), (address, body, said)
        for raw in (b"{", b"\xff\xfe", b'{"from": "m1", "text": "\xff"}', b"[" * 100_000):
            headers = {"content-type": "application/json"}
            answer = await world.http.post(f"{API}/groups/g1/messages", content=raw, headers=headers)
            detail(answer, 422)
        assert (await world.http.get(f"{API}/groups")).json() == before


async def test_the_clock_goes_forward_in_all_units(tmp_path: Path) -> None:
    """`advance` takes seconds to days, `to` naive and aware times, and the answer is the new time."""
    async with World(tmp_path) as world:
        group = await world.group(tags=[])
        assert (await world.now()).isoformat().startswith("2030-01-07T07:00:")
        for span, reached in (
            ("90s", "07:01:3"),
            ("58m30s", "08:00:0"),
            ("1h30m", "09:30:0"),
            ("0s", "09:30:0"),
        ):
            answer = await world.http.post(f"{API}/clock", json={"advance": span})
            assert answer.json()["now"].startswith(f"2030-01-07T{reached}")
        await world.advance("1d")
        for moment in ("2030-01-09T08:00", "2030-01-09T09:00:30", "2030-01-09T02:00Z", "2030-01-10"):
            answer = await world.http.post(f"{API}/clock", json={"to": moment})
            assert answer.status_code == 200, answer.text
        assert (await world.now()).isoformat().startswith("2030-01-10T00:00:0")
        assert await group.lines() == []


async def test_the_clock_never_goes_back(tmp_path: Path) -> None:
    """A time that is past is 409, and moves nothing."""
    async with World(tmp_path) as world:
        for moment in ("2030-01-07T06:59", "1970-01-01T00:00", "2029-12-31", "0001-01-01T00:00+14:00"):
            answer = await world.http.post(f"{API}/clock", json={"to": moment})
            assert "只能往前拨" in detail(answer, 409)
        assert (await world.now()).isoformat().startswith("2030-01-07T07:00:")


async def test_two_who_move_the_clock_at_once_are_both_served(tmp_path: Path) -> None:
    """`advance` can never be past."""
    async with World(tmp_path) as world:
        answers = await asyncio.gather(
            *(world.http.post(f"{API}/clock", json={"advance": "10m"}) for _ in range(3))
        )
        assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_everything_survives_a_restart(tmp_path: Path) -> None:
    """Groups, members, who left, every line with its seq, private chats and the clock."""
    async with World(tmp_path) as world:
        group = await world.group()
        await group.join("豆豆")
        await group.leave("小美")
        await group.say("阿强", "签到")
        await world.http.post(f"{API}/members/m2/messages", json={"text": "帮助"})
        await group.clock(advance="36h")

        async def seen() -> list[object]:
            addresses = (
                "/groups",
                f"/groups/{group.id}/messages",
                "/groups/g1/messages",
                "/members/m2/messages",
            )
            return [(await world.http.get(API + address)).json() for address in addresses]

        before, time = await seen(), await world.now()
        await world.restart()
        assert await seen() == before
        assert await world.now() >= time
        last = max(line["seq"] for line in before[1])  # type: ignore[attr-defined]
        await group.say("阿强", "哈哈")
        assert [line["seq"] > last for line in await group.read(last)] == [True]


async def test_a_page_elsewhere_cannot_reach_it(tmp_path: Path) -> None:
    """A name that is made to point at this machine is refused; our own names are served."""
    async with World(tmp_path) as world:
        for host in ("evil.example", "evil.example:8642", "127.0.0.1.evil.example"):
            answer = await world.http.get(f"{API}/groups", headers={"host": host})
            assert answer.status_code == 400
        for host in ("127.0.0.1:8642", "localhost:1", "LOCALHOST", "[::1]:8642"):
            answer = await world.http.get(f"{API}/groups", headers={"host": host})
            assert answer.status_code == 200


async def test_a_real_account_beside_it_holds_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another adapter runs, the clock is read and not moved: 409."""
    monkeypatch.setenv("XIAOER_WECHATY_TOKEN", "t")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        account = Account(name="shop", endpoint=f"127.0.0.1:{closed.getsockname()[1]}")
        async with World(tmp_path, Settings(accounts=(account,), sandbox=True)) as world:
            assert (await world.http.get(f"{API}/clock")).status_code == 200
            for move in ({"advance": "5m"}, {"to": "2040-01-01T00:00"}):
                detail(await world.http.post(f"{API}/clock", json=move), 409)


async def test_nothing_is_paced_unless_the_settings_say_so(tmp_path: Path) -> None:
    """Two lines of one answer come together; with a pace the second waits for its turn."""
    small = library(tmp_path / "lib")
    async with World(tmp_path / "fast", library=small) as world:
        group = await world.group()
        assert len(await group.say("掌柜", "@小二 开始 快问")) == 2
    async with World(tmp_path / "slow", Settings(pace=Pace(chat_gap=20 * SECOND)), small) as world:
        group = await world.group()
        await group.clock(advance="30s")
        assert len(await group.say("掌柜", "@小二 开始 快问")) == 1
        assert len(await group.clock(advance="30s")) == 1


async def test_a_picture_goes_with_its_post(tmp_path: Path) -> None:
    """The line has an attachment with an address, and there the picture is."""
    posts = b"hello: {text: \xe7\x9c\x8b\xe5\x9b\xbe, picture: texts/a.png}\n"
    files = {"texts/a.png": picture(), "texts/posts.yaml": posts}
    small = library(tmp_path / "lib", files, slots=['id: a, at: "08:00", post: hello'])
    async with World(tmp_path / "data", library=small) as world:
        group = await world.group()
        assert await group.clock(to="2030-01-07T08:00") == ["看图"]
        (attachment,) = (await group.read())[-1]["attachments"]
        answer = await world.http.get(attachment["url"])
        assert (answer.status_code, answer.content) == (200, picture())
        assert answer.headers["content-type"] == "image/png"
        (tmp_path / "lib/texts/a.png").unlink()
        detail(await world.http.get(attachment["url"]), 404)


async def test_an_address_that_is_not_there_is_said_in_json(tmp_path: Path) -> None:
    """Also where the method is wrong: nobody gets a page who asked for data."""
    async with World(tmp_path) as world:
        for method, address in (("GET", "nope"), ("PUT", "clock"), ("GET", "groups/g1"), ("GET", "groups/")):
            answer = await world.http.request(method, f"/api/sandbox/{address}")
            assert answer.status_code == 404
            assert isinstance(answer.json()["detail"], str)


async def test_moments_are_in_the_default_time_zone_and_nothing_may_be_null(tmp_path: Path) -> None:
    """`at` begins as the clock does, and a client that writes null for what it leaves out is understood."""
    async with World(tmp_path) as world:
        group = await world.group()
        await group.clock(to="2030-01-07T20:00")
        body = {"from": "阿强", "text": "签到", "mentions": None, "id": None}
        assert (
            await world.http.post(f"/api/sandbox/groups/{group.id}/messages", json=body)
        ).status_code == 202
        await world.settle()
        lines = await group.read()
        assert lines[-1]["at"].startswith("2030-01-07T20:00")
        assert lines[-1]["at"].endswith("+08:00")
