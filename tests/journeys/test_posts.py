"""帖子: what a group sees of a post, be it a text, a file, a link, a call of everyone, or several messages."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from bot.errors import Unsupported
from bot.model import SECOND, Card, Outgoing, Say
from tests.fakes import picture
from tests.harness import World, library

TEXTS = """\
hello: "{group}，{date} {weekday}早"
menu:
  text: 今晚的菜单
  file: files/菜单 <1>.pdf
  card: {title: "{group} 的店", url: "https://example.com/?a=1&b=2", description: "<b>{weekday}</b>"}
all: {text: 开奖了, everyone: true}
show:
  several:
    - 第一条
    - {picture: a.png, pause: 5s}
    - {text: 第三条, file: files/菜单 <1>.pdf}
    - {text: "第四条，{weekday}", pause: 1m}
third: {several: [欢迎, {text: "{names}，有事叫小二", pause: 5s}]}
"""
FILES: dict[str, str | bytes] = {
    "texts/posts.yaml": TEXTS,
    "a.png": picture(),
    "files/菜单 <1>.pdf": b"%PDF",
}
SHOW = ["第一条", "", "第三条", "第四条，周一"]


def world_of(tmp_path: Path, *slots: str) -> World:
    return World(tmp_path / "data", None, library(tmp_path / "lib", FILES, slots))


async def test_a_post_says_where_and_when_it_is(tmp_path: Path) -> None:
    """The group, the date and the weekday stand in it, and in a text of the slot's own."""
    async with world_of(
        tmp_path, 'id: a, at: "08:00", post: hello', 'id: b, at: "09:00", post: "{date}"'
    ) as world:
        group = await world.group()
        assert await group.clock(to="2030-01-07T09:00") == ["试验群，1 月 7 日 周一早", "1 月 7 日"]


async def test_a_file_and_a_link_are_shown_beside_the_text(tmp_path: Path) -> None:
    """The face gives the file's name and address and what stands on the card; the file comes as one to keep."""
    async with world_of(tmp_path, 'id: a, at: "08:00", post: menu') as world:
        group = await world.group()
        assert await group.clock(to="2030-01-07T08:00") == ["今晚的菜单"]
        file, card = (await group.read())[-1]["attachments"]
        assert (file["kind"], file["name"]) == ("file", "菜单 <1>.pdf")
        answer = await world.http.get(file["url"])
        assert (answer.status_code, answer.content) == (200, b"%PDF")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert card == {
            "kind": "card",
            "title": "试验群 的店",
            "url": "https://example.com/?a=1&b=2",
            "description": "<b>周一</b>",
            "thumbnail": "",
        }
        (tmp_path / "lib/files/菜单 <1>.pdf").unlink()
        assert (await world.http.get(file["url"])).status_code == 404
        assert (await world.http.get(file["url"].replace("files", "pictures"))).status_code == 404


async def test_an_address_of_another_kind_is_no_link(tmp_path: Path) -> None:
    """Whatever brought it here, nobody can press it."""
    async with world_of(tmp_path) as world:
        group = await world.group()
        assert world.app.sandbox is not None
        await world.app.sandbox.send(
            Say(group.id, "看", card=Card("看", "javascript:alert(1)", thumbnail="data:x"))
        )
        (card,) = (await group.read())[-1]["attachments"]
        assert (card["url"], card["thumbnail"]) == ("", "")


async def test_everyone_is_called(tmp_path: Path) -> None:
    async with world_of(tmp_path, 'id: a, at: "08:00", post: all') as world:
        group = await world.group()
        assert await group.clock(to="2030-01-07T08:00") == ["@所有人 开奖了"]


