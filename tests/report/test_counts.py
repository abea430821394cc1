"""What is counted: every message of a member's, by day and by moment, without a transaction of its own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from bot.dispatch.counts import PIECE, STRETCH, Counts
from bot.model import DAY, HOUR, MINUTE, SECOND, Group
from tests.fakes import MONDAY
from tests.harness import World, library

DAY_ONE = date(2030, 1, 7).toordinal()
GROUP = Group(1, "sandbox", "g1", opened_at=1)


def test_days_are_those_of_the_group() -> None:
    """At 23:59:59 in Shanghai it is Monday, a second later Tuesday; in Tokyo it was Tuesday before."""
    counts = Counts()
    midnight = MONDAY + 17 * HOUR
    tokyo = Group(2, "sandbox", "g2", opened_at=1, timezone="Asia/Tokyo")
    for group in (GROUP, tokyo):
        counts.add(group, group.id, midnight - SECOND)
        counts.add(group, group.id, midnight)
        counts.add(group, group.id, midnight + SECOND)
    members, groups = counts.take()
    assert members == {(1, DAY_ONE): 1, (1, DAY_ONE + 1): 2, (2, DAY_ONE + 1): 3}
    assert groups == {
        (group, at): n for group in (1, 2) for at, n in ((midnight - STRETCH, 1), (midnight, 2))
    }
    assert counts.take() == ({}, {})


def test_the_rate_of_a_group_is_at_hand() -> None:
    """By 30 seconds over the last two hours, also after what was counted was taken to be written."""
    counts = Counts()
    for minute in range(10):
        for _ in range(minute):
            counts.add(GROUP, 5, MONDAY + minute * MINUTE)
        counts.take()
    now = MONDAY + 9 * MINUTE + SECOND
    assert counts.rate(1, now, 3 * MINUTE) == [0, 7, 0, 8, 0, 9]
    assert sum(counts.rate(1, now)) == 45
    assert counts.rate(1, now + 2 * MINUTE, 2 * MINUTE) == [0, 0, 0, 0]
    assert sum(counts.rate(1, now + 2 * HOUR)) == 0
    assert sum(counts.rate(1, now + 2 * HOUR - PIECE)) == 9
    assert counts.rate(7, now, MINUTE) == [0, 0]
    counts.add(GROUP, 5, now + DAY)
    assert sum(counts.rate(1, now + DAY)) == 1


def test_a_stamp_of_the_future_counts_as_now() -> None:
    """The platform's clock may be fast by a day."""
    counts = Counts(now=lambda: MONDAY)
    counts.add(GROUP, 5, MONDAY + DAY)
    assert counts.rate(1, MONDAY, MINUTE) == [0, 1]
    assert counts.take()[0] == {(5, DAY_ONE): 1}


async def test_talk_and_commands_are_counted_and_survive_a_restart(tmp_path: Path) -> None:
    """A day in a group: what was said stands in the database after a stop, by member and by five minutes."""
    root = library(tmp_path / "lib", slots=['id: a, at: "08:00", post: 早'])
    async with World(tmp_path / "data", library=root) as world:
        group = await world.group()
        await world.group("没开张", tags=None)
        for text in ("早", "吃了吗", "签到"):
            await group.say("阿强", text)
        await group.say("阿强", "签到", id="twice")
        await group.say("阿强", "签到", id="twice")
        await world.to("2030-01-07T23:58")
        await group.say("小美", "睡了吗")
        await world.to("2030-01-08T00:01")
        await group.say("小美", "还没")
        await world.restart()
        await group.say("小美", "晚安")
        await world.to("2030-01-08T09:00")
        number = world.sql("SELECT id FROM groups WHERE chat = ?", group.id)[0][0]
        by_name = (
            "SELECT m.name, w.day, w.messages FROM written w JOIN members m ON m.id = w.member_id "
            "WHERE m.group_id = ?"
        )
        assert {(name, day): n for name, day, n in world.sql(by_name, number)} == {
            ("掌柜", DAY_ONE): 1,  # the 开张
            ("阿强", DAY_ONE): 4,
            ("小美", DAY_ONE): 1,
            ("小美", DAY_ONE + 1): 2,
        }
        last = await world.app.database.read(lambda store: store.written.last_days(number))
        names = dict(world.sql("SELECT id, name FROM members WHERE group_id = ?", number))
        assert {names[member]: day for member, day in last.items()} == {
            "掌柜": DAY_ONE,
            "阿强": DAY_ONE,
            "小美": DAY_ONE + 1,
            "王姐": 0,
        }
        assert sum(n for (n,) in world.sql("SELECT messages FROM talk WHERE group_id = ?", number)) == 8


def test_groups_in_which_nobody_wrote_are_not_asked() -> None:
    """There may be thousands of them, and what is new is taken every few seconds on the event loop."""
    counts = Counts()
    for number in range(1, 1001):
        counts.add(Group(number, "sandbox", f"g{number}", opened_at=1), number, MONDAY)
    assert len(counts.take()[1]) == 1000
    assert not any(counted.fresh for counted in counts._groups.values())
    counts.add(GROUP, 5, MONDAY + SECOND)
    assert counts.take() == ({(5, DAY_ONE): 1}, {(1, MONDAY): 1})
