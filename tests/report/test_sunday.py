"""周报: what the owner is told in the chat, and the pictures of Sunday evening, once whatever happens."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot import model
from bot.console.report import files, picture
from bot.console.report.reading import GroupWeek, Report
from storage.brought import Brought, Week
from tests.harness import Group, World
from tests.report import stage

WEEK = "第 2 周（1 月 7 日到 13 日）"


async def pictures(group: Group) -> list[str]:
    return [line["text"] for line in await group.read() if line["attachments"]]


async def test_the_owner_is_told_the_week(tmp_path: Path) -> None:
    """In the chat, up to the second; a member is not."""
    async with stage.world(tmp_path) as world:
        group = await stage.play(world, "街坊群")
        await group.skip()
        said = (await group.ask("掌柜", "周报")).splitlines()
        assert said[:2] == [f"@掌柜 街坊群 {WEEK}", "日程 6 件：按时 4，晚了 1，错过 1。"]
        assert "周二 20:00 快问，4/8 人，答对 3/5" in said
        assert said[-6:-4] == ["这一周得分最多的", "1. 邻居1 33 分"]
        assert "这件事要群主来说" in await group.ask("邻居1", "周报")
        await world.to("2030-01-14T07:00")
        await group.skip()
        assert "第 3 周" in await group.ask("掌柜", "周报")


async def test_the_pictures_of_sunday_evening(tmp_path: Path) -> None:
    """Half past eight, to the group that the configuration names; a week later the old ones are gone."""
    async with stage.world(tmp_path, reports_to="总部") as world:
        desk = await world.group("总部", tags=[])
        await stage.play(world, "街坊群")
        await stage.busy(world, "码头群")
        await world.to("2030-01-13T20:29")
        assert await pictures(desk) == []
        await world.to("2030-01-13T20:30")
        assert sorted(await pictures(desk)) == [f"码头群 {WEEK}", f"街坊群 {WEEK}"]
        assert drawn(world) == ["2030-W02-1.png", "2030-W02-2.png"]
        line = next(line for line in await desk.read() if line["attachments"])
        answer = await world.http.get(line["attachments"][0]["url"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        await world.to("2030-01-20T20:31")
        assert (await pictures(desk))[2:] == [
            f"{name} 第 3 周（1 月 14 日到 20 日）" for name in ("街坊群", "码头群")
        ]
        assert drawn(world) == ["2030-W03-1.png", "2030-W03-2.png"]


async def test_pictures_that_died_with_the_process_are_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a day, and then once, however often it starts; after that nobody looks at them any more."""
    async with stage.world(tmp_path, reports_to="sandbox/g2") as world:
        group = await stage.busy(world, "街坊群")
        with monkeypatch.context() as broken:
            broken.setattr(files, "save_pictures", dies)
            await world.to("2030-01-13T21:00")
        assert await pictures(group) == []
        for away in ("2h", "1h", "1h"):
            await world.restart(away)
            assert await pictures(group) == [f"街坊群 {WEEK}"]
        await world.to("2030-01-20T20:00")
        await world.restart("25h")
        assert len(await pictures(group)) == 1


def dies(*_: object) -> None:
    raise MemoryError


async def test_a_group_for_the_report_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the log, with what may have been meant, and nothing else goes wrong."""
    async with stage.world(tmp_path, reports_to="街坊理才群") as world:
        await stage.busy(world, "街坊群")
        await world.to("2030-01-13T21:00")
    assert 'reports_to：没有叫 "街坊理才群" 的群，是不是 "街坊理财群"？' in capsys.readouterr().out


def test_of_many_groups_there_is_a_list() -> None:
    """One picture for each of three; of a hundred and thirty, three lists, the last of which tells of the rest."""
    for many, titles in (
        (0, []),
        (3, ["群 0", "群 1", "群 2"]),
        (4, ["4 个群"]),
        (81, ["81 个群"] * 3),
        (130, ["130 个群"] * 3),
    ):
        made = picture.pictures(Report(date(2030, 1, 7), [week_of(number) for number in range(many)]))
        assert [title for title, _ in made] == titles
        assert all(image.width == picture.WIDTH for _, image in made)
    assert made[2][1].height > made[1][1].height > 2000


def week_of(number: int) -> GroupWeek:
    line = Brought("s", "2030-01-07T20:00", 1, "do:x", "sent", "", 1, 200, 0, "quiz", set(range(number)))
    week = Week([line], 200, players=set(range(number)))
    return GroupWeek(
        model.Group(number, "a", f"g{number}", f"群 {number}"), ZoneInfo("UTC"), week, {"do:x": "题"}
    )


def drawn(world: World) -> list[str]:
    return sorted(path.name for path in (world.data / "reports").iterdir())