async def test_several_messages_come_in_a_row_with_their_pauses(tmp_path: Path) -> None:
    """Those without a pause come at once; all of them are one occurrence."""
    async with world_of(tmp_path, 'id: a, at: "08:00", post: show') as world:
        group = await world.group()
        assert await group.clock(to="2030-01-07T08:00") == SHOW[:1]
        assert await group.clock(to="2030-01-07T08:00:50") == SHOW[1:3]
        assert await group.clock(to="2030-01-07T08:02") == SHOW[3:]
        at = [moment for (moment,) in world.sql("SELECT at FROM outbox WHERE occurrence > 0 ORDER BY id")]
        gaps = [(later - before) // SECOND for before, later in pairwise(at)]
        assert (gaps[0] >= 5, gaps[1], gaps[2] >= 60) == (True, 0, True)
        assert await group.clock(to="2030-01-07T09:00") == []
        assert world.outcomes(group.id) == {"a": ("sent", "")}
        assert world.sql("SELECT COUNT(*) FROM posts") == [(0,)]
        assert "第一条" in await group.ask("掌柜", "今日安排")


async def test_a_post_that_began_ends_as_it_began(tmp_path: Path) -> None:
    """An edit in its pause changes the next one alone."""
    async with world_of(tmp_path, 'id: a, at: "08:00", post: show') as world:
        group = await world.group()
        assert await group.clock(to="2030-01-07T08:00:01") == SHOW[:1]
        (tmp_path / "lib/texts/posts.yaml").write_text("show: 换了\n", encoding="utf-8")
        await world.restart()
        assert await group.clock(to="2030-01-07T09:00") == SHOW[1:]
        assert await group.clock(to="2030-01-08T09:00") == ["换了"]


async def test_what_was_to_come_in_a_night_offline_comes_no_more(tmp_path: Path) -> None:
    """Each message is too late when the first would have been, and its pauses; the occurrence says so."""
    async with world_of(tmp_path, 'id: a, at: "08:00", late: 10m, post: show') as world:
        group = await world.group()
        assert await group.clock(to="2030-01-07T08:00:01") == SHOW[:1]
        await world.restart(away="6h")
        assert await group.clock(advance="5m") == []
        assert world.outcomes(group.id) == {"a": ("missed", "第 2 条：过了该发的时间")}


async def test_the_occurrence_follows_each_of_its_messages(tmp_path: Path) -> None:
    """When the third cannot be sent, the slot did not go as planned, whatever went out before and after."""

    def no_file(outgoing: Outgoing) -> Exception | None:
        return Unsupported("办不到") if isinstance(outgoing, Say) and outgoing.file else None

    async with world_of(tmp_path, 'id: a, at: "08:00", post: show') as world:
        group = await world.group()
        world.between(no_file)
        assert await group.clock(to="2030-01-07T08:02") == [*SHOW[:2], SHOW[3]]
        assert world.outcomes(group.id) == {"a": ("failed", "第 3 条：办不到")}


async def test_some_are_called_in_one_of_several_messages_or_written_to_alone(tmp_path: Path) -> None:
    """Where the name stands in one of them it is not called in another; alone, each reads all of them."""
    async with world_of(
        tmp_path,
        'id: a, at: "09:00", day: 1, post: third',
        'id: b, at: "10:00", day: 1, post: show',
        'id: c, at: "11:00", day: 1, post: third, to: private',
    ) as world:
        group = await world.group()
        await group.clock(to="2030-01-08T08:00")
        await group.join("新来的")
        assert await group.clock(to="2030-01-08T09:30") == ["欢迎", "@新来的，有事叫小二"]
        assert (await group.clock(to="2030-01-08T10:30"))[0] == "@新来的 第一条"
        assert await group.clock(to="2030-01-08T11:30") == []
        who = world.sql("SELECT id FROM sandbox_members WHERE name = '新来的'")[0][0]
        said = (await world.http.get(f"/api/sandbox/members/m{who}/messages")).json()
        assert [line["text"] for line in said] == ["欢迎", "新来的，有事叫小二"]
        assert {state for state, _ in world.outcomes(group.id).values()} == {"sent"}


@pytest.mark.parametrize("seed", range(3))
async def test_a_restart_neither_repeats_nor_loses_nor_turns_round(tmp_path: Path, seed: int) -> None:
    """Wherever it stops, each message comes once, in order, and no sooner than its pause."""
    chance = Random(seed)
    pauses = [0, *(chance.choice((0, 1, 7)) for _ in range(5))]
    steps = "".join(f"    - {{text: 第{n}, pause: {pause}s}}\n" for n, pause in enumerate(pauses) if n)
    files: dict[str, str | bytes] = {"texts/p.yaml": f"row:\n  several:\n    - 第0\n{steps}"}
    lib = library(tmp_path / "lib", files, ['id: a, at: "08:00", post: row'])
    async with World(tmp_path / "data", None, lib) as world:
        group = await world.group()
        await group.clock(to="2030-01-07T08:00:00")
        for _ in range(6):
            if chance.random() < 0.5:
                await world.restart(away=chance.choice(("0s", "3s")))
            await world.advance("4s")
        lines = [line for line in await group.read() if line["text"].startswith("第")]
        assert [line["text"] for line in lines] == [f"第{n}" for n in range(6)]
        at = [moment for (moment,) in world.sql("SELECT at FROM outbox WHERE occurrence > 0 ORDER BY id")]
        gaps = [(later - before) // SECOND for before, later in pairwise(at)]
        assert all(gap >= pause for gap, pause in zip(gaps, pauses[1:], strict=True)), gaps
