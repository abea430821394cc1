"""Databases of any size at once: groups that are 开张 with their members, who signed in for some days.

What is in them is what the bot itself would have written, as the audit finds.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from sqlite3 import connect

from benchmarks.stage import ACCOUNT
from bot.model import DAY
from storage.database import FILE
from storage.db import engine
from storage.migrate import upgrade

TAG = "理财"
POINTS, TREASURY = 5, 10_000
# Groups `g0`, `g1`, … with the members `0-0`, `0-1`, …, as benchmarks/stage.py has them.
_STEPS = (
    """INSERT INTO groups (id, account, chat, title, owner, opened_at)
       SELECT i, :account, 'g' || (i - 1), '群' || (i - 1), (i - 1) || '-0', :since FROM counted
       WHERE i <= :groups""",
    "INSERT INTO tags (group_id, tag, since) SELECT id, :tag, :since FROM groups",
    """INSERT INTO members (id, group_id, person, name, status, joined_at)
       SELECT i, (i - 1) / :each + 1, ((i - 1) / :each) || '-' || ((i - 1) % :each),
         '群友' || ((i - 1) % :each), 'member', :since FROM counted WHERE i <= :groups * :each""",
    """INSERT INTO accounts (group_id, kind, subject, balance)
       SELECT id, 'house', 0, -:treasury - :each * :days * :points FROM groups""",
    "INSERT INTO accounts (group_id, kind, subject, balance) SELECT id, 'treasury', 0, :treasury FROM groups",
    """INSERT INTO accounts (group_id, kind, subject, balance)
       SELECT group_id, 'purse', id, :days * :points FROM members WHERE :days > 0""",
    """INSERT INTO postings (key, account_id, amount, at)
       SELECT 'treasury:' || group_id, id, CASE kind WHEN 'house' THEN -:treasury ELSE :treasury END, :since
       FROM accounts WHERE kind IN ('house', 'treasury')""",
    """INSERT INTO sign_ins (group_id, member_id, day, place, streak, points)
       SELECT m.group_id, m.id, :today - :days + d.i - 1, (m.id - 1) % :each + 1, d.i, :points
       FROM members m JOIN counted d ON d.i <= :days""",
    """INSERT INTO postings (key, account_id, amount, at)
       SELECT 'sign_in:' || s.member_id || ':' || s.day, a.id,
         CASE a.kind WHEN 'house' THEN -:points ELSE :points END, :since + s.streak * :one_day
       FROM sign_ins s JOIN accounts a ON a.group_id = s.group_id
         AND (a.kind = 'house' OR (a.kind = 'purse' AND a.subject = s.member_id))""",
    """INSERT INTO marks (account, chat, message, at, outcome)
       SELECT :account, g.chat, 'day-' || s.streak || ':' || m.person, :since + s.streak * :one_day, 'sign_in'
       FROM sign_ins s JOIN members m ON m.id = s.member_id JOIN groups g ON g.id = s.group_id""",
    """INSERT INTO outbox (account, chat, kind, body, state, at)
       SELECT :account, g.chat, 'say', '{"text":"签到成功，今天第 {place} 个。","values":{"place":' || s.place
         || '},"to":["' || m.person || '","' || m.name || '"]}', 'sent', :since + s.streak * :one_day
       FROM sign_ins s JOIN members m ON m.id = s.member_id JOIN groups g ON g.id = s.group_id""",
    "INSERT INTO horizon (id, planned_until) VALUES (1, :now)",
)


def fill(data: Path, groups: int, each: int, *, days: int, now: int) -> None:
    """A new database with so many members in each group, who signed in on each of the last days."""
    made = engine(f"sqlite:///{data / FILE}")
    try:
        upgrade(made)
    finally:
        made.dispose()
    values = {
        "account": ACCOUNT,
        "tag": TAG,
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
    with closing(connect(data / FILE)) as connection, connection:
        connection.execute("CREATE TEMP TABLE counted (i INTEGER PRIMARY KEY)")
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO counted"
            " SELECT i FROM n",
            (max(groups * each, days, 1),),
        )
        for step in _STEPS:
            connection.execute(step, values)
