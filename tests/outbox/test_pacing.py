"""The pace of an account: who goes first, what posts leave to replies, and what a platform's word changes."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.errors import NotSent, TooFast
from bot.model import HOUR, MINUTE, SECOND, Outgoing, Say
from bot.outbox.pace import PAUSES, Pacer, each_post
from bot.ports import State
from tests import databases
from tests.outbox.stage import Post

GROUPS = 200
BODY: dict[str, Any] = {"text": "早安", "values": {}, "post": True}


class Log:
    """What went out when, in seconds from the beginning."""

    def __init__(self, post: Post) -> None:
        self.begun = post.clock.now()
        self.sent: list[tuple[float, Say]] = []

        def note(one: Outgoing) -> None:
            assert isinstance(one, Say)
            self.sent.append(((post.clock.now() - self.begun) / SECOND, one))

        post.far.trouble = note

    def times(self, text: str = "", chat: str = "") -> list[float]:
        return [at for at, one in self.sent if text in one.text and chat in ("", one.chat)]


async def posts(post: Post, late: int, groups: int = GROUPS, text: str = "早安") -> None:
    for number in range(groups):
        await post.say(text, chat=f"g{number}", before=post.clock.now() + late, post=True)
    await post.rest()


async def test_posts_have_a_gap_of_three_to_five_seconds(post: Post) -> None:
    """Between chats; those of one chat follow one another as talk does."""
    log = Log(post)
    post.paced()
    await posts(post, HOUR, 20)
    await post.say("再说一句", chat="g3", before=post.clock.now() + HOUR, post=True)
    await post.run(5 * MINUTE)
    gaps = [later - earlier for earlier, later in itertools.pairwise(log.times("早安"))]
    assert len(gaps) == 19
    assert all(3 <= gap <= 7 for gap in gaps)
    assert sum(gap > 5 for gap in gaps) <= 1
    assert len({round(gap, 2) for gap in gaps}) > 10
    first, second = log.times(chat="g3")
    assert 1 <= second - first < 1.4


async def test_a_reply_goes_before_the_posts_that_wait(post: Post) -> None:
    """At once, and in whichever chat it is: also in one whose own post has not had its turn."""
    log = Log(post)
    post.paced()
    await posts(post, 10 * MINUTE)
    await post.run(2 * SECOND)
    at = (post.clock.now() - log.begun) / SECOND
    for chat in ("g150", "h"):
        await post.say("在", chat=chat)
    await post.rest()
    assert log.times("在") == [at, at]
    assert log.times("早安", "g150") == []


async def test_nobody_is_answered_before_they_are_asked(post: Post) -> None:
    """A question or a packet that waits goes first when there is an answer behind it."""
    post.paced()
    await posts(post, 10 * MINUTE, 3)

    rows = await post.writer.run(
        lambda store: [
            store.outbox.add("sandbox", "g2", "say", {"text": text, "values": {}, **more}, 0, about=about)
            for text, about, more in (
                ("第 1 题", "round:1", {"post": True}),
                ("散场", "", {"post": True}),
                ("第 1 题答案", "", {}),
            )
        ]
    )
    post.sender.deliver(rows)
    await post.run(MINUTE)
    said = [one.text for one in post.far.sent if isinstance(one, Say) and one.chat == "g2"]
    assert said == ["早安", "第 1 题", "第 1 题答案", "散场"]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_replies_are_prompt_while_200_groups_get_a_post(post: Post, seed: int) -> None:
    """100 sign-ins within a minute in one group, others elsewhere, at 40 messages a minute.

    Nine of ten and more within 3 seconds, in 25 messages at most; all posts within the 10 minutes.
    """
    chance = Random(seed)
    log = Log(post)
    post.paced(seed=seed)
    await posts(post, 10 * MINUTE)
    begun = post.clock.now()
    arrivals = [(begun + MINUTE + chance.randrange(MINUTE), "g0", str(n)) for n in range(100)]
    arrivals += [(begun + chance.randrange(10 * MINUTE), f"g{n}", f"x{n}") for n in range(60)]
    asked = {}
    for moment, chat, who in sorted(arrivals):
        await post.to(moment)
        asked[who] = (moment - begun) / SECOND
        await post.reply(who, chat=chat, place=1, streak=1, points=5, balance=5)
    await post.run(10 * MINUTE)
    waited = sorted(at - asked[one.id] for at, say in log.sent for one in say.mentions)
    assert len(waited) == 160
    assert waited[int(len(waited) * 0.95)] <= 3
    assert len([say for _, say in log.sent if say.chat == "g0" and say.mentions]) <= 25
    assert len(log.times("早安")) == GROUPS
    assert max(log.times("早安")) <= 600
    everything = log.times()
    assert all(later - earlier >= 60 for earlier, later in zip(everything, everything[40:], strict=False))


async def waits(post: Post, log: Log) -> float:
    """How many seconds somebody waits who asks now; five go by."""
    asked = (post.clock.now() - log.begun) / SECOND
    await post.say(f"在{asked}", chat="h")
    await post.run(5 * SECOND)
    (answered,) = log.times(f"在{asked}")
    return answered - asked


def most_in_a_minute(log: Log) -> int:
    """A picture goes as a message of its own."""
    times = [at for at, one in log.sent for _ in range(1 + (one.picture is not None))]
    return max(sum(first <= at < first + 59.999 for at in times) for first in times)


async def test_200_groups_have_their_post_in_five_minutes_at_40_a_minute(post: Post) -> None:
    """Posts that would be too late else may have all of the minute, and go evenly."""
    log = Log(post)
    post.paced()
    await posts(post, 5 * MINUTE)
    await post.run(HOUR)
    assert post.states() == {"sent": GROUPS}
    times = log.times()
    assert all(1.4 <= later - earlier <= 5 for earlier, later in itertools.pairwise(times))
    assert max(times) <= 300
    assert most_in_a_minute(log) == 40
    assert each_post(40) == 1_500_000


async def test_posts_that_have_time_leave_room_for_who_talks_next(post: Post) -> None:
    """30 a minute at most: ten who speak at once are answered at once."""
    log = Log(post)
    post.paced()
    await posts(post, 10 * MINUTE)
    await post.run(5 * MINUTE)
    assert most_in_a_minute(log) <= 30
    asked = (post.clock.now() - log.begun) / SECOND
    for number in range(10):
        await post.say("在", chat=f"h{number}")
    await post.run(MINUTE)
    assert log.times("在") == [asked] * 10


async def test_a_reply_goes_before_posts_that_have_no_time_and_costs_one_of_them(post: Post) -> None:
    """Where every place is taken, it has the next one; what cannot go by then is stale."""
    log = Log(post)
    post.paced()
    await posts(post, 5 * MINUTE)
    for _ in range(20):
        await post.run(10 * SECOND)
        assert await waits(post, log) <= 4.5
    await post.run(MINUTE)
    times = log.times("早安")
    assert post.states()["stale"] == GROUPS - len(times)
    assert 200 - 20 - 5 <= len(times) < 200
    assert most_in_a_minute(log) == 40


@pytest.mark.parametrize("late", [5, 10])
async def test_posts_with_pictures_or_of_two_messages_have_the_same_pace(post: Post, late: int) -> None:
    """A picture counts, and so does the second of a pair: a reply waits no longer amid them."""
    (post.folder / "a.png").write_bytes(b"")
    log = Log(post)
    post.paced()
    before = post.clock.now() + late * MINUTE
    for number in range(GROUPS):
        if number % 2:
            await post.say("早安", chat=f"g{number}", before=before, post=True, picture="a.png")
        else:
            await post.say("开场", "第 1 题", chat=f"g{number}", before=before, post=True)
    for _ in range(8):
        await post.run(36 * SECOND)
        assert await waits(post, log) <= 4.5
    assert most_in_a_minute(log) <= 40


async def test_a_long_post_counts_as_the_messages_that_it_is(post: Post) -> None:
    """A hundred posts of two parts are 200 messages: done in the six minutes that they have."""
    log = Log(post)
    post.paced()
    for number in range(100):
        before = post.clock.now() + 6 * MINUTE
        await post.say("很长。" * 1000, chat=f"g{number}", before=before, post=True)
    await post.run(HOUR)
    assert post.states() == {"sent": 100}
    assert len(log.sent) == 200


async def test_posts_that_only_wait_are_not_looked_at_again_with_each_that_comes(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue of thousands costs its length, not its square; and the first of them does go at once."""
    post.paced()
    looks: Counter[str] = Counter()
    rested = post.pacer.rested

    def counted(chat: str) -> int:
        looks[chat] += 1
        return rested(chat)

    monkeypatch.setattr(Pacer, "rested", lambda _, chat: counted(chat))
    for batch in range(30):
        rows = [
            row
            for number in range(50)
            for row in await post.add("早安", chat=f"g{batch}-{number}", before=HOUR * 10**6, post=True)
        ]
        post.sender.deliver(rows)
        await post.rest()
    assert post.states() == {"planned": 1499, "sent": 1}
    assert looks.total() < 3 * 1500


