"""/metrics: what it counts is what happened."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.dispatch.turn import Turn
from bot.errors import NotSent, Unsupported, Unsure
from bot.model import MINUTE, Message, Person, Reply
from bot.ports import State
from storage.store import Store
from tests.console.scraped import Growth, families, scrape
from tests.harness import Group, World, hold, library


def line(group: Group, who: str, text: str) -> Message:
    """A message as the adapter would feed it; its id is its text's."""
    sandbox = group.world.app.sandbox
    assert sandbox is not None
    member = sandbox.member(group.id, who)
    return Message(
        "sandbox", group.id, f"{who}:{text}", Person(member.id, who), text, group.world.app.clock.now()
    )


async def test_every_event_is_counted_with_what_became_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Handled, a duplicate, talk, a handler that raises; what can grow is there from the first scrape."""

    def broken(_message: Message, _turn: Turn) -> Reply:
        raise RuntimeError

    async with World(tmp_path) as world:
        dispatcher, group = world.app.dispatcher, await world.first()
        commands = dispatcher._routes.commands
        monkeypatch.setitem(commands, "积分榜", type(commands["积分榜"])("points", broken))
        growth = await Growth.of(world)
        assert growth.before("xiaoer_events_total", kind="left", outcome="failed") == 0

        await group.say("阿强", "签到")
        fed = [dispatcher.feed(line(group, "豆豆", "签到")) for _ in range(2)]
        assert [await one for one in fed if one is not None] == [True, False]
        for text in ("今天天气不错", "吃了吗"):
            await group.say("小美", text)
        assert "出了点岔子" in await group.ask("王姐", "积分榜")
        await group.join("新来的")
        await growth.look()

        ends = ("handled", "duplicate", "chatter", "failed")
        grown = [growth("xiaoer_events_total", kind="message", outcome=end) for end in ends]
        assert grown == [2, 1, 2, 1]
        assert growth("xiaoer_events_total", kind="joined", outcome="handled") == 1
        assert growth("xiaoer_events_total", kind="roster", outcome="handled") == 0


async def test_waiting_events_are_seen_while_they_wait(tmp_path: Path) -> None:
    """In all lanes, and in the fullest."""
    async with World(tmp_path) as world:
        first, second = await world.group(), await world.group("另一个群")
        go = hold(world.app.database.writer)
        for group, who in ((first, "阿强"), (first, "小美"), (second, "阿强")):
            world.app.dispatcher.feed(line(group, who, "签到"))
        seen = await scrape(world)
        go()
        assert (seen("xiaoer_events_waiting"), seen("xiaoer_lane_depth_max")) == (3, 2)
        await world.settle()
        seen = await scrape(world)
        assert (seen("xiaoer_events_waiting"), seen("xiaoer_lane_depth_max")) == (0, 0)


async def test_commits_are_told_with_their_size_and_time(tmp_path: Path) -> None:
    """What met in one batch is one commit; a unit that raises is counted, and is no commit."""

    def wrong(_store: Store) -> None:
        raise ZeroDivisionError

    async with World(tmp_path) as world:
        growth, writer = await Growth.of(world), world.app.database.writer
        go = hold(writer)
        for _ in range(9):
            writer.submit(lambda _: None, lambda *_: None)
        go()
        await world.settle()
        with pytest.raises(ZeroDivisionError):
            await writer.run(wrong)
        await growth.look()
        assert growth("xiaoer_commit_batch_size_sum") == 10
        # Those behind the one that was held met while it was, so they are one.
        commits = growth("xiaoer_commit_batch_size_count")
        assert commits == growth("xiaoer_commit_seconds_count") <= 2
        assert growth("xiaoer_commit_batch_size_bucket", le="4") < commits
        assert growth("xiaoer_commit_batch_size_bucket", le="16") == commits
        assert 0 < growth("xiaoer_commit_seconds_sum") < 60
        assert growth("xiaoer_units_failed_total") == 1


async def test_the_outbox_is_told_by_state(tmp_path: Path) -> None:
    """What ended is counted as it ends; what waits stands in the database, with the oldest's age."""
    async with World(tmp_path) as world:
        group = await world.group()
        growth = await Growth.of(world)
        wire = world.between(lambda _: None)
        for error in (None, Unsure("断了"), Unsupported("办不到"), NotSent("网关不在")):
            wire.trouble = lambda _, error=error: error  # type: ignore[misc]
            await group.post("阿强", "我的积分")
        await growth.look()
        ended = [
            growth("xiaoer_outbox_ended_total", state=state)
            for state in ("sent", "failed", "stale", "unknown")
        ]
        assert ended == [1, 1, 0, 1]
        states = ("planned", "sending", "failed", "stale", "unknown")
        assert [growth.after("xiaoer_outbox_rows", state=state) for state in states] == [1, 0, 1, 0, 1]
        assert growth.before("xiaoer_outbox_oldest_seconds") == 0
        await world.advance("5m")
        assert (await scrape(world))("xiaoer_outbox_oldest_seconds") >= 300
        await world.advance("10m")
        await growth.look()
        assert growth("xiaoer_outbox_ended_total", state="stale") == 1
        assert growth.after("xiaoer_outbox_oldest_seconds") == 0


