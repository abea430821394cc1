"""`xiaoer report`: what was played in the sandbox comes back in figures that were counted by hand."""

from __future__ import annotations

import json
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from PIL import Image, ImageChops, ImageColor, ImageDraw
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.console.report import picture
from bot.console.report.reading import GroupWeek
from bot.model import Group
from storage.brought import Brought, Ranked, Week
from tests.harness import World
from tests.report import stage
from tests.sop.fakes import write

FORMULA = "=SUM(街坊)"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.logs.configure", lambda *_: None)
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")


def xiaoer(world: World, *words: object) -> Result:
    server = world.settings.database_url
    where = f'\ndatabase_url: "{server.get_secret_value()}"\n' if server else ""
    write(world.data, {"config.yaml": f'library: "{world.library}"{where}'})
    folder = () if server else ("--data", world.data)
    named = ("report", *words, "--config", world.data / "config.yaml", *folder)
    return CliRunner().invoke(app, [str(word) for word in named])


async def played(tmp_path: Path, title: str = FORMULA) -> World:
    """A bot that has stopped after the week."""
    async with stage.world(tmp_path) as world:
        await stage.play(world, title)
    return world


async def test_a_week_in_figures(tmp_path: Path) -> None:
    """Each occurrence tells who took part of how many, and the group who did what."""
    world = await played(tmp_path)
    told = json.loads(xiaoer(world, "--json", "--group", FORMULA).stdout)
    assert (told["week"], told["from"], told["to"]) == ("2030-W02", "2030-01-07", "2030-01-13")
    (group,) = told["groups"]
    lines = [
        (one["slot"], one["kind"], one["state"], one["late_seconds"], one["players"], one["share"])
        for one in group["occurrences"]
    ]
    # 邻居7 had signed in before the call, and the bot was away on Wednesday until 20:01:20.
    assert lines == [
        ("week/call", "sign_in", "sent", 0, 3, 0.375),
        ("week/note", "post", "sent", 0, None, None),
        ("week/call", "sign_in", "sent", 0, 0, 0.0),
        ("week/quiz", "quiz", "sent", 0, 4, 0.5),
        ("week/call", "sign_in", "missed", None, None, None),
        ("week/gift", "red_packet", "late", 80, 2, 0.25),
    ]
    call, note, _, quiz, missed, gift = group["occurrences"]
    assert (quiz["answers"], quiz["right"], quiz["points"]) == (5, 3, 10 + 6 + 4 + 10 + 1)
    assert [one["messages_in_hour"] for one in (call, note, quiz, gift, missed)] == [3, 2, 5, 2, None]
    assert quiz["planned"] == quiz["sent"] == "2030-01-08T20:00:00+08:00"
    assert (gift["sent"], missed["sent"], quiz["hook"]) == ("2030-01-09T20:01:20+08:00", None, None)
    assert call["points"] == 15
    taken = world.sql("SELECT SUM(points) FROM shares WHERE member_id IS NOT NULL")[0][0]
    assert gift["points"] == taken
    figures = ("members", "joined", "players", "wrote", "messages", "sign_ins", "points")
    assert [group[name] for name in figures] == [8, 0, 5, 6, 15, 4, 20 + 31 + taken]
    assert group["outcomes"] == {
        **dict.fromkeys(group["outcomes"], 0),
        "sent": 4,
        "late": 1,
        "missed": 1,
    }
    purses = world.sql(
        "SELECT m.name, a.balance FROM accounts a JOIN members m ON m.id = a.subject AND a.kind = 'purse'"
    )
    top = {one["name"]: one["points"] for one in group["top"]}
    assert top == {"掌柜": 0, **dict(purses)}
    assert [one["messages"] for one in group["top"]][:2] == [6, 4]


async def test_a_hook_that_went_out_is_told(tmp_path: Path) -> None:
    """With its moment, beside the activity that it belongs to."""
    async with stage.world(tmp_path) as world:
        await stage.play(world)
        (number,) = world.sql("SELECT id FROM occurrences WHERE slot = 'week/quiz'")[0]
        at = 1_894_104_180_000_000  # 20:03 that evening
        await world.app.database.writer.run(lambda store: store.occurrences.hooked(number, at))
    told = json.loads(xiaoer(world, "--json", "--group", FORMULA).stdout)
    hooks = [one["hook"] for one in told["groups"][0]["occurrences"] if one["hook"]]
    assert hooks == ["2030-01-08T20:03:00+08:00"]


