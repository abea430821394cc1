"""The same sign-in as it is usually written: one async ORM session for each message.

The tables are the bot's own, so that the same audit checks the books. A pool of one connection is
what serves SQLite best, which takes one writer at a time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import Engine, ForeignKey, event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bot.model import Message
from storage.db import PRAGMAS
from storage.tables import Big

WORDS = "签到成功，今天第 {place} 个，连续 {streak} 天，得 {points} 分，共 {balance} 分。"


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {int: Big}


class Group(Base):
    __tablename__ = "groups"
    id: Mapped[int] = mapped_column(primary_key=True)
    chat: Mapped[str]


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    person: Mapped[str]
    name: Mapped[str]


class Mark(Base):
    __tablename__ = "marks"
    account: Mapped[str] = mapped_column(primary_key=True)
    chat: Mapped[str] = mapped_column(primary_key=True)
    message: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[int]
    outcome: Mapped[str]


class SignIn(Base):
    __tablename__ = "sign_ins"
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    place: Mapped[int]
    streak: Mapped[int]
    points: Mapped[int]


class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    kind: Mapped[str]
    subject: Mapped[int]
    balance: Mapped[int]


class Posting(Base):
    __tablename__ = "postings"
    key: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    amount: Mapped[int]
    at: Mapped[int]


class Outbox(Base):
    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    chat: Mapped[str]
    kind: Mapped[str]
    body: Mapped[str]
    state: Mapped[str]
    at: Mapped[int]


Sessions = async_sessionmaker[AsyncSession]


async def sign_ins(engine: AsyncEngine, work: Sequence[Message], callers: int) -> None:
    """All of them from so many callers, each answered and marked as sent before the caller's next."""
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    waiting = iter(work)

    async def caller() -> None:
        for message in waiting:
            await handle(sessions, message)

    await asyncio.gather(*(caller() for _ in range(callers)))
    await engine.dispose()


async def handle(sessions: Sessions, message: Message) -> None:
    """From a message to its reply, sent and marked as sent."""
    async with sessions() as session:
        reply = await sign_in(session, message)
        await session.commit()
        if reply is not None:
            # Here it would go out.
            reply.state = "sent"
            await session.commit()


async def sign_in(session: AsyncSession, message: Message) -> Outbox | None:
    """Mark, sign-in, both postings, both balances and the reply's row."""
    if await session.get(Mark, (message.account, message.chat, message.id)):
        return None
    session.add(
        Mark(
            account=message.account,
            chat=message.chat,
            message=message.id,
            at=message.at,
            outcome="sign_in",
        )
    )
    # Who signs in at the same moment in the same group waits here (SQLite has one writer anyway).
    group = await session.scalar(select(Group).where(Group.chat == message.chat).with_for_update())
    assert group is not None
    member = await session.scalar(
        select(Member).where(Member.group_id == group.id, Member.person == message.sender.id)
    )
    assert member is not None
    day = datetime.now(UTC).date().toordinal()
    last = await session.scalar(
        select(SignIn).where(SignIn.member_id == member.id).order_by(SignIn.day.desc()).limit(1)
    )
    streak = last.streak + 1 if last and last.day == day - 1 else 1
    there = select(func.max(SignIn.place)).where(SignIn.group_id == group.id, SignIn.day == day)
    place = (await session.scalar(there) or 0) + 1
    points = 5
    session.add(
        SignIn(group_id=group.id, member_id=member.id, day=day, place=place, streak=streak, points=points)
    )
    house = await _account(session, group.id, "house", 0)
    purse = await _account(session, group.id, "purse", member.id)
    house.balance -= points
    purse.balance += points
    await session.flush()
    key = f"sign_in:{member.id}:{day}"
    session.add_all(
        Posting(key=key, account_id=account.id, amount=amount, at=message.at)
        for account, amount in ((house, -points), (purse, points))
    )
    values = {"place": place, "streak": streak, "points": points, "balance": purse.balance}
    body = {"text": WORDS, "values": values, "to": [member.person, member.name]}
    reply = Outbox(
        account=message.account,
        chat=message.chat,
        kind="say",
        body=json.dumps(body, ensure_ascii=False),
        state="planned",
        at=message.at,
    )
    session.add(reply)
    return reply


async def _account(session: AsyncSession, group: int, kind: str, subject: int) -> Account:
    found = await session.scalar(
        select(Account).where(Account.group_id == group, Account.kind == kind, Account.subject == subject)
    )
    if found is None:
        found = Account(group_id=group, kind=kind, subject=subject, balance=0)
        session.add(found)
    return found


def on_sqlite(path: object) -> AsyncEngine:
    made = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=1, max_overflow=0, pool_timeout=120)
    durable(made.sync_engine)
    return made


def durable(made: Engine) -> Engine:
    """SQLite set as the bot's own: WAL, every commit on the disk."""

    @event.listens_for(made, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return made
