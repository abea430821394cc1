"""A handler that always raises, and one that takes five seconds: the others are served all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.dispatch.parking import AGAIN, REST
from bot.dispatch.turn import Turn
from bot.model import MINUTE, Joined, Message, Person, Reply, Result, Timer
from storage.audit import audit
from storage.store import Store
from tests.faults.trouble import Disk, Hands, Lines, busy, told, until
from tests.harness import Inside, World, library, said

SLOW, PARKED = "a handler held everybody up", "a handler held everybody up again, and is parked"
SLOTS = [
    'id: gift, at: "08:00", do: gift, late: 1h',
    'id: post, at: "08:00", post: 早上好, late: 1h',
    'id: call, at: "08:30", do: call, late: 1h',
]


@pytest.fixture(autouse=True)
def _on_both(database: str, tidy: None) -> None:
    """See tests/conftest.py."""


@pytest.fixture
async def inside(tmp_path: Path) -> AsyncIterator[Inside]:
    async with Inside(tmp_path) as inside:
        await inside.say("owner", "开张")
        yield inside
        await inside.agree()


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(monkeypatch)


def named(lines: Lines, words: str) -> list[str]:
    """Which handlers were named in lines of this kind."""
    return [str(one["handler"]).rpartition(".")[2] for one in lines if one["event"] == words]


@pytest.fixture
def replace_command(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Have another handler for 抢."""

    def put(handler: Any) -> None:
        command = inside.frame.routes.commands["抢"]
        monkeypatch.setitem(inside.frame.routes.commands, "抢", type(command)("broken", handler))

    return put


async def test_a_flood_of_failures_is_told_of_in_one_line(
    inside: Inside, replace_command: Callable[[Any], None]
) -> None:
    """Each message gets its apology, and its mark says that it failed; the log has the first, in full."""

    def broken(message: Message, turn: Turn) -> Reply:
        turn.mint(turn.member, 1, message.id)
        raise RuntimeError("no")

    replace_command(broken)
    before = len(inside.downstream.rows)
    with capture_logs() as lines:
        messages = [inside.message("abc"[n % 3], "签到" if n % 4 == 3 else "抢") for n in range(40)]
        await asyncio.gather(*map(inside.feed, messages))
    texts = [said(row) for row in inside.downstream.rows[before:]]
    assert ["签到" in text for text in texts] == [n % 4 == 3 for n in range(40)]
    assert sum("出了点岔子" in text for text in texts) == 30
    assert inside.read("SELECT COUNT(*) FROM marks WHERE outcome = 'failed'") == [(30,)]
    (line,) = [one for one in lines if one["event"] == "a handler failed"]
    assert isinstance(line["exc_info"], RuntimeError)
    assert (line["handler"], line["group"], line["member"], line["message"]) == ("broken", 1, 2, "n2")
    assert told(lines) == ["a handler failed"]


