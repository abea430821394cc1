"""Databases of any size at once: groups that are 开张 with their members, who signed in for some days.

What is in them is what the bot itself would have written, as the audit finds.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

from benchmarks.stage import FILE
from bot.adapters.sandbox.adapter import ACCOUNT
from bot.model import DAY
from storage.database import Database

TAG = "理财"
POINTS, TREASURY = 5, 10_000
# Groups `g0`, `g1`, … with the members `0-0`, `0-1`, …, as benchmarks/stage.py has them.
_STEPS = (
    """INSERT INTO groups (id, account, chat, title, owner, opened_at)
       SELECT :before + i, :account, 'g' || (:before + i - 1), '群' || (:before + i - 1),
         (:before + i - 1) || '-0', :since FROM counted WHERE i <= :groups""",
    "INSERT INTO tags (group_id, tag, since) SELECT id, :tag, :since FROM groups WHERE id > :before",
    """INSERT INTO members (group_id, person, name, status, joined_at)
       SELECT g.id, (g.id - 1) || '-' || (c.i - 1), '群友' || (c.i - 1), 'member', :since
       FROM groups g JOIN counted c ON c.i <= :each WHERE g.id > :before ORDER BY g.id, c.i""",
    """INSERT INTO accounts (group_id, kind, subject, balance)
       SELECT id, 'house', 0, -:treasury - :each * :days * :points FROM groups WHERE id > :before""",
    """INSERT INTO accounts (group_id, kind, subject, balance)
       SELECT id, 'treasury', 0, :treasury FROM groups WHERE id > :before""",
    """INSERT INTO accounts (group_id, kind, subject, balance)
       SELECT group_id, 'purse', id, :days * :points FROM members WHERE group_id > :before AND :days > 0""",
    """INSERT INTO postings (key, account_id, amount, at)
       SELECT 'treasury:' || group_id, id, CASE kind WHEN 'house' THEN -:treasury ELSE :treasury END, :since
       FROM accounts WHERE kind IN ('house', 'treasury') AND group_id > :before""",
    """INSERT INTO sign_ins (group_id, member_id, day, place, streak, points)
       SELECT m.group_id, m.id, :today - :days + c.i - 1,
         ROW_NUMBER() OVER (PARTITION BY m.group_id, c.i ORDER BY m.id), c.i, :points
       FROM members m JOIN counted c ON c.i <= :days WHERE m.group_id > :before""",
    """INSERT INTO postings (key, account_id, amount, at)
       SELECT 'sign_in:' || s.member_id || ':' || s.day, a.id,
         CASE a.kind WHEN 'house' THEN -:points ELSE :points END, :since + s.streak * :one_day
       FROM sign_ins s JOIN accounts a ON a.group_id = s.group_id
         AND (a.kind = 'house' OR (a.kind = 'purse' AND a.subject = s.member_id))
       WHERE s.group_id > :before""",
    """INSERT INTO marks (account, chat, message, at, outcome)
       SELECT :account, g.chat, 'day-' || s.streak || ':' || m.person, :since + s.streak * :one_day, 'sign_in'
       FROM sign_ins s JOIN members m ON m.id = s.member_id JOIN groups g ON g.id = s.group_id
       WHERE g.id > :before""",
    """INSERT INTO outbox (account, chat, kind, body, state, at)
       SELECT :account, g.chat, 'say', '{"text":"签到成功，今天第 {place} 个。","values":{"place":' || s.place
         || '},"to":["' || m.person || '","' || m.name || '"]}', 'sent', :since + s.streak * :one_day
       FROM sign_ins s JOIN members m ON m.id = s.member_id JOIN groups g ON g.id = s.group_id
       WHERE g.id > :before""",
    "INSERT OR IGNORE INTO horizon (id, planned_until) VALUES (1, :now)",
)


def fill(data: Path, groups: int, each: int, *, days: int, now: int, tag: str = TAG) -> int:
    """Add groups with so many members each, who signed in on each of the last days.

    The answer is how many groups were there before: the first new one is `g` and that number.
    """
    asyncio.run(_made(data))
    with closing(connect(data / FILE)) as connection, connection:
        (before,) = connection.execute("SELECT COALESCE(MAX(id), 0) FROM groups").fetchone()
        values = {
            "account": ACCOUNT,
            "before": before,
            "tag": tag,
            "groups": groups,
            "each": each,
            "days": days,
            "points": POINTS,
            "treasury": TREASURY,
            "since": now - (days + 1) * DAY,
            "one_day": DAY,
            "now": now,
            "today": now // DAY + 719_163,  # as date.toordinal() counts
        }
        connection.execute("CREATE TEMP TABLE counted (i INTEGER PRIMARY KEY)")
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO counted"
            " SELECT i FROM n",
            (max(groups, each, days),),
        )
        for step in _STEPS:
            connection.execute(step, values)
    return int(before)


async def _made(data: Path) -> None:
    """The tables, when they are not there."""
    await (await Database.open(data)).close()
