"""All tables. INTEGER and TEXT only (see storage/query.py); moments are microseconds UTC; 0 and '' mean none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only where the key is exactly INTEGER.
Big = BigInteger().with_variant(Integer, "sqlite")


# A table that is its own index: a third less to write for what every message adds to.
_ONE_TREE: dict[str, Any] = {"sqlite_with_rowid": False}


def _key() -> Column[int]:
    return Column("id", Big, primary_key=True)


def _number(name: str, default: int | None = None) -> Column[int]:
    return Column(name, Big, nullable=False, server_default=None if default is None else str(default))


def _text(name: str, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _where(condition: str) -> dict[str, Any]:
    """Have an index hold these rows alone; a query must say the same words to use it."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


# An occurrence that did not go as planned, and was not told of; see storage/notices.py.
TROUBLED = "state IN ('late', 'missed', 'failed', 'unknown') AND noticed = 0"


def _of(name: str, target: str) -> Column[int]:
    return Column(name, Big, ForeignKey(f"{target}.id"), nullable=False)


# Who. -------------------------------------------------------------------------------------------

groups = Table(
    "groups",
    metadata,
    _key(),
    _text("account"),
    _text("chat"),
    _text("title", ""),
    _text("owner", ""),
    _number("opened_at", 0),
    _number("paused", 0),
    _text("password", ""),
    _text("rules", ""),
    _number("rules_version", 0),
    _text("timezone", ""),
    UniqueConstraint("account", "chat"),
)

tags = Table(
    "tags",
    metadata,
    _of("group_id", "groups"),
    _text("tag"),
    _number("since"),
    UniqueConstraint("group_id", "tag"),
)

members = Table(
    "members",
    metadata,
    _key(),
    _of("group_id", "groups"),
    _text("person"),
    _text("name", ""),
    _text("status"),  # newcomer, member, left
    _number("joined_at"),
    UniqueConstraint("group_id", "person"),
)

admissions = Table(
    "admissions",
    metadata,
    _key(),
    _of("member_id", "members"),
    _number("at"),
    _text("password"),
    _number("rules_version"),
)

# Once. ------------------------------------------------------------------------------------------

marks = Table(
    "marks",
    metadata,
    _text("account"),
    _text("chat"),
    _text("message"),
    _number("at"),
    _text("outcome"),
    PrimaryKeyConstraint("account", "chat", "message"),
    Index(None, "at"),
    **_ONE_TREE,
)

orders = Table(
    "orders",
    metadata,
    _of("member_id", "members"),
    _text("words"),
    _number("at"),
    UniqueConstraint("member_id", "words"),
)

# One row, which every commit on a server writes: see storage/postgres.py.
commits = Table("commits", metadata, _key(), _number("token"))

# Points. ----------------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    _key(),
    _of("group_id", "groups"),
    _text("kind"),  # house, treasury, purse, escrow
    _number("subject"),  # the member of a purse, the packet of an escrow; 0 otherwise
    _number("balance"),
    CheckConstraint("balance >= 0 OR kind = 'house'", name="never_below_zero"),
    UniqueConstraint("group_id", "kind", "subject"),
)

postings = Table(
    "postings",
    metadata,
    _text("key"),
    _of("account_id", "accounts"),
    _number("amount"),
    _number("at"),
    PrimaryKeyConstraint("key", "account_id"),
    **_ONE_TREE,
)

# What handlers keep. ----------------------------------------------------------------------------

sign_ins = Table(
    "sign_ins",
    metadata,
    _of("group_id", "groups"),
    _of("member_id", "members"),
    _number("day"),  # date.toordinal() of the group's day
    _number("place"),
    _number("streak"),
    _number("points"),
    PrimaryKeyConstraint("member_id", "day"),
    UniqueConstraint("group_id", "day", "place"),
    **_ONE_TREE,
)

packets = Table(
    "packets",
    metadata,
    _key(),
    _of("group_id", "groups"),
    _number("giver"),  # a member; 0 when the treasury gave it
    _text("giver_name", ""),
    _number("points"),
    _number("shares"),
    _text("state"),  # open, done, expired, withdrawn, void
    _number("at"),
    _number("occurrence", 0),
    Index(None, "group_id", "state"),
)

shares = Table(
    "shares",
    metadata,
    _of("packet_id", "packets"),
    _number("number"),
    _number("points"),
    Column("member_id", Big, ForeignKey("members.id")),
    _number("at", 0),
    UniqueConstraint("packet_id", "number"),
    UniqueConstraint("packet_id", "member_id"),
)

quizzes = Table(
    "quizzes",
    metadata,
    _key(),
    _of("group_id", "groups"),
    _text("definition"),  # the activity as it was when it began, JSON
    _text("state"),  # running, done, stopped, void
    _number("at"),
    _number("occurrence", 0),
    Index(None, "group_id", "state"),
)

rounds = Table(
    "rounds",
    metadata,
    _key(),
    _of("quiz_id", "quizzes"),
    _number("number"),
    _text("question"),  # JSON
    _number("opened_at", 0),
    _number("closes_at", 0),
    _number("closed_at", 0),
    _number("right_answers", 0),
    UniqueConstraint("quiz_id", "number"),
)

answers = Table(
    "answers",
    metadata,
    _of("round_id", "rounds"),
    _of("member_id", "members"),
    _number("place"),
    _text("answer"),
    _number("at"),
    _number("warned", 0),
    UniqueConstraint("round_id", "member_id"),
    UniqueConstraint("round_id", "place"),
)

asked = Table(
    "asked",
    metadata,
    _of("group_id", "groups"),
    _text("question"),
    _number("at"),
    UniqueConstraint("group_id", "question"),
)

