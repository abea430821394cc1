"""From feed to commit: order, duplicates, handlers that raise, and what the loop knows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.dispatch.dispatcher import FLOOD
from bot.dispatch.turn import Turn
from bot.dispatch.turns import TRIES
from bot.model import MINUTE, SECOND, Group, Joined, Left, Message, Occurrence, Person, Reply, Timer
from tests.harness import Inside, hold, said

pytestmark = pytest.mark.usefixtures("database", "tidy")


async def opened(inside: Inside) -> Inside:
    await inside.say("owner", "开张")
    return inside


async def test_chatter_opens_no_transaction(tmp_path: Path) -> None:
    """The loop drops it by itself."""
    async with Inside(tmp_path) as inside:
        await opened(inside)
        assert inside.dispatcher.feed(inside.message("a", "今天天气不错")) is None
        assert inside.dispatcher.feed(inside.message("a", "签到")) is not None


async def test_events_of_a_group_are_handled_in_order(tmp_path: Path) -> None:
    """Fed at once, answered in the order in which they came."""
    async with Inside(tmp_path, people=["owner", *(f"p{n}" for n in range(50))]) as inside:
        await opened(inside)
        before = len(inside.downstream.rows)
        await asyncio.gather(*(inside.feed(inside.message(f"p{n}", "签到")) for n in range(50)))
        lines = [said(row) for row in inside.downstream.rows[before:]]
        assert [f"今天第 {n + 1} 个" in line for n, line in enumerate(lines)] == [True] * 50


async def test_a_handler_that_raises_takes_nobody_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its turn is undone and answered with one apology; its neighbours in the batch never notice."""
    async with Inside(tmp_path) as inside:
        await opened(inside)

        def broken(message: Message, turn: Turn) -> Reply:
            turn.enter("ghost", "鬼", turn.member.role)
            turn.listen("quiz", "choice")
            turn.timer("quiz.close", 99, turn.now + MINUTE)
            turn.mint(turn.member, 500, "broken")
            raise RuntimeError("no")

        command = inside.frame.routes.commands["抢"]
        monkeypatch.setitem(inside.frame.routes.commands, "抢", type(command)(command.name, broken))
        before = len(inside.downstream.rows)
        texts = [("a", "签到"), ("b", "抢"), ("c", "签到"), ("b", "签到")]
        messages = [inside.message(who, text, key=f"k{n}") for n, (who, text) in enumerate(texts)]
        await asyncio.gather(*map(inside.feed, messages))
        lines = [said(row) for row in inside.downstream.rows[before:]]
        assert ["签到成功" in line for line in lines] == [True, False, True, True]
        assert lines[1] == "刚才出了点岔子，这条没办成，请稍后再试。"
        assert inside.read("SELECT outcome FROM marks WHERE message = 'k1'") == [("failed",)]
        assert inside.read("SELECT COUNT(*) FROM timers") == [(0,)]
        assert inside.read("SELECT COUNT(*) FROM members WHERE person = 'ghost'") == [(0,)]
        assert await inside.say("b", "抢", key="k1") == []
        await inside.agree()


