"""`not_again_within`: what a group was asked stays away for so many days, whoever asks."""

from __future__ import annotations

import json
from pathlib import Path

from structlog.testing import capture_logs

from tests.harness import Group, World, library

TOLD = "too few questions: some come again too soon"


def quiz(title: str, pick: int, within: str) -> str:
    return (
        f"title: {title}\nkind: quiz\ngame: choice\n"
        f"questions: {{from: six, pick: {pick}{within}}}\n"
        "round: {open: 10s}\nwinners: all\nreward: {winners: 1}\nposts: {opening: 来}\n"
    )


SIX = "title: 六题\ngame: choice\nquestions:\n" + "".join(
    f'  - {{ask: 第 {n} 问, options: ["1", "2", "3", "4"], answer: A}}\n' for n in range(6)
)
FILES: dict[str, str | bytes] = {
    "activities/two.yaml": quiz("两题", 2, ", not_again_within: 7d"),
    "activities/three.yaml": quiz("三题", 3, ""),
    "questions/six.yaml": SIX,
}


async def play(group: Group, title: str) -> set[str]:
    """Have a quiz played to its end; the answer is what was asked."""
    before = len(group.world.sql("SELECT id FROM rounds"))
    await group.say("掌柜", f"@小二 开始 {title}")
    await group.clock(advance="5m")
    rows = group.world.sql("SELECT question FROM rounds ORDER BY id")
    return {json.loads(question)["ask"] for (question,) in rows[before:]}


async def test_no_question_comes_again_within_its_days(tmp_path: Path) -> None:
    """Over a restart, and over two activities of one bank; another group has its own memory."""
    async with World(tmp_path / "data", library=library(tmp_path / "lib", FILES)) as world:
        group = await world.group()
        with capture_logs() as lines:
            monday = await play(group, "两题")
            await world.restart("1d")
            tuesday = await play(group, "三题")
            assert not monday & tuesday
            other = await world.group(title="乙")
            assert len(await play(other, "两题")) == 2
            await group.clock(to="2030-01-14T06:00")  # before the hour of the Monday before: it goes by days
            again = await play(group, "两题")
            assert not again & tuesday
            assert len(again & monday) == 1
        assert TOLD not in [one["event"] for one in lines]


async def test_where_there_are_too_few_the_operator_is_told(tmp_path: Path) -> None:
    """Those asked the longest ago come, and one line of the log says whose questions they are."""
    async with World(tmp_path / "data", library=library(tmp_path / "lib", FILES)) as world:
        group = await world.group()
        first, second = await play(group, "三题"), await play(group, "三题")
        assert len(first | second) == 6
        with capture_logs() as lines:
            assert await play(group, "三题") == first  # it does not say that it minds
            assert (await play(group, "两题")) <= second
        (told,) = [one for one in lines if one["event"] == TOLD]
        assert (told["activity"], told["again"], told["of"], told["banks"], told["days"]) == (
            "两题",
            2,
            2,
            "six",
            7,
        )
