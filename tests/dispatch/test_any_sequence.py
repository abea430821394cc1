"""Whatever members do, in whatever order and however it is batched, the books and the lanes hold."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.app import kinds, routes
from bot.dispatch import lanes
from bot.dispatch.dispatcher import Dispatcher
from bot.model import DAY, HOUR, MINUTE, SECOND, Joined, Left, Message, Occurrence, Person
from bot.sop.library import Library, load
from storage.audit import audit
from tests import databases
from tests.harness import SMALL, Inside, agree, said
from tests.sop.fakes import write
from tests.sop.test_scripts import HALF

PEOPLE = ("owner", "a", "b", "c")
WHO = st.sampled_from([*PEOPLE, "new"])
SPAN = st.sampled_from(
    [SECOND, 4 * SECOND, 6 * SECOND, 11 * SECOND, MINUTE, 10 * MINUTE, HOUR, DAY, 25 * HOUR]
)
WORDS = st.sampled_from(
    (
        "签到 签到 抢 抢 抢 A B B C D 撤回红包 我的积分 积分榜 帮助 你好 芝麻开门 暗号_芝麻开门 暗号_天王盖地虎 "
        "取消暗号 天王盖地虎 群规_不吵架 开张 暂停 继续 开始_快问 开始_半日题 开始_小红包 收题 结束 小二 今日安排"
    )
    .replace("_", "\u3000")
    .split(" ")
)
PACKET = st.builds("发红包 {} {}".format, st.integers(-2, 12), st.integers(-1, 6))
STEP = st.one_of(
    st.tuples(st.just("say"), WHO, st.one_of(WORDS, PACKET), st.booleans()),
    st.tuples(st.just("say"), WHO, PACKET, st.booleans()),
    st.tuples(st.just("again"), st.integers(0, 9)),
    st.tuples(st.just("clock"), SPAN),
    st.tuples(st.just("joins"), WHO),
    st.tuples(st.just("leaves"), WHO),
    st.tuples(st.just("slot"), st.sampled_from(["gift", "quick", "call", "huge"]), st.integers(0, 5)),
    st.tuples(st.just("sent")),
    st.tuples(st.just("poison")),
    st.tuples(st.just("wait")),
    st.tuples(st.just("restart")),
)


@cache
def small() -> Library:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), {**SMALL, "activities/half.yaml": HALF})
        return load(Path(folder), kinds(routes()))


class Play:
    """Steps fed without waiting for one another, so that they meet in batches."""

    def __init__(self, inside: Inside) -> None:
        self.inside = inside
        self.fed: list[Awaitable[Any]] = []
        self.spoken: list[Message] = []

    def say(self, who: str, text: str, to_bot: bool) -> None:
        self.spoken.append(self.inside.message(who, text, to_bot=to_bot))
        self.feed(self.spoken[-1])

    def again(self, back: int) -> None:
        """A message comes a second time."""
        if self.spoken:
            self.feed(self.spoken[-1 - back % len(self.spoken)])

    def joins(self, who: str) -> None:
        self.feed(Joined("sandbox", "g", (Person(who, who),), self.inside.clock.now()))

    def leaves(self, who: str) -> None:
        self.feed(Left("sandbox", "g", (Person(who, who),), self.inside.clock.now()))

    def slot(self, activity: str, hour: int) -> None:
        now, local = self.inside.clock.now(), f"2030-01-07T0{hour}:00"
        occurrence = Occurrence(f"week/{activity}", 1, local, now, HOUR, do=activity)
        self.fed.append(self.inside.dispatcher.feed_slot(occurrence))

    def clock(self, span: int) -> None:
        self.inside.clock.advance(span)
        self.fed += self.inside.dispatcher.feed_timers(self.inside.clock.now())

    def poison(self) -> None:
        """Something in the batch fails, and takes the commit with it."""
        self.inside.writer.submit(lambda _: 1 // 0, lambda *_: None)

    def sent(self) -> None:
        """The outbox has been at work."""
        rows, now = list(self.inside.downstream.rows), self.inside.clock.now()
        self.fed.append(self.inside.writer.run(lambda store: store.outbox.sent(rows, now)))

    async def wait(self) -> None:
        """Let all that was fed be committed, run the timers that are due, and compare the lanes."""
        for _ in range(50):
            if not self.fed:
                break
            fed, self.fed = self.fed, []
            await asyncio.gather(*fed)
            self.fed += self.inside.dispatcher.feed_timers(self.inside.clock.now())
        assert not self.fed, "timers that ring for ever"
        await self.inside.agree()

    async def restart(self) -> None:
        """A new process takes over."""
        await self.wait()
        inside = self.inside
        kept = await inside.writer.run(lanes.load_all)
        inside.dispatcher = Dispatcher(inside.frame, inside.clock, inside.writer, kept, inside.downstream)

    async def step(self, what: str, *facts: Any) -> None:
        done = getattr(self, what)(*facts)
        if done is not None:
            await done

    def feed(self, event: Message | Joined | Left) -> None:
        fed = self.inside.dispatcher.feed(event)
        if fed is not None:
            self.fed.append(fed)


async def play(folder: Path, steps: list[tuple[Any, ...]], seed: int) -> None:
    async with Inside(folder, people=PEOPLE, found=small(), seed=seed) as inside:
        await inside.say("owner", "开张 试")
        game = Play(inside)
        for step in steps:
            await game.step(*step)
        await game.wait()
        lines = [said(row) for row in inside.downstream.rows]
        assert not any("出了点岔子" in line for line in lines)
        assert not any("{" in line for line in lines)
        assert inside.read("SELECT SUM(balance) FROM accounts") == [(0,)]
        assert inside.read("SELECT MIN(balance) >= 0 FROM accounts WHERE kind <> 'house'") == [(1,)]
        twice = "SELECT 1 FROM shares WHERE member_id IS NOT NULL GROUP BY packet_id, member_id HAVING COUNT(*) > 1"
        assert inside.read(twice) == []
        assert inside.read("SELECT COUNT(*) FROM packets WHERE state = 'open'") == inside.read(
            "SELECT COUNT(*) FROM timers WHERE kind = 'packet.expire'"
        )
        running = inside.read("SELECT COUNT(*) FROM quizzes WHERE state = 'running'")
        bells = inside.read("SELECT COUNT(*) FROM timers WHERE kind LIKE 'quiz.%'")
        assert running == bells
        # Once every timer has rung, nothing is left open and nothing is held.
        for _ in range(8):
            inside.clock.advance(25 * HOUR)
            await game.wait()
            await asyncio.gather(*inside.dispatcher.feed_timers(inside.clock.now()))
        assert inside.read("SELECT COUNT(*) FROM packets WHERE state = 'open'") == [(0,)]
        assert inside.read("SELECT COUNT(*) FROM quizzes WHERE state = 'running'") == [(0,)]
        assert inside.read("SELECT COALESCE(SUM(balance), 0) FROM accounts WHERE kind = 'escrow'") == [(0,)]
        assert inside.read("SELECT COUNT(*) FROM timers") == [(0,)]
        agree(await inside.writer.run(lanes.load_all), inside.dispatcher)
    report = audit(inside.place)
    assert report.clean, report.faults
    assert report.parked == []


EXAMPLES = {"sqlite": 40, "postgresql": 10}


def test_any_sequence_keeps_the_books_and_the_lanes(database: str) -> None:
    """The ledger sums to zero, the audit is clean, no share is paid twice, and all lanes say the same."""

    @settings(deadline=None, max_examples=EXAMPLES[database], suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(STEP, min_size=5, max_size=60), st.integers(0, 1000))
    def played(steps: list[tuple[Any, ...]], seed: int) -> None:
        with tempfile.TemporaryDirectory() as folder, databases.tidy():
            asyncio.run(play(Path(folder), steps, seed))

    played()
