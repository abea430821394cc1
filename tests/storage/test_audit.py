"""`xiaoer db audit`: clean after a real day, and every kind of damage is found and named."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import Unusable
from storage.audit import _CHECKS, audit
from storage.database import FILE, backup
from tests.harness import World, library, open_store


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one of everything in it: a sign-in, a quiz, packets open and done, slots."""
    folder = tmp_path_factory.mktemp("day")

    async def live() -> None:
        root = library(folder / "lib", slots=['id: a, at: "08:00", post: 早', 'id: b, at: "09:00", do: gift'])
        async with World(folder / "data", library=root) as world:
            group = await world.group()
            for who in ("阿强", "小美"):
                await group.say(who, "签到")
            await group.clock(to="2030-01-07T09:30")
            await group.say("阿强", "抢")
            await group.say("掌柜", "发红包 10 1")
            await group.say("小美", "抢")
            await group.say("小美", "抢")
            await group.say("掌柜", "@小二 开始 快问")
            await group.say("阿强", "B")

    asyncio.run(live())
    return folder / "data"


@pytest.fixture
def data(day: Path, tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    shutil.copy(day / FILE, tmp_path / "data" / FILE)
    return tmp_path / "data"


def tamper(data: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data / FILE)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = 1")
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, statement
        connection.commit()


def without_unique(table: str) -> list[str]:
    """Statements that rebuild a table without its rules, so that a test can break them."""
    return [
        f"CREATE TABLE free AS SELECT * FROM {table}",
        f"DROP TABLE {table}",
        f"ALTER TABLE free RENAME TO {table}",
    ]


DAMAGE = {
    "不平": ["UPDATE accounts SET balance = balance + 1 WHERE kind = 'treasury'"],
    "流水加起来是": ["UPDATE accounts SET balance = balance + 1 WHERE kind = 'purse'"],
    "两边不相等": ["UPDATE postings SET amount = amount + 1 WHERE key = 'treasury:1' AND amount > 0"],
    "余额低于零": ["UPDATE accounts SET balance = -1 WHERE kind = 'treasury'"],
    "份加起来是": ["UPDATE shares SET points = points + 1 WHERE number = 2"],
    "发了 2 份": [
        *without_unique("shares"),
        "UPDATE shares SET member_id = 2 WHERE packet_id = 1 AND number <= 2",
    ],
    "记的和付的不一样": [
        "UPDATE shares SET member_id = NULL WHERE number = 1 AND packet_id = 1",
    ],
    "托管账户里有": ["UPDATE packets SET state = 'done' WHERE state = 'open'"],
    "签到了 2 次": [*without_unique("sign_ins"), "INSERT INTO sign_ins SELECT * FROM sign_ins LIMIT 1"],
    "签到没有入账": ["UPDATE sign_ins SET points = points + 1 WHERE place = 1"],
    "有 2 条": [*without_unique("occurrences"), "INSERT INTO occurrences SELECT * FROM occurrences LIMIT 1"],
    "次发了 2 遍": ["UPDATE outbox SET occurrence = (SELECT MAX(id) FROM occurrences) WHERE id = 1"],
    "同时有 2 场问答": [
        "INSERT INTO quizzes (group_id, definition, state, at) SELECT 1, '{}', 'running', 5",
        "INSERT INTO quizzes (group_id, definition, state, at) SELECT 1, '{}', 'running', 5",
    ],
    "指向一条没有的记录": ["DELETE FROM members WHERE id = (SELECT member_id FROM answers LIMIT 1)"],
}


def test_a_day_that_was_lived_is_clean(data: Path) -> None:
    """And the report counts what there was."""
    report = audit(data)
    assert report.clean
    assert (report.faults, report.unknown, report.parked) == ([], [], [])
    assert report.counts["sign_ins"] == 2
    assert report.counts["occurrences"] == 2
    assert list(report.lines())[-1] == "账是平的，没有重复。"


@pytest.mark.parametrize("sentence", DAMAGE)
def test_every_kind_of_damage_is_found(data: Path, sentence: str) -> None:
    """A row changed by hand makes the audit fail with the sentence for it."""
    tamper(data, *DAMAGE[sentence])
    report = audit(data)
    assert not report.clean
    assert any(sentence in fault for fault in report.faults), report.faults
    assert list(report.lines())[-1] == f"有 {len(report.faults)} 处不对。"


def test_no_check_is_without_its_damage() -> None:
    """Each check that there is has a test above."""
    assert len(DAMAGE) == len(_CHECKS) + 1


def test_a_whole_share_paid_twice_is_found(data: Path) -> None:
    """A second payment under another key, in balance with itself, is still not in any share."""
    tamper(
        data,
        "INSERT INTO postings (key, account_id, amount, at)"
        " SELECT 'again', account_id, amount, at FROM postings WHERE key = 'share:1:1'",
        "UPDATE accounts SET balance = (SELECT SUM(amount) FROM postings WHERE account_id = accounts.id)"
        " WHERE id IN (SELECT account_id FROM postings WHERE key = 'share:1:1')",
    )
    assert any("托管账户" in fault or "低于零" in fault for fault in audit(data).faults)


def test_what_is_unknown_is_reported_and_no_fault(data: Path) -> None:
    """Rows that were being sent when nobody is at work any more are unknown; so are those marked so."""
    tamper(
        data,
        "UPDATE outbox SET state = 'sending' WHERE id = 1",
        "UPDATE outbox SET state = 'unknown' WHERE id = 2",
    )
    report = audit(data)
    assert report.clean
    assert [(one.id, one.state) for one in report.unknown] == [(1, "sending"), (2, "unknown")]
    assert "开张" in report.unknown[0].text
    assert sum("不知道发出去没有" in line for line in report.lines()) == 2


def test_a_parked_timer_is_reported(data: Path) -> None:
    """A person has to look at it."""
    tamper(data, "UPDATE timers SET parked = 1")
    report = audit(data)
    assert report.clean
    assert all("搁置了" in line for line in report.parked)
    assert report.parked


def test_an_audit_needs_a_database(tmp_path: Path) -> None:
    """One that is not there, is no database or is of another version is one sentence."""
    with pytest.raises(Unusable, match="没有数据库"):
        audit(tmp_path)
    (tmp_path / FILE).write_bytes(b"nonsense" * 1000)
    with pytest.raises(Unusable, match="打不开"):
        audit(tmp_path)
    made, path = open_store(tmp_path / "old")
    made.dispose()
    tamper(path.parent, "UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(Unusable, match="xiaoer db upgrade"):
        audit(tmp_path / "old")


async def test_a_backup_while_the_writer_works_is_clean_and_can_be_used(tmp_path: Path) -> None:
    """It holds what was answered before it, and a new 小二 starts on it."""
    async with World(tmp_path / "data") as world:
        group = await world.group(members=[f"群友{n}" for n in range(20)])
        address = f"/api/sandbox/groups/{group.id}/messages"
        await group.say("群友0", "签到")
        busy = [
            asyncio.create_task(world.http.post(address, json={"from": f"群友{n}", "text": "签到"}))
            for n in range(20)
        ]
        (tmp_path / "copy").mkdir()
        await asyncio.to_thread(backup, tmp_path / "data", tmp_path / "copy" / FILE)
        await asyncio.gather(*busy)
        with pytest.raises(Unusable, match="已经存在"):
            backup(tmp_path / "data", tmp_path / "copy" / FILE)
        with pytest.raises(Unusable, match="不存在"):
            backup(tmp_path / "data", tmp_path / "nowhere" / FILE)
        assert audit(tmp_path / "data").clean
    copy = audit(tmp_path / "copy")
    assert copy.clean
    assert copy.counts["sign_ins"] >= 1
    second = World(tmp_path / "second")
    shutil.copy(tmp_path / "copy" / FILE, tmp_path / "second" / FILE)
    async with second as world:
        restored = (await world.http.get("/api/sandbox/groups")).json()
        assert [one["title"] for one in restored] == ["街坊理财群", "试验群"]


def test_a_backup_needs_a_database(tmp_path: Path) -> None:
    """An empty folder has nothing to copy."""
    with pytest.raises(Unusable, match="没有数据库"):
        backup(tmp_path, tmp_path / "copy.db")