async def test_slots_are_told_by_outcome_for_a_day(tmp_path: Path) -> None:
    """Sent, and missed while nobody was there; after a day they are gone from the count. Each slot that
    rang is in the alarm's lateness, and one that fell due while nobody was there is not late."""
    slots = ['id: a, at: "08:00", on: mon, post: 早', 'id: b, at: "09:00", on: mon, post: 好']
    async with World(tmp_path / "data", library=library(tmp_path / "sop", slots=slots)) as world:
        await world.group()
        growth = await Growth.of(world)
        due = growth.before("xiaoer_next_due_timestamp_seconds") * 1_000_000
        assert 59 * MINUTE < due - world.app.clock.now() <= 60 * MINUTE
        await world.advance("61m")
        await growth.look()
        assert growth("xiaoer_occurrences", outcome="sent") == 1
        assert growth("xiaoer_alarm_late_seconds_count") == 1
        assert growth("xiaoer_alarm_late_seconds_bucket", le="5") == 1
        await world.restart(away="3h")
        seen = await scrape(world)
        outcomes = [seen("xiaoer_occurrences", outcome=outcome) for outcome in ("sent", "missed", "failed")]
        assert outcomes == [1, 1, 0]
        assert seen("xiaoer_alarm_late_seconds_bucket", le="5") == seen("xiaoer_alarm_late_seconds_count")
        await world.advance("1d")
        assert (await scrape(world))("xiaoer_occurrences", outcome="missed") == 0


async def test_an_account_is_told_by_its_state(tmp_path: Path) -> None:
    """Exactly one of them is 1."""
    async with World(tmp_path) as world:
        wire = world.between(lambda _: None)
        for state in State:
            wire.state = state
            seen = await scrape(world)
            told = {one for one in State if seen("xiaoer_account_state", account="sandbox", state=one)}
            assert told == {state}
            assert seen("xiaoer_account_online", account="sandbox") == (state == State.ONLINE)


async def test_a_database_that_does_not_answer_takes_only_its_own_numbers_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scrape still works, and says so."""
    async with World(tmp_path) as world:

        async def refuse(_work: object) -> None:
            raise OSError

        with monkeypatch.context() as patch:
            patch.setattr(world.app.database, "read", refuse)
            seen = await scrape(world)
        assert seen("xiaoer_database_up") == 0
        assert seen("xiaoer_account_online", account="sandbox") == 1
        with pytest.raises(KeyError):
            seen("xiaoer_outbox_rows", state="planned")
        assert (await scrape(world))("xiaoer_database_up") == 1


async def test_names_are_as_prometheus_wants_them(tmp_path: Path) -> None:
    """Ours begin with ours, counters end in _total, each has its sentence; memory and CPU are there."""
    async with World(tmp_path) as world:
        answer = await world.http.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        found = list(families(answer.text))
        ours = [one for one in found if not one.name.startswith("process_")]
        assert len(ours) >= 15
        assert all(re.fullmatch(r"xiaoer_[a-z_]+", one.name) and one.documentation for one in ours)
        counters = {sample.name for one in found if one.type == "counter" for sample in one.samples}
        assert all(name.endswith("_total") for name in counters)
        seen = await scrape(world)
        assert seen("process_resident_memory_bytes") > 10_000_000
        assert seen("process_cpu_seconds_total") > 0