async def test_talk_without_end_does_not_keep_a_chat_from_its_post(post: Post) -> None:
    """When three quarters of its time are over, it goes with the talk."""
    log = Log(post)
    post.paced()
    await post.say("在")
    await post.say("早安", before=post.clock.now() + 4 * MINUTE, post=True)
    for _ in range(240):
        await post.say("在")
        await post.run(SECOND)
    (at,) = log.times("早安")
    assert 180 <= at <= 240


async def test_a_slow_or_failing_chat_holds_up_nobody(post: Post) -> None:
    """Of one account."""
    hangs = asyncio.Event()
    carry = post.far.send

    async def send(one: Outgoing) -> None:
        if isinstance(one, Say) and one.chat == "slow":
            await hangs.wait()
        await carry(one)

    setattr(post.far, "send", send)  # noqa: B010
    post.far.trouble = lambda one: NotSent("断线") if isinstance(one, Say) and one.chat == "bad" else None
    post.paced()
    for chat in ("slow", "bad", "g"):
        await post.say("a", "b", chat=chat)
    await post.until(lambda: post.far.texts == ["a"] and post.sleeping == 1)
    post.clock.advance(2 * SECOND)
    await post.until(lambda: post.far.texts == ["a", "b"])
    hangs.set()
    await post.run(10 * SECOND)
    assert post.far.texts == ["a", "b", "a", "b"]