async def test_for_a_person_in_the_terminal(tmp_path: Path) -> None:
    """One table a group; also of a week in which nothing was."""
    world = await played(tmp_path)
    result = xiaoer(world, "--group", "sandbox/g2")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "第 2 周（1 月 7 日到 13 日）" in result.stdout
    assert "日程 6 件：按时 4，晚了 1，错过 1。" in result.stdout
    assert "每场平均 2/8 人参加。" in result.stdout
    for said in ("4/8 50%", "晚了 1 分钟", "错过了（过了时间才轮到）", "周二 20:00", "邻居1", "=1+1"):
        assert said in result.stdout, said
    empty = xiaoer(world, "--week", "2029-W50")
    assert (empty.exit_code, "没有到点的日程。" in empty.stdout) == (0, True)
    nothing = xiaoer(world, "--week", "2029-W50", "--png", "week.png")
    assert (nothing.exit_code, nothing.stdout) == (0, "这一周还没有什么可画的。\n")


async def test_no_cell_of_the_workbook_is_a_formula(tmp_path: Path) -> None:
    """Titles that begin with = stay what was typed, numbers are numbers, moments are those of the group."""
    world = await played(tmp_path)
    result = xiaoer(world, "--xlsx", "周报.xlsx")
    assert (result.exit_code, result.stdout) == (0, "写好了：周报.xlsx\n")
    book = load_workbook("周报.xlsx")
    assert book.sheetnames == ["群", "日程", "前十"]
    cells = [cell for sheet in book for row in sheet for cell in row if cell.value is not None]
    assert "f" not in {cell.data_type for cell in cells}
    assert any(cell.value == FORMULA and cell.data_type == "s" and cell.quotePrefix for cell in cells)
    lines: list[Any] = [row for row in book["日程"].values if row[0] == FORMULA]
    quiz = next(line for line in lines if line[4] == "问答")
    assert quiz[1] == datetime(2030, 1, 8, 20)  # noqa: DTZ001 - a workbook has no time zones
    assert quiz[7:12] == (8, 4, 0.5, 5, 3)
    assert [line[3] for line in lines if line[4] == "帖子"] == ["=1+1 看今天的行情"]
    assert files() == ["周报.xlsx"]


async def test_the_picture_shows_chinese(tmp_path: Path) -> None:
    """It opens, is as wide as a phone's, and two characters do not look alike, nor like the box of a third."""
    world = await played(tmp_path, "江南理财群")
    result = xiaoer(world, "--group", "江南理财群", "--png", "week.png")
    assert (result.exit_code, result.stdout) == (0, "画好了：week.png（江南理财群）\n")
    with Image.open("week.png") as image:
        image.load()
        assert (image.format, image.width) == ("PNG", picture.WIDTH)
        assert image.height > 1000
        assert len(image.convert("L").getcolors() or ()) > 20


def test_the_font_has_what_people_are_called() -> None:
    """All of GB2312 and the marks that we write; what it lacks is a box, and nothing is drawn alike."""
    looks = {char: glyph(char) for char in "街坊喆堃鑫強，0"}
    assert len({image.tobytes() for image in looks.values()}) == len(looks)
    box = glyph("\U0001f600").tobytes()
    assert glyph("\U000200cc").tobytes() == box
    assert all(image.getbbox() and image.tobytes() != box for image in looks.values())
    gb2312 = [bytes((high, low)).decode("gb2312") for high in range(0xB0, 0xD7) for low in range(0xA1, 0xFF)]
    lacking = [char for char in gb2312 if glyph(char).tobytes() == box]
    assert lacking == []
    assert ImageChops.difference(looks["街"], looks["坊"]).getbbox()


def glyph(char: str) -> Image.Image:
    image = Image.new("L", (64, 64))
    ImageDraw.Draw(image).text((4, 4), char, 255, picture.font(picture.SMALL))
    return image


def test_a_text_that_is_too_wide_is_cut() -> None:
    """With an ellipsis; what joins two faces into one is not a box of its own."""
    assert picture.fitted("街坊", picture.SMALL, 400) == "街坊"
    cut = picture.fitted("街坊" * 40, picture.SMALL, 400)
    assert cut.endswith("…")
    assert picture.font(picture.SMALL).getlength(cut) <= 400
    assert picture.fitted("a\u200db\ufe0f\nc", picture.SMALL, 400) == "ab c"


