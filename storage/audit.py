"""对账: what must hold whatever happened. It reads one snapshot and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.model import fill
from storage.db import Db, Lost, connect
from storage.place import Place, at_work, existing, explained

# Each finds rows that must not be there; its sentence says what a row means.
_CHECKS = (
    (
        "群 {0} 的账不平：所有账户加起来是 {1}，应该是 0。",
        "SELECT group_id, SUM(balance) FROM accounts GROUP BY group_id HAVING SUM(balance) <> 0",
    ),
    (
        "账户 {0} 的余额是 {1}，流水加起来是 {2}。",
        """SELECT a.id, a.balance, COALESCE(p.total, 0) FROM accounts a
           LEFT JOIN (SELECT account_id, SUM(amount) AS total FROM postings GROUP BY account_id) p
             ON p.account_id = a.id
           WHERE a.balance <> COALESCE(p.total, 0)""",
    ),
    (
        "流水 {0} 的两边不相等，差 {1}。",
        "SELECT key, SUM(amount) FROM postings GROUP BY key HAVING SUM(amount) <> 0 OR COUNT(*) <> 2",
    ),
    (
        "{1} {0} 的余额低于零：{2}。",
        "SELECT id, kind, balance FROM accounts WHERE balance < 0 AND kind <> 'house'",
    ),
    (
        "红包 {0} 的份加起来是 {1} 分，应该是 {2} 分。",
        """SELECT k.id, SUM(s.points), k.points FROM packets k JOIN shares s ON s.packet_id = k.id
           GROUP BY k.id, k.points, k.shares HAVING SUM(s.points) <> k.points OR COUNT(*) <> k.shares""",
    ),
    (
        "红包 {0} 给成员 {1} 发了 {2} 份。",
        """SELECT packet_id, member_id, COUNT(*) FROM shares WHERE member_id IS NOT NULL
           GROUP BY packet_id, member_id HAVING COUNT(*) > 1""",
    ),
    (
        "红包 {0} 的第 {1} 份记的和付的不一样。",
        """SELECT s.packet_id, s.number FROM shares s
           JOIN packets k ON k.id = s.packet_id
           LEFT JOIN postings p ON p.key = 'share:' || s.packet_id || ':' || s.number AND p.amount > 0
           LEFT JOIN accounts a ON a.id = p.account_id
           WHERE (s.member_id IS NULL) <> (p.key IS NULL) OR p.amount <> s.points
             OR a.group_id <> k.group_id OR a.kind <> 'purse' OR a.subject <> s.member_id""",
    ),
    (
        "红包 {0}（{1}）的托管账户里有 {2} 分，应该是 {3} 分。",
        """SELECT * FROM (
             SELECT k.id, k.state, COALESCE(a.balance, 0) AS held,
               CASE WHEN k.state = 'open' THEN
                 (SELECT COALESCE(SUM(points), 0) FROM shares
                  WHERE packet_id = k.id AND member_id IS NULL) ELSE 0 END AS due
             FROM packets k LEFT JOIN accounts a
               ON a.group_id = k.group_id AND a.kind = 'escrow' AND a.subject = k.id) held
           WHERE held <> due""",
    ),
    (
        "成员 {0} 在第 {1} 天签到了 {2} 次。",
        "SELECT member_id, day, COUNT(*) FROM sign_ins GROUP BY member_id, day HAVING COUNT(*) > 1",
    ),
    (
        "成员 {0} 第 {1} 天的签到没有入账，或者入账不对。",
        """SELECT s.member_id, s.day FROM sign_ins s
           LEFT JOIN accounts a ON a.group_id = s.group_id AND a.kind = 'purse' AND a.subject = s.member_id
           LEFT JOIN postings p
             ON p.key = 'sign_in:' || s.member_id || ':' || s.day AND p.account_id = a.id
           WHERE p.key IS NULL OR p.amount <> s.points""",
    ),
    (
        "日程 {0} 在群 {1} 的 {2} 有 {3} 条。",
        """SELECT slot, group_id, local, COUNT(*) FROM occurrences
           GROUP BY slot, group_id, local HAVING COUNT(*) > 1""",
    ),
    (
        "日程第 {0} 次发了 {1} 遍。",
        # Of a post of several messages, each has its step in its body.
        """SELECT occurrence, COUNT(*) FROM outbox WHERE occurrence > 0
           GROUP BY occurrence, account, chat, CASE WHEN body LIKE '%"step":%' THEN body ELSE '' END
           HAVING COUNT(*) > 1""",
    ),
    (
        "钩子 {0} 发了 {1} 遍。",
        "SELECT about, COUNT(*) FROM outbox WHERE about LIKE 'hook:%' GROUP BY about HAVING COUNT(*) > 1",
    ),
    (
        "群 {0} 同时有 {1} 场问答在进行。",
        "SELECT group_id, COUNT(*) FROM quizzes WHERE state = 'running' GROUP BY group_id HAVING COUNT(*) > 1",
    ),
)

_COUNTS = {
    "groups": "SELECT COUNT(*) FROM groups WHERE opened_at > 0",
    "members": "SELECT COUNT(*) FROM members WHERE status <> 'left'",
    "postings": "SELECT COUNT(*) FROM postings",
    "sign_ins": "SELECT COUNT(*) FROM sign_ins",
    "packets": "SELECT COUNT(*) FROM packets",
    "occurrences": "SELECT COUNT(*) FROM occurrences",
    "messages": "SELECT COUNT(*) FROM outbox",
}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message that may or may not have arrived. `state` is `sending` when nobody reported it yet."""

    id: int
    account: str
    chat: str
    state: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. What is unknown is no fault: it is for a person to settle."""

    faults: list[str] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)
    parked: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        return not self.faults

    def lines(self) -> Iterator[str]:
        """The report as an operator reads it."""
        counts = self.counts
        yield (
            f"{counts['groups']} 个群，{counts['members']} 个成员，{counts['postings']} 条流水，"
            f"{counts['sign_ins']} 次签到，{counts['packets']} 个红包，{counts['occurrences']} 次日程。"
        )
        for one in self.unknown:
            yield f"不知道发出去没有：消息 {one.id}，{one.account} {one.chat}，「{one.text[:40]}」"
        yield from self.parked
        yield from self.faults
        yield "账是平的，没有重复。" if self.clean else f"有 {len(self.faults)} 处不对。"


def audit(place: Place) -> Report:
    """Audit a database, while 小二 runs or not. Raises Unusable."""
    # While somebody is at work, what is being sent is on its way and not unknown.
    made = existing(place)
    try:
        states = ("unknown",) if at_work(place) else ("unknown", "sending")
        db = connect(made)
        db.begin(write=False)
        report = look(db, states)
        db.rollback()
        db.close()
    except (DBAPIError, Lost) as error:
        if (why := explained(place, error)) is not None:
            raise why from error
        raise
    finally:
        made.dispose()
    return report


def look(db: Db, states: Sequence[str] = ("unknown", "sending")) -> Report:
    """Audit what a connection sees in its transaction. Rows in these states may or may not have arrived."""
    report = Report()
    connection = db.connection
    for sentence, sql in _CHECKS:
        for row in connection.execute(text(sql)):
            report.faults.append(sentence.format(*row))
    if connection.dialect.name == "sqlite":
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            report.faults.append(f"表 {row[0]} 的第 {row[1]} 行指向一条没有的记录。")
    for name, sql in _COUNTS.items():
        report.counts[name] = connection.execute(text(sql)).scalar_one()
    rows = connection.execute(
        text(
            "SELECT id, account, chat, state, body FROM outbox"
            " WHERE state <> 'sent' AND state IN ('unknown', 'sending') ORDER BY id"
        )
    )
    report.unknown.extend(_unknown(*row) for row in rows if row[3] in states)
    parked = text("SELECT kind, subject, group_id FROM timers WHERE parked = 1 ORDER BY id")
    for kind, subject, group in connection.execute(parked):
        report.parked.append(f"搁置了：群 {group} 的 {kind} {subject}，试了三次都没办成。")
    return report


def _unknown(key: int, account: str, chat: str, state: str, body: str) -> Unknown:
    said: dict[str, Any] = json.loads(body)
    return Unknown(key, account, chat, state, fill(said.get("text", ""), said.get("values", {})))
