"""`xiaoer db audit`: clean after a real day, and every kind of damage is found and named."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from bot.errors import Unusable
from storage.audit import _CHECKS, audit
from storage.place import Place, engine_of
from tests.databases import copied
from tests.harness import World, library, open_store

pytestmark = pytest.mark.usefixtures("database", "tidy")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, database: str) -> Path:
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
def data(day: Path, tmp_path: Path) -> Place:
    return copied(day, tmp_path / "data")


def tamper(data: Place, *statements: str) -> None:
    made = engine_of(data)
    try:
        with made.connect() as connection:
            if made.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA ignore_check_constraints = 1")
            else:
                connection.exec_driver_sql(
                    "ALTER TABLE accounts DROP CONSTRAINT ck_accounts_never_below_zero"
                )
            for statement in statements:
                assert connection.exec_driver_sql(statement).rowcount != 0, statement
    finally:
        made.dispose()


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
    "次发了 2 遍": [
        """UPDATE outbox SET occurrence = o.id, chat = g.chat
           FROM occurrences o JOIN groups g ON g.id = o.group_id
           WHERE o.id = (SELECT MAX(id) FROM occurrences) AND outbox.id = 1"""
    ],
    "钩子": ["UPDATE outbox SET about = 'hook:1' WHERE id <= 2"],
    "同时有 2 场问答": [
        "INSERT INTO quizzes (group_id, definition, state, at) SELECT 1, '{}', 'running', 5",
        "INSERT INTO quizzes (group_id, definition, state, at) SELECT 1, '{}', 'running', 5",
    ],
}
ORPHANS = "DELETE FROM members WHERE id = (SELECT member_id FROM answers LIMIT 1)"


def test_a_day_that_was_lived_is_clean(data: Place) -> None:
    """And the report counts what there was."""
    report = audit(data)
    assert report.clean
    assert (report.faults, report.unknown, report.parked) == ([], [], [])
    assert report.counts["sign_ins"] == 2
    assert report.counts["occurrences"] == 2
    assert list(report.lines())[-1] == "账是平的，没有重复。"


@pytest.mark.parametrize("sentence", DAMAGE)
def test_every_kind_of_damage_is_found(data: Place, sentence: str) -> None:
    """A row changed by hand makes the audit fail with the sentence for it."""
    tamper(data, *DAMAGE[sentence])
    report = audit(data)
    assert not report.clean
    assert any(sentence in fault for fault in report.faults), report.faults
    assert list(report.lines())[-1] == f"有 {len(report.faults)} 处不对。"


def test_no_check_is_without_its_damage() -> None:
    """Each check that there is has a test above."""
    assert len(DAMAGE) == len(_CHECKS)


def test_a_row_that_leads_nowhere_is_found(data: Place) -> None:
    """Where the database itself lets it come to that: a file's rules are those of whoever opens it."""
    if isinstance(data, Path):
        tamper(data, "PRAGMA foreign_keys = OFF", ORPHANS)
        assert any("指向一条没有的记录" in fault for fault in audit(data).faults)
    else:
        with pytest.raises(IntegrityError):
            tamper(data, ORPHANS)


def test_a_whole_share_paid_twice_is_found(data: Place) -> None:
    """A second payment under another key, in balance with itself, is still not in any share."""
    tamper(
        data,
        "INSERT INTO postings (key, account_id, amount, at)"
        " SELECT 'again', account_id, amount, at FROM postings WHERE key = 'share:1:1'",
        "UPDATE accounts SET balance = (SELECT SUM(amount) FROM postings WHERE account_id = accounts.id)"
        " WHERE id IN (SELECT account_id FROM postings WHERE key = 'share:1:1')",
    )
    assert any("托管账户" in fault or "低于零" in fault for fault in audit(data).faults)


def test_what_is_unknown_is_reported_and_no_fault(data: Place) -> None:
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


def test_a_parked_timer_is_reported(data: Place) -> None:
    """A person has to look at it."""
    tamper(data, "UPDATE timers SET parked = 1")
    report = audit(data)
    assert report.clean
    assert all("搁置了" in line for line in report.parked)
    assert report.parked


def test_an_audit_needs_a_database_of_this_version(tmp_path: Path) -> None:
    """One of another version is one sentence."""
    made, where = open_store(tmp_path)
    made.dispose()
    tamper(where, "UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(Unusable, match="xiaoer db upgrade"):
        audit(where)