async def test_a_group_that_a_failed_batch_made_is_known_afterwards(tmp_path: Path) -> None:
    """The batch is done again event by event, and the loop is told of the group all the same."""
    async with Inside(tmp_path) as inside:
        await opened(inside)
        go = hold(inside.writer)
        made = inside.dispatcher.feed(inside.roster("new"))
        inside.writer.submit(lambda _: 1 // 0, lambda *_: None)
        go()
        assert made is not None
        await made
        await inside.agree()
        assert ("sandbox", "new") in inside.dispatcher._lanes


async def test_a_failed_batch_is_done_again_event_by_event(tmp_path: Path) -> None:
    """Everybody is answered once, and all lanes agree with the database."""
    async with Inside(tmp_path) as inside:
        await opened(inside)
        before = len(inside.downstream.rows)
        go = hold(inside.writer)
        fed = [
            inside.feed(inside.message("owner", "暗号 芝麻开门")),
            inside.feed(inside.message("a", "签到")),
        ]
        joined = Joined("sandbox", "g", (Person("new", "新人"),), inside.clock.now())
        tasks = [asyncio.ensure_future(one) for one in (*fed, inside.feed(joined))]
        await asyncio.sleep(0)
        inside.writer.submit(lambda _: 1 // 0, lambda *_: None)
        tasks.append(asyncio.ensure_future(inside.feed(inside.message("b", "发红包 5 1"))))
        await asyncio.sleep(0)
        go()
        assert await asyncio.gather(*tasks) == [True, True, True, True]
        assert len(inside.downstream.rows) - before == 4
        await inside.agree()
        assert "请先说出入群暗号" in (await inside.say("new", "签到"))[0]


async def test_a_message_id_counts_once(tmp_path: Path) -> None:
    """Fed twice in one batch or later: one mark, one outcome."""
    async with Inside(tmp_path) as inside:
        await opened(inside)
        before = len(inside.downstream.rows)
        same = inside.message("a", "签到", key="same")
        assert sorted(await asyncio.gather(inside.feed(same), inside.feed(same))) == [False, True]
        inside.clock.advance(10 * SECOND)
        assert not await inside.feed(same)
        assert len(inside.downstream.rows) == before + 1


async def test_a_timer_that_fails_three_times_is_parked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try is undone and counted outside of it, a minute apart; then it is left for a person."""
    async with Inside(tmp_path) as inside:
        await opened(inside)
        tries: list[int] = []

        def broken(timer: Timer, turn: Turn) -> None:
            tries.append(timer.attempts)
            turn.mint(turn.members[0], 5, f"t{len(tries)}")
            raise RuntimeError("no")

        monkeypatch.setitem(inside.frame.routes.timers, "quiz.next", broken)
        await inside.writer.run(lambda store: store.timers.set(1, "quiz.next", 5, inside.clock.now()))
        for lane in (inside.dispatcher._lanes, inside.dispatcher._turns._lanes):
            lane["sandbox", "g"].next_due = inside.clock.now()
        for _ in range(5):
            await inside.ring()
            inside.clock.advance(MINUTE)
        assert sorted(set(tries)) == list(range(TRIES))
        assert len(tries) == 2 * TRIES  # each once in hope, and once with care
        assert inside.read("SELECT attempts, parked FROM timers") == [(TRIES, 1)]
        assert inside.read(
            "SELECT COUNT(*) FROM postings WHERE key LIKE 't%' AND key NOT LIKE 'treasury%'"
        ) == [(0,)]
        await inside.agree()


async def test_a_slot_that_raises_ends_as_failed(tmp_path: Path) -> None:
    """After three tries its occurrence says which error it was."""
    async with Inside(tmp_path) as inside:
        await opened(inside)
        now = inside.clock.now()
        slot = Occurrence("week/x", 1, "2030-01-07T07:00", now, 10 * MINUTE, do="nothing")
        assert await inside.feed(slot)
        assert inside.read("SELECT state, reason FROM occurrences") == [("failed", "库里没有活动 nothing")]
        assert not await inside.feed(slot)
        assert inside.read("SELECT COUNT(*) FROM occurrences") == [(1,)]


async def test_an_answer_stamped_before_the_close_counts_though_it_is_handled_after(tmp_path: Path) -> None:
    """The stamp of the event decides, not when the writer came to it."""
    async with Inside(tmp_path) as inside:
        await opened(inside)
        due = inside.clock.now() + MINUTE
        await inside.say("owner", "发红包 10 2")
        await inside.writer.run(lambda store: store.timers.set(1, "packet.expire", 1, due))
        for lane in (inside.dispatcher._lanes, inside.dispatcher._turns._lanes):
            lane["sandbox", "g"].next_due = due
        await inside.writer.run(lambda store: store.outbox.sending([inside.downstream.rows[-1]]))
        go = hold(inside.writer)
        before = len(inside.downstream.rows)
        inside.clock.set(due - 1)
        early = asyncio.ensure_future(inside.feed(inside.message("a", "抢")))
        await asyncio.sleep(0)
        inside.clock.set(due)
        late = asyncio.ensure_future(inside.feed(inside.message("b", "抢")))
        await asyncio.sleep(0)
        go()
        await asyncio.gather(early, late)
        lines = [said(row) for row in inside.downstream.rows[before:]]
        assert ["抢到" in lines[0], "红包到时间了" in lines[1], lines[2]] == [
            True,
            True,
            "现在没有红包可抢。",
        ]


async def test_a_flooded_group_holds_its_reader_and_drops_nothing(tmp_path: Path) -> None:
    """With a thousand events waiting, `breathe` waits until half of them are done."""
    async with Inside(tmp_path) as inside:
        await opened(inside)
        message = inside.message("a", "今天天气不错")
        await inside.dispatcher.breathe(message)
        go = hold(inside.writer)
        fed = [inside.dispatcher.feed(inside.message("a", "我的积分")) for _ in range(FLOOD)]
        breath = asyncio.ensure_future(inside.dispatcher.breathe(message))
        await asyncio.sleep(0)
        assert not breath.done()
        go()
        await breath
        assert inside.dispatcher.depth < FLOOD
        assert all(await asyncio.gather(*(one for one in fed if one is not None)))


async def test_a_change_of_name_is_kept(tmp_path: Path) -> None:
    """With the next thing that somebody does."""
    async with Inside(tmp_path) as inside:
        await opened(inside)
        renamed = Message("sandbox", "g", "r", Person("a", "阿强\n{x}"), "签到", inside.clock.now())
        await inside.feed(renamed)
        assert inside.read("SELECT name FROM members WHERE person = 'a'") == [("阿强{x}",)]
        await inside.agree()


async def test_the_roster_brings_members_and_owner_in_line(tmp_path: Path) -> None:
    """Who is new is in, the owner is who it says and nobody else, and nobody is put out."""
    async with Inside(tmp_path) as inside:
        await opened(inside)
        people = ("b", "c", "d")
        roster = inside.roster(people=people)
        await inside.feed(type(roster)(roster.account, roster.chat, "新名", "b", roster.members, roster.at))
        lane = inside.dispatcher._lanes["sandbox", "g"]
        assert {person: member.role.name for person, member in lane.members.items()} == {
            "owner": "MEMBER",
            "a": "MEMBER",
            "b": "OWNER",
            "c": "MEMBER",
            "d": "MEMBER",
        }
        assert lane.group == Group(1, "sandbox", "g", "新名", "b", opened_at=lane.group.opened_at)
        await inside.agree()


async def test_who_has_owned_a_group_is_a_member_of_it(tmp_path: Path) -> None:
    """Also when they never said its password, and the lanes and the database agree on it."""
    async with Inside(tmp_path) as inside:
        await opened(inside)
        await inside.say("owner", "暗号 芝麻开门")
        await inside.feed(Joined("sandbox", "g", (Person("new", "新人"),), inside.clock.now()))
        roster = inside.roster(people=("owner", "a", "new"))
        for owner in ("new", "owner"):
            await inside.feed(
                type(roster)(roster.account, roster.chat, "群", owner, roster.members, roster.at)
            )
            await inside.agree()
        assert "要群主来说" in (await inside.say("new", "今日安排"))[0]
        assert "签到成功" in (await inside.say("new", "签到"))[0]


async def test_whose_leaving_was_missed_is_still_a_member(tmp_path: Path) -> None:
    """They are not greeted when they come back, and need not say the password (docs/wechat.md says so)."""
    async with Inside(tmp_path) as inside:
        await opened(inside)
        await inside.say("owner", "暗号 芝麻开门")
        await inside.feed(inside.roster(people=("owner", "b", "c")))
        before = len(inside.downstream.rows)
        await inside.feed(Joined("sandbox", "g", (Person("a", "a"),), inside.clock.now()))
        assert inside.downstream.rows[before:] == []
        assert "签到成功" in (await inside.say("a", "签到"))[0]
        await inside.feed(Left("sandbox", "g", (Person("a", "a"),), inside.clock.now()))
        await inside.feed(Joined("sandbox", "g", (Person("a", "a"),), inside.clock.now()))
        assert "请先说出入群暗号" in (await inside.say("a", "签到"))[0]