MISTAKES = (
    (["--week", "2026-47"], '一周要写成 2026-W47 这样，年份和第几周；看不懂 "2026-47"，是不是 2026-W47？'),
    (["--week", "上周"], '一周要写成 2026-W47 这样，年份和第几周；看不懂 "上周"。'),
    (["--week", "9999-W52"], '一周要写成 2026-W47 这样，年份和第几周；看不懂 "9999-W52"。'),
    (["--week", "2026-W60"], "2026 年没有第 60 周。"),
    (["--group", "街坊理才群"], '没有叫 "街坊理才群" 的群，是不是 "街坊理财群"？'),
    (["--group", "99"], '没有叫 "99" 的群。'),
    (["--json", "--png", "a.png"], "--json、--xlsx、--png 一次只能写一个。"),
    (["--png", "a.jpg"], "文件名要以 .png 结尾，不能是 a.jpg。"),
    (["--xlsx", "nowhere/a.xlsx"], "写不了 nowhere/a.xlsx：No such file or directory。"),
)


async def test_a_mistake_is_one_sentence(tmp_path: Path) -> None:
    """On stderr, with exit 2, and no file is there afterwards."""
    async with World(tmp_path / "data") as world:
        pass
    for words, said in MISTAKES:
        result = xiaoer(world, *words)
        assert (result.exit_code, result.stderr, result.stdout) == (2, said + "\n", ""), words
        assert files() == []


def files() -> list[str]:
    return [path.name for path in Path().iterdir()]


async def test_two_groups_of_one_title_are_told_apart(tmp_path: Path) -> None:
    """By account/chat, or by number."""
    async with World(tmp_path / "data") as world:
        await world.group("街坊理财群", tags=["别的"])
    result = xiaoer(world, "--group", "街坊理财群")
    assert (result.exit_code, result.stderr) == (
        2,
        '有 2 个群叫 "街坊理财群"，请写其中一个：sandbox/g1、sandbox/g2\n',
    )
    for name in ("sandbox/g2", "2"):
        (group,) = json.loads(xiaoer(world, "--json", "--group", name).stdout)["groups"]
        assert group["chat"] == "g2"


async def test_the_files_come_from_the_page_too(tmp_path: Path) -> None:
    """The workbook of all or one, the picture of one; what cannot be had is told in words."""
    async with stage.world(tmp_path) as world:
        await stage.play(world)
        book = await world.http.get("/report.xlsx", params={"week": "2030-W02"})
        assert (book.status_code, book.headers["content-disposition"]) == (
            200,
            'attachment; filename="2030-W02.xlsx"',
        )
        assert load_workbook(BytesIO(book.content)).sheetnames == ["群", "日程", "前十"]
        drawn = await world.http.get("/report.png", params={"group": FORMULA})
        assert Image.open(BytesIO(drawn.content)).width == picture.WIDTH
        for address, said in (
            ("/report.png?group=99", '没有叫 "99" 的群。'),
            ("/report.png?group=sandbox/g2&week=2029-W50", "这一周还没有什么可画的。"),
            ("/report.xlsx?week=2030-W60", "2030 年没有第 60 周。"),
        ):
            answer = await world.http.get(address)
            assert (answer.status_code, answer.text) == (404, said)


def test_a_full_week_is_whole_on_its_picture() -> None:
    """However much fell due: below the last line there is paper."""
    due = Brought(
        slot="s",
        local="2026-11-16T20:00",
        due=1,
        what="do:x",
        state="late",
        reason="",
        sent_at=2,
        members=200,
        hooked_at=2,
        kind="quiz",
        players={1},
        answers=1,
        right=1,
        paid=9,
        messages=1,
    )
    week = Week([due] * 60, 200, top=[Ranked("阿强", 1, 1)] * 10)
    group = GroupWeek(Group(1, "shop", "g"), ZoneInfo("Asia/Shanghai"), week, {"do:x": "问答"})
    drawn = picture.of_group(group, date(2026, 11, 16))
    edge = drawn.crop((0, drawn.height - 20, drawn.width, drawn.height))
    assert edge.getcolors() == [(20 * picture.WIDTH, ImageColor.getrgb(picture.PAPER))]