async def test_a_platform_that_is_in_a_hurry_to_be_left_alone_is(post: Post) -> None:
    """ "Too fast" makes the whole account pause, longer each time; then one message tries it out."""
    post.paced()
    tries: list[int] = []
    fast = True

    def trouble(_: Outgoing) -> Exception | None:
        tries.append(post.clock.now())
        return TooFast("发得太快") if fast else None

    post.far.trouble = trouble
    rows = [row for number in range(5) for row in await post.add("a", "b", chat=f"g{number}")]
    with capture_logs() as logs:
        post.sender.deliver(rows)
        await post.run(HOUR)
        pauses = [later - earlier for earlier, later in itertools.pairwise(tries[4:])]
        assert len(set(tries[:5])) == 1
        assert all(
            wanted <= pause <= wanted * 4 // 3
            for pause, wanted in zip(pauses, (*PAUSES, PAUSES[-1]), strict=False)
        )
        assert len(pauses) >= 5
        told = [one for one in logs if one["log_level"] == "warning"]
        assert len(told) == len(pauses) + 1
        fast = False
        await post.run(HOUR // 2)
    assert sorted(post.far.texts) == ["a"] * 5 + ["b"] * 5
    assert post.states() == {"sent": 10}


async def test_after_a_pause_one_message_goes_first(post: Post) -> None:
    """The others only when it has arrived; the platform may say itself how long it wants its peace."""
    post.paced()
    post.far.trouble = lambda _: TooFast("发得太快", 600)
    await post.say("x")
    await post.rest()
    for number in range(5):
        await post.say("a", chat=f"g{number}")
    arrived = asyncio.Event()
    carry = post.far.send

    async def slowly(one: Outgoing) -> None:
        await arrived.wait()
        await carry(one)

    post.far.trouble = lambda _: None
    await post.run(590 * SECOND)
    assert post.far.sent == []
    setattr(post.far, "send", slowly)  # noqa: B010
    post.clock.advance(20 * SECOND)
    await post.until(lambda: post.states() == {"planned": 5, "sending": 1})
    arrived.set()
    await post.run(5 * SECOND)
    assert post.states() == {"sent": 6}


async def test_a_restart_does_not_forget_the_pace(post: Post) -> None:
    """Neither the last minute nor a pause, so that a bot that is killed again and again is no faster."""
    log = Log(post)
    for number in range(100):
        await post.add("a", chat=f"g{number % 20}")
    for _ in range(10):
        post.paced()
        await post.sender.resume()
        await post.run(5 * SECOND)
        await post.crash()
    assert len(log.times()) == 40
    gaps = [
        later - earlier
        for number in range(20)
        for earlier, later in itertools.pairwise(log.times(chat=f"g{number}"))
    ]
    assert min(gaps) >= 1
    post.clock.advance(5 * MINUTE)
    post.paced()
    post.far.trouble = lambda _: TooFast("发得太快")
    await post.say("b")
    await post.rest()
    await post.crash()
    post.far.trouble = lambda _: None
    post.paced()
    await post.sender.resume()
    await post.run(59 * SECOND)
    assert "b" not in post.far.texts
    await post.run(30 * SECOND)
    assert "b" in post.far.texts


async def test_while_an_account_is_away_nothing_is_tried_and_when_it_is_back_replies_go_at_once(
    post: Post,
) -> None:
    """Tries that must fail would count in its minute; what is too late meanwhile says why."""
    post.paced()
    post.far.state = State.GONE
    for number in range(50):
        await post.say("在", chat=f"g{number}", before=post.clock.now() + 10 * MINUTE)
    await post.say("早安", before=post.clock.now() + MINUTE, post=True)
    await post.run(5 * MINUTE)
    assert post.far.tried == []
    assert post.states() == {"planned": 50, "stale": 1}
    reasons = databases.rows(post.place, "SELECT DISTINCT reason FROM outbox WHERE state = 'stale'")
    assert reasons == [("账号不在线，过了该发的时间",)]
    post.far.state = State.ONLINE
    await post.run(SECOND)
    assert len(post.far.sent) == 40


async def test_after_a_night_offline_nothing_bursts(post: Post) -> None:
    """What is too late is stale at once, for ever so many chats; the rest goes at its pace."""
    log = Log(post)
    await posts(post, 10 * MINUTE, 0)
    for number in range(300):
        await post.add("早安", chat=f"g{number}", before=post.clock.now() + 10 * MINUTE, post=True)
    for number in range(50):
        await post.add("急事", chat=f"g{number}", before=post.clock.now() + 24 * HOUR)
    post.clock.advance(10 * HOUR)
    post.paced()
    await post.sender.resume()
    await post.rest()
    assert post.states()["stale"] == 300
    assert len(log.sent) == 40
    await post.run(5 * MINUTE)
    assert post.states() == {"sent": 50, "stale": 300}


async def test_a_pace_of_thousands_a_minute_is_not_written_down(post: Post) -> None:
    """What no platform asks for costs nothing to keep; a pace that one does is kept whole."""
    for per_minute, wanted in ((40, 2 + 20), (5000, 2)):
        post.paced(gap=0, per_minute=per_minute)
        await post.say(*map(str, range(20)))
        await post.rest()
        assert len(json.loads(post.pacer.kept())) == wanted
