"""Editing while it runs: whoever saves a file has it in force, whole, and from a moment that is told."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot import librarian
from bot.librarian import Librarian, Reload
from bot.model import SECOND
from tests.harness import World, library

A = 'id: a, at: "08:00", post: 一'
B = 'id: b, at: "09:00", post: 二'
LONGEST = 10


class Watched:
    """A librarian whose reloads a test can wait for."""

    def __init__(self, watched: Librarian) -> None:
        self.raised = asyncio.Event()
        self._done: asyncio.Queue[Reload | None] = asyncio.Queue()
        self._read = watched._read
        watched._read = self._and_tell  # type: ignore[method-assign]

    async def _and_tell(self) -> Reload | None:
        try:
            done = await self._read()
        except Exception:
            self.raised.set()
            raise
        self._done.put_nowait(done)
        return done

    async def next(self) -> Reload:
        """The next reload that changed something."""
        async with asyncio.timeout(LONGEST):
            while (done := await self._done.get()) is None:
                pass
        return done


@asynccontextmanager
async def at_work(world: World) -> AsyncIterator[Watched]:
    """Watch the files as `xiaoer run` does."""
    watched = Watched(world.app.librarian)
    watching = asyncio.create_task(world.app.librarian.watch())
    try:
        yield watched
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def calendar(*slots: str) -> str:
    lines = "".join(f"  - {{{slot}}}\n" for slot in slots)
    return f"title: 一周\naudience: {{tags: [试]}}\nslots:\n{lines}"


def save(path: Path, text: str) -> None:
    """As careful editors do: beside it, and then in its place."""
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text(text)
    beside.replace(path)


async def test_a_calendar_that_is_saved_holds_from_then_on(tmp_path: Path) -> None:
    """A new slot whose time was earlier today does not fire; one that is removed fires no more."""
    root = library(tmp_path / "lib", slots=[A, B])
    async with World(tmp_path / "data", library=root) as world, at_work(world) as watched:
        group = await world.group()
        assert await group.clock(to="2030-01-07T08:30") == ["一"]
        early, late = 'id: c, at: "08:10", post: 三', 'id: d, at: "09:10", post: 四'
        with capture_logs() as logs:
            save(root / "calendars/week.yaml", calendar(A, early, late))
            done = await watched.next()
        assert list(done.changes.lines()) == ["新增 时段 week/c、时段 week/d", "去掉 时段 week/b"]
        (line,) = [one for one in logs if one["event"] == "the library was read again"]
        assert (line["added"], line["removed"]) == (["slot week/c", "slot week/d"], ["slot week/b"])
        assert line["holds_from"].startswith("2030-01-07T00:30:0")
        assert await group.ask("掌柜", "今日安排") == "@掌柜 今日安排\n08:00 一，已发\n09:10 四"
        assert await group.clock(to="2030-01-07T09:30") == ["四"]
        await world.restart("1m")
        assert await group.lines() == []
        assert set(world.outcomes(group.id)) == {"a", "d"}


async def test_a_slot_that_moves_back_or_comes_back_makes_up_for_nothing(tmp_path: Path) -> None:
    """At 08:30 it is moved to 08:20, then away, then back: it fires the next day, over a restart too."""
    root = library(tmp_path / "lib", slots=[B])
    async with World(tmp_path / "data", library=root) as world, at_work(world) as watched:
        group = await world.group()
        await group.clock(to="2030-01-07T08:30")
        for slots in ([B.replace("09:00", "08:20")], [A], [B.replace("09:00", "08:20")]):
            save(root / "calendars/week.yaml", calendar(*slots))
            await watched.next()
        assert await group.ask("掌柜", "今日安排") == "@掌柜 今天没有安排。"
        await world.restart("1s")
        assert await group.lines() == []
        assert await group.clock(to="2030-01-08T08:20") == ["二"]


async def test_a_running_quiz_ends_as_it_began(tmp_path: Path) -> None:
    """Its rounds, rewards and last words are those of its beginning; the next one is new."""
    root = library(tmp_path / "lib", slots=[A])
    path = root / "activities/quick.yaml"
    async with World(tmp_path / "data", library=root) as world, at_work(world) as watched:
        group = await world.group()
        assert len(await group.say("掌柜", "@小二 开始 快问")) == 2
        save(path, path.read_text().replace("人答完", "人做完").replace("pick: 2", "pick: 1"))
        await watched.next()
        assert (await group.clock(advance="3m"))[-1] == "0 人答完 2 题"
        assert (await group.say("掌柜", "@小二 开始 快问"))[0] == "快问，共 1 题"
        assert (await group.clock(advance="3m"))[-1] == "0 人做完 1 题"


async def test_what_the_bot_says_follows_its_texts(tmp_path: Path) -> None:
    """Without a restart; and an override that goes gives way to what stands in the code."""
    root = library(tmp_path / "lib", {"texts/ours.yaml": "points.mine: 共 {points} 分\n"})
    async with World(tmp_path / "data", library=root) as world, at_work(world) as watched:
        group = await world.group()
        assert await group.ask("阿强", "我的积分") == "@阿强 共 0 分"
        (root / "texts/ours.yaml").unlink()
        assert list((await watched.next()).changes.lines()) == ["改了 小二的话 points.mine"]
        assert await group.ask("小美", "我的积分") == "@小美 你有 0 分。"


async def test_a_fault_is_told_with_its_place_and_the_last_good_version_runs(tmp_path: Path) -> None:
    """Until it is right again, which is told as well."""
    root = library(tmp_path / "lib", slots=[A])
    async with World(tmp_path / "data", library=root) as world, at_work(world) as watched:
        group = await world.group()
        with capture_logs() as logs:
            save(root / "calendars/week.yaml", calendar('id: a, at: "25:00", post: 坏'))
            done = await watched.next()
        (fault,) = done.faults
        assert (fault.line, fault.col, bool(done.changes)) == (4, 17, False)
        (told,) = [one["fault"] for one in logs if one["event"] == "the last good version is kept"]
        assert told.startswith(f"{root}/calendars/week.yaml:4:17: ")
        assert await group.clock(to="2030-01-07T08:00") == ["一"]
        save(root / "calendars/week.yaml", calendar(A, B))
        assert (await watched.next()).faults == ()
        assert await group.clock(to="2030-01-07T09:00") == ["二"]
        assert [one.at // SECOND for one in world.app.librarian.last] == sorted(
            (one.at // SECOND for one in world.app.librarian.last), reverse=True
        )


async def test_two_edits_within_a_second_end_with_the_second(tmp_path: Path) -> None:
    """Though both are of one length, and the first may be read by itself."""
    root = library(tmp_path / "lib", slots=[A])
    async with World(tmp_path / "data", library=root) as world, at_work(world) as watched:
        group = await world.group()
        for post in ("三", "四"):
            (root / "calendars/week.yaml").write_text(calendar(A.replace("一", post)))
        await watched.next()
        (root / "calendars/week.yaml").write_text(calendar(A.replace("一", "五")))
        await watched.next()
        assert await group.clock(to="2030-01-07T08:00") == ["五"]


async def test_a_library_that_goes_away_and_comes_back_is_watched_on(tmp_path: Path) -> None:
    """While it is away all stays in force; another folder of its name is looked at like the first."""
    root = library(tmp_path / "lib", slots=[A])
    async with World(tmp_path / "data", library=root) as world, at_work(world) as watched:
        group = await world.group()
        root.rename(tmp_path / "away")
        assert [fault.message for fault in (await watched.next()).faults] == ["找不到这个文件夹"]
        shutil.copytree(tmp_path / "away", root)
        back = await watched.next()
        assert (back.faults, bool(back.changes)) == ((), False)
        save(root / "calendars/week.yaml", calendar(A, B))
        assert list((await watched.next()).changes.lines()) == ["新增 时段 week/b"]
        shutil.rmtree(root / "calendars")
        assert [str(one) for one in (await watched.next()).changes.removed] == [
            "calendar week",
            "slot week/a",
            "slot week/b",
        ]
        (root / "calendars").mkdir()
        save(root / "calendars/week.yaml", calendar(B))
        await watched.next()
        assert await group.clock(to="2030-01-07T09:00") == ["二"]


async def test_a_file_system_that_tells_nothing_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each second; the operator waits no longer than two."""

    def none_left(*_args: object, **_options: object) -> AsyncIterator[None]:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr(librarian, "awatch", none_left)
    root = library(tmp_path / "lib", slots=[A])
    async with World(tmp_path / "data", library=root) as world, at_work(world) as watched:
        save(root / "calendars/week.yaml", calendar(B))
        assert list((await watched.next()).changes.lines()) == ["新增 时段 week/b", "去掉 时段 week/a"]