# How much is written: what is counted in memory and written every few seconds. -------------------

written = Table(
    "written",
    metadata,
    _of("member_id", "members"),
    _number("day"),  # date.toordinal() of the group's calendar day
    _number("messages"),
    PrimaryKeyConstraint("member_id", "day"),
    **_ONE_TREE,
)

talk = Table(
    "talk",
    metadata,
    _of("group_id", "groups"),
    _number("at"),  # the moment when a stretch of five minutes began
    _number("messages"),
    PrimaryKeyConstraint("group_id", "at"),
    **_ONE_TREE,
)

# When. ------------------------------------------------------------------------------------------

timers = Table(
    "timers",
    metadata,
    _key(),
    _of("group_id", "groups"),
    _text("kind"),
    _number("subject"),
    _number("due"),
    _number("attempts", 0),
    _number("parked", 0),
    _number("noticed", 0),
    UniqueConstraint("group_id", "kind", "subject"),
    Index(None, "parked", "due"),
    Index(None, "group_id", "parked", "due"),
)

listening = Table(
    "listening",
    metadata,
    _of("group_id", "groups"),
    _text("topic"),
    _text("value"),
    UniqueConstraint("group_id", "topic"),
)

slots = Table("slots", metadata, _text("slot"), _number("since"), UniqueConstraint("slot"))

occurrences = Table(
    "occurrences",
    metadata,
    _key(),
    _text("slot"),
    _of("group_id", "groups"),
    _text("local"),
    _number("due"),
    _number("late"),
    _text("what"),  # `do:<activity>` or `post:<post>`
    _text("state"),  # claimed, sent, late, missed, skipped, failed, unknown
    _text("reason", ""),
    _number("sent_at", 0),
    _number("members", 0),  # who was in the group then
    _number("hooked_at", 0),
    _number("noticed", 0),
    UniqueConstraint("slot", "group_id", "local"),
    Index(None, "group_id", "due"),
    Index("ix_occurrences_troubled", "due", **_where(TROUBLED)),
)

horizon = Table("horizon", metadata, _key(), _number("planned_until"))

# What an owner said of single occurrences: another local time of that day, or '' for not at all.
moves = Table(
    "moves",
    metadata,
    _of("group_id", "groups"),
    _text("slot"),
    _text("local"),
    _text("instead"),
    _number("at"),
    PrimaryKeyConstraint("group_id", "slot", "local"),
    **_ONE_TREE,
)

# To whom a slot for some of the members wrote last, in whichever group.
nudges = Table(
    "nudges",
    metadata,
    _text("account"),
    _text("person"),
    _number("day"),  # date.toordinal() of the group's calendar day
    PrimaryKeyConstraint("account", "person"),
    **_ONE_TREE,
)

# What is to be sent. ----------------------------------------------------------------------------

outbox = Table(
    "outbox",
    metadata,
    _key(),
    _text("account"),
    _text("chat"),
    _text("kind"),  # say, accept, announce
    _text("body"),  # JSON
    _text("state"),  # planned, sending, sent, failed, stale, unknown
    _number("at"),
    _number("send_before", 0),
    _number("occurrence", 0),
    _text("about", ""),  # `round:3`, `packet:7`: what is void when this never went out
    _text("reason", ""),
    _number("noticed", 0),
    # Nearly all rows are sent and nobody looks for them again, so no index is written for them. Of those that
    # failed, which stay for ever, every ring of the alarm asks for the ones that were not told of.
    Index("ix_outbox_not_sent", "state", "noticed", **_where("state <> 'sent'")),
    Index("ix_outbox_about", "about", **_where("about <> ''")),
)

# Posts of several messages that are under way. What is still to be said stands in JSON.
posts = Table("posts", metadata, _key(), _of("group_id", "groups"), _text("rest"))

# A hook of an activity that was started, and what became of it.
hooks = Table(
    "hooks",
    metadata,
    _key(),
    _of("group_id", "groups"),
    _text("run"),  # `quiz:3`, `packet:7`, or '' for what has no end of its own
    _number("occurrence", 0),
    _text("definition"),  # the hook as it was when the activity began, JSON
    _number("started_at"),
    _number("ended_at", 0),
    _text("state"),  # waiting, posted, dropped
    _text("reason", ""),
    _number("at", 0),  # when it was posted or dropped
    Index(None, "group_id", "state"),
)

# What each paced account sent last, so that a restart does not exceed its pace.
paces = Table("paces", metadata, _text("account"), _text("kept"), PrimaryKeyConstraint("account"))

# What the operators were told of what went wrong.
notices = Table("notices", metadata, _key(), _number("at"), _text("text"))

# The sandbox's own world. -----------------------------------------------------------------------

sandbox_groups = Table("sandbox_groups", metadata, _key(), _text("title"))

sandbox_members = Table(
    "sandbox_members",
    metadata,
    _key(),
    Column("group_id", Big, ForeignKey("sandbox_groups.id"), nullable=False),
    _text("name"),
    _text("role"),
    _number("present"),
    UniqueConstraint("group_id", "name"),
)

sandbox_messages = Table(
    "sandbox_messages",
    metadata,
    Column("seq", Big, primary_key=True),
    _text("chat"),
    _text("message"),
    _text("sender"),
    _text("name"),
    _text("text"),
    _number("at"),
    _text("mentions"),  # JSON
    _text("picture", ""),
    _text("file", ""),
    _text("card", ""),  # JSON
    _number("handled"),
    UniqueConstraint("chat", "message"),
    Index(None, "chat", "seq"),
    Index(None, "handled"),
)

sandbox_clock = Table("sandbox_clock", metadata, _key(), _number("ahead"))