async def test_a_slot_that_always_raises_fails_after_three_tries_and_the_others_go_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute apart, each told of once; it says so in today's plan, and no points are lost."""
    root = library(tmp_path / "lib", slots=SLOTS)
    async with World(tmp_path / "data", library=root) as world:
        groups = [await world.group(f"群{n}") for n in range(3)]
        slots = world.app.dispatcher._turns._frame.routes.slots
        at: list[int] = []

        def broken(activity: object, turn: Turn) -> Result:
            at.append(turn.now)
            turn.mint(turn.members[0], 5, f"broken:{len(at)}")
            raise RuntimeError("no")

        monkeypatch.setitem(slots, "red_packet", (slots["red_packet"][0], broken))
        with capture_logs() as lines:
            await world.to("2030-01-07T09:00")
        for group in groups:
            assert await group.lines() == ["早上好", "早上好"]
            assert world.outcomes(group.id) == {
                "gift": ("failed", "出了错，见日志"),
                "post": ("sent", ""),
                "call": ("sent", ""),
            }
            assert "08:00 小红包，没发成（出了错，见日志）" in (await group.say("掌柜", "今日安排"))[0]
        due = at[0] - at[0] % MINUTE
        assert {(moment - due) // MINUTE for moment in at} == {0, 1, 2}
        tries = [(one["group"], one["parked"]) for one in lines if one["event"] == "a timer failed"]
        ours = [2, 3, 4]
        assert sorted(tries) == sorted(
            [(group, False) for group in ours * 2] + [(group, True) for group in ours]
        )
        assert told(lines) == ["a timer failed"] * 9 + ["notice"]
        assert len(audit(world.place).parked) == 3  # they are left for the operator to see
        world.sql("DELETE FROM timers WHERE parked = 1")


async def test_a_slow_handler_is_named_then_parked_and_later_asked_again(
    inside: Inside, hands: Hands, replace_command: Callable[[Any], None]
) -> None:
    """Its second time within an hour; who asks is told in one sentence, and the others notice nothing."""
    runs: list[str] = []

    def slow(message: Message, turn: Turn) -> Reply:
        runs.append(message.id)
        hands.work(5)
        return Reply("慢慢来", verbatim=True, to=turn.person)

    replace_command(slow)
    with capture_logs() as lines:
        assert await inside.say("a", "抢") == ["慢慢来"]
        assert named(lines, SLOW) == ["slow"]
        assert await inside.say("b", "抢") == ["慢慢来"]
        assert named(lines, PARKED) == ["slow"]
        for _ in range(3):
            assert await inside.say("a", "抢") == ["这件事办得太慢，先停十分钟。"]
        assert "签到成功" in (await inside.say("c", "签到"))[0]
        inside.clock.advance(REST)
        assert await inside.say("a", "抢") == ["慢慢来"]
        assert await inside.say("a", "抢") == ["这件事办得太慢，先停十分钟。"]
        inside.clock.advance(REST + AGAIN)
        assert await inside.say("a", "抢") == ["慢慢来"]
        assert await inside.say("b", "我的积分") != []
    assert len(runs) == 4
    assert [one for one in told(lines) if one in {SLOW, PARKED}] == [SLOW, PARKED, PARKED, SLOW]


@pytest.mark.parametrize("where", ["before", "behind"])
async def test_a_slow_handler_is_not_run_again_for_a_neighbour_that_fails(
    inside: Inside, hands: Hands, replace_command: Callable[[Any], None], where: str
) -> None:
    """What took long is committed at once, whoever raises in the same batch."""
    runs: list[str] = []

    def slow(message: Message, turn: Turn) -> Reply:
        runs.append(message.id)
        hands.work(5)
        return Reply("慢慢来", verbatim=True, to=turn.person)

    replace_command(slow)
    go = await busy(inside.writer)
    bad = []
    if where == "before":
        bad.append(asyncio.ensure_future(inside.writer.run(lambda _: 1 // 0)))
        await asyncio.sleep(0)
    words = [("a", "签到"), ("a", "抢"), ("b", "签到")]
    fed = [asyncio.ensure_future(inside.feed(inside.message(who, text))) for who, text in words]
    await asyncio.sleep(0)
    if where == "behind":
        bad.append(asyncio.ensure_future(inside.writer.run(lambda _: 1 // 0)))
        await asyncio.sleep(0)
    go()
    assert await asyncio.gather(*fed) == [True, True, True]
    await asyncio.wait(bad)
    assert len(runs) == 1
    assert len(inside.read("SELECT * FROM sign_ins")) == 2
    assert isinstance(bad[0].exception(), ZeroDivisionError)


async def test_a_slow_handler_that_also_raises_counts_once_for_each_message(
    inside: Inside, hands: Hands, replace_command: Callable[[Any], None]
) -> None:
    """Its turn is done again with care, and takes no five seconds more."""
    runs: list[str] = []

    def slow(message: Message, turn: Turn) -> Reply:
        runs.append(message.id)
        hands.work(5)
        turn.mint(turn.member, 5, message.id)
        raise RuntimeError("no")

    replace_command(slow)
    with capture_logs() as lines:
        assert "出了点岔子" in (await inside.say("a", "抢"))[0]
        assert (named(lines, SLOW), named(lines, PARKED)) == (["slow"], [])
        assert "太慢" in (await inside.say("a", "抢"))[0]
        assert (named(lines, SLOW), named(lines, PARKED)) == (["slow"], ["slow"])
        assert "太慢" in (await inside.say("b", "抢"))[0]
    assert len(runs) == 2


async def test_a_slow_handler_whose_commit_is_refused_was_slow_once(
    inside: Inside, hands: Hands, replace_command: Callable[[Any], None]
) -> None:
    """It is done again until the disk has room, and that is not its second time."""
    runs: list[str] = []

    def slow(message: Message, turn: Turn) -> Reply:
        runs.append(message.id)
        hands.work(5)
        return Reply("慢" * 100_000, verbatim=True, to=turn.person)

    replace_command(slow)
    disk = Disk(inside.place, inside.writer)
    with capture_logs() as lines:
        disk.fill()
        saying = asyncio.ensure_future(inside.say("a", "抢"))
        await until(lambda: len(runs) > 2)
        disk.make_room()
        assert await saying == ["慢" * 100_000]
        assert (named(lines, SLOW), named(lines, PARKED)) == (["slow"], [])


async def test_the_timers_of_a_slow_handler_are_put_off_and_ring_once(
    inside: Inside, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Timers of other kinds ring in time."""
    rang: list[tuple[str, int]] = []

    def slow(timer: Timer, turn: Turn) -> None:
        rang.append(("slow", timer.subject))
        hands.work(5 if len(rang) < 4 else 0)

    def quick(timer: Timer, turn: Turn) -> None:
        rang.append(("quick", timer.subject))

    monkeypatch.setitem(inside.frame.routes.timers, "quiz.next", slow)
    monkeypatch.setitem(inside.frame.routes.timers, "quiz.close", quick)
    now = inside.clock.now()
    kinds = {"quiz.next": (1, 2, 3), "quiz.close": (4,)}
    for kind, subjects in kinds.items():
        for subject in subjects:
            await inside.writer.run(partial(ask_for, kind, subject, now + subject))
    for lane in (inside.dispatcher._lanes, inside.dispatcher._turns._lanes):
        lane["sandbox", "g"].next_due = now + 1
    with capture_logs() as lines:
        inside.clock.advance(MINUTE)
        await inside.ring()
        assert rang == [("slow", 1), ("slow", 2), ("quick", 4)]
        assert inside.read("SELECT due, parked FROM timers") == [(inside.clock.now() + REST, 0)]
        inside.clock.advance(REST)
        await inside.ring()
        assert rang == [("slow", 1), ("slow", 2), ("quick", 4), ("slow", 3)]
        assert inside.read("SELECT * FROM timers") == []
    assert [one for one in told(lines) if one in {SLOW, PARKED}] == [SLOW, PARKED]


async def test_a_slot_whose_activity_is_slow_fails_with_its_reason_where_it_is_parked(
    tmp_path: Path, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The activity is parked, not the calendar: posts and other activities go out, in all groups."""
    root = library(tmp_path / "lib", slots=SLOTS)
    async with World(tmp_path / "data", library=root) as world:
        groups = [await world.group(f"群{n}") for n in range(4)]
        slots = world.app.dispatcher._turns._frame.routes.slots
        definition, gift = slots["red_packet"]

        def slow(activity: object, turn: Turn) -> Result:
            hands.work(5)
            return gift(activity, turn)

        monkeypatch.setitem(slots, "red_packet", (definition, slow))
        with capture_logs() as lines:
            await world.to("2030-01-07T09:00")
        states = [world.outcomes(group.id) for group in groups]
        assert [one["gift"] for one in states] == [
            ("sent", ""),
            ("sent", ""),
            ("failed", "这件事办得太慢，先停十分钟。"),
            ("failed", "这件事办得太慢，先停十分钟。"),
        ]
        assert [(one["post"][0], one["call"][0]) for one in states] == [("sent", "sent")] * 4
        assert [one for one in told(lines) if one in {SLOW, PARKED}] == [SLOW, PARKED]
        assert told(lines).count("a slot failed") == 1  # the second was told with the first
        assert "红包 30 分 3 份" in await (await groups[3].skip()).say("掌柜", "@小二 开始 小红包")


def ask_for(kind: str, subject: int, due: int, store: Store) -> None:
    store.timers.set(1, kind, subject, due)


async def test_who_comes_in_is_taken_in_however_slow_that_is(
    inside: Inside, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens to a group cannot be parked: it is named in the log, and done."""
    enter = inside.frame.routes.events[Joined]

    def slow(event: Joined, turn: Turn) -> Result:
        hands.work(5)
        return enter(event, turn)

    monkeypatch.setitem(inside.frame.routes.events, Joined, slow)
    with capture_logs() as lines:
        for name in ("甲", "乙", "丙"):
            await inside.feed(Joined("sandbox", "g", (Person(name, name),), inside.clock.now()))
    assert len(inside.read("SELECT * FROM members WHERE person IN ('甲', '乙', '丙')")) == 3
    assert named(lines, SLOW) == ["slow"] * 3