@pytest.mark.parametrize("name", [b"\xff.yaml", b"a-link.yaml"])
async def test_what_is_odd_in_a_folder_hides_nothing_else(tmp_path: Path, name: bytes) -> None:
    """A name that is no UTF-8, a link that leads to itself: what is saved beside it holds all the same."""
    root = library(tmp_path / "lib", {"texts/ours.yaml": "hello: 早\n"}, slots=[A])
    async with World(tmp_path / "data", library=root) as world, at_work(world) as watched:
        odd = root / "texts" / os.fsdecode(name)
        if name.startswith(b"a"):
            odd.symlink_to(odd)
        else:
            odd.touch()
            assert "文件名只能用" in str((await watched.next()).faults)
        save(root / "texts/ours.yaml", "hello: 早上好\n")
        assert list((await watched.next()).changes.lines()) == ["改了 帖子 hello"]
        save(root / "calendars/week.yaml", calendar(A, B))
        assert list((await watched.next()).changes.lines()) == ["新增 时段 week/b"]


async def test_a_reload_that_raises_ends_neither_the_bot_nor_the_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged, and what was in force stays so."""
    root = library(tmp_path / "lib", slots=[A])
    async with World(tmp_path / "data", library=root) as world, at_work(world) as watched:
        group = await world.group()
        with monkeypatch.context() as patched, capture_logs() as logs:
            patched.setattr(librarian, "reload", _fails)
            save(root / "calendars/week.yaml", calendar(B))
            async with asyncio.timeout(LONGEST):
                await watched.raised.wait()
        save(root / "calendars/week.yaml", calendar(A, B))
        await watched.next()
        assert await group.clock(to="2030-01-07T08:00") == ["一"]
        assert [one["log_level"] for one in logs if "could not be read again" in one["event"]] == ["error"]


def _fails(*_: object) -> None:
    raise RuntimeError("nobody thought of this")
