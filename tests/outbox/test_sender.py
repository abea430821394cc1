"""The outbox: in order, paced, each row at most once, and nothing lost that was not sent."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from bot.errors import NotSent, Unsupported, Unsure
from bot.model import DAY, MINUTE, SECOND, Accept, Person, Say
from bot.outbox.sender import AT_ONCE
from storage.audit import audit
from storage.outbox import Row
from storage.store import Store
from tests.outbox.stage import Post, failing

pytestmark = pytest.mark.usefixtures("database", "tidy")


async def test_a_chat_reads_what_was_said_in_order(post: Post) -> None:
    """More than go at once, and delivered in several parts."""
    texts = [str(n) for n in range(2 * AT_ONCE + 10)]
    await post.say(*texts[:70])
    await post.say(*texts[70:])
    await post.rest()
    assert post.far.texts == texts
    assert post.states() == {"sent": len(texts)}


async def test_what_certainly_did_not_leave_is_tried_again_and_not_lost(post: Post) -> None:
    """In its place in the order; what is behind it waits untried and is not called sending."""
    post.far.trouble = failing("b")
    await post.say("a", "b", "c", "d", before=post.clock.now() + 10 * MINUTE)
    await post.run(30 * SECOND)
    assert post.far.texts == ["a"]
    assert post.states() == {"sent": 1, "planned": 3}
    post.far.trouble = failing()
    await post.run(MINUTE)
    assert post.far.texts == ["a", "b", "c", "d"]
    assert post.states() == {"sent": 4}
    assert len(post.far.tried) > 6


async def test_what_was_put_back_stays_before_what_came_later(post: Post) -> None:
    """Of more than go at once, the rest of the first part is still sent before the second."""
    post.far.trouble = failing("5")
    texts = [str(n) for n in range(2 * AT_ONCE)]
    await post.say(*texts)
    await post.run(5 * SECOND)
    assert post.far.texts == texts[:5]
    post.far.trouble = failing()
    await post.run(MINUTE)
    assert post.far.texts == texts


async def test_what_is_too_late_is_stale_and_lets_the_rest_go(post: Post) -> None:
    """Also when its time passed while it was being tried."""
    now = post.clock.now()
    post.far.trouble = failing("b")
    await post.say("old", before=now - 1)
    await post.say("b", before=now + MINUTE)
    await post.say("c", before=now + 10 * MINUTE)
    await post.run(2 * MINUTE)
    assert post.far.texts == ["c"]
    assert post.states() == {"sent": 1, "stale": 2}


async def test_what_may_have_arrived_is_never_sent_again(post: Post) -> None:
    """Unsure, and any error that nobody foresaw, make it unknown; also after a restart."""
    post.far.trouble = lambda one: {"a": Unsure("断"), "b": RuntimeError("?")}.get(getattr(one, "text", ""))
    await post.say("a", "b", "c")
    await post.rest()
    assert post.states() == {"sent": 1, "unknown": 2}
    post.far.trouble = failing()
    post.start()
    await post.sender.resume()
    await post.run(DAY)
    assert post.far.texts == ["c"]
    assert [one.text for one in audit(post.place).unknown] == ["a", "b"]


async def test_what_the_platform_cannot_do_has_failed(post: Post) -> None:
    """It is not tried again, and an account that is gone is no better."""
    post.far.trouble = failing("a", error=Unsupported)
    await post.say("a", "b")
    post.sender.deliver(await post.add("x", account="gone"))
    await post.rest()
    assert post.far.texts == ["b"]
    assert post.states() == {"sent": 1, "failed": 2}


async def test_rows_left_sending_are_unknown_at_the_next_start(post: Post) -> None:
    """They may have arrived; what was only planned goes out."""
    rows = await post.add("a", "b", "c")
    await post.writer.run(lambda store: store.outbox.sending(rows[:2]))
    assert [one.state for one in audit(post.place).unknown] == ["sending", "sending"]
    post.start()
    await post.sender.resume()
    await post.rest()
    assert post.far.texts == ["c"]
    assert post.states() == {"sent": 1, "unknown": 2}
    assert [one.state for one in audit(post.place).unknown] == ["unknown", "unknown"]


async def test_what_was_too_late_at_the_next_start_is_stale(post: Post) -> None:
    """A night offline does not end in a burst."""
    now = post.clock.now()
    await post.add("a", "b", before=now + 10 * MINUTE)
    await post.add("c", before=now + 2 * DAY)
    post.clock.advance(DAY)
    await post.sender.resume()
    await post.rest()
    assert post.far.texts == ["c"]
    assert post.states() == {"sent": 1, "stale": 2}


async def test_one_that_fails_does_not_stop_the_rest(post: Post) -> None:
    """Of 50 deliveries to 50 chats one is never sent, and one is unknown."""
    post.far.trouble = lambda one: {"7": NotSent("断"), "9": Unsure("断")}.get(getattr(one, "text", ""))
    for number in range(50):
        await post.say(str(number), chat=f"g{number}", before=post.clock.now() + 10 * MINUTE)
    await post.run(11 * MINUTE)
    assert sorted(map(int, post.far.texts)) == [n for n in range(50) if n not in {7, 9}]
    assert post.states() == {"sent": 48, "stale": 1, "unknown": 1}


async def test_a_stop_leaves_the_rest_planned(post: Post) -> None:
    """What certainly did not leave and what is behind it are planned, in their order, for the next start."""
    post.far.trouble = failing("b")
    await post.say("a", "b", "c")
    await post.until(lambda: post.sleeping == 1)
    stopping = asyncio.ensure_future(post.sender.stop())
    await asyncio.sleep(0)
    post.clock.advance(MINUTE)
    await stopping
    assert post.states() == {"sent": 1, "planned": 2}
    assert post.far.texts == ["a"]
    post.sender.deliver(await post.add("d"))
    post.far.trouble = failing()
    post.start()
    await post.sender.resume()
    await post.rest()
    assert post.far.texts == ["a", "b", "c", "d"]


async def test_a_chat_has_a_gap_between_messages(post: Post) -> None:
    """At least a second, at most a third more; another chat does not wait for it."""
    post.paced()
    times: list[tuple[str, int]] = []
    post.far.trouble = lambda one: (
        times.append((one.chat, post.clock.now())) if isinstance(one, Say) else None
    )
    await post.say(*map(str, range(10)), chat="g")
    await post.say("x", chat="h")
    await post.run(MINUTE)
    mine = [at for chat, at in times if chat == "g"]
    gaps = [later - earlier for earlier, later in itertools.pairwise(mine)]
    assert len(mine) == 10
    assert all(SECOND <= gap <= SECOND + SECOND // 3 for gap in gaps)
    assert len(set(gaps)) > 1
    assert ("h", mine[0]) in times


async def test_an_account_sends_so_many_a_minute(post: Post) -> None:
    """In no minute more than 40, over all chats together, and all of it goes out in the end."""
    post.paced()
    times: list[int] = []
    post.far.trouble = lambda _: times.append(post.clock.now())
    for number in range(100):
        await post.say("x", chat=f"g{number}")
    await post.run(3 * MINUTE)
    assert len(times) == 100
    assert all(later - earlier >= MINUTE for earlier, later in zip(times, times[40:], strict=False))


async def test_a_paced_account_that_is_stopped_keeps_what_waits(post: Post) -> None:
    """Rows that wait for their turn stay planned."""
    post.paced(per_minute=2)
    await post.say("a", "b", "c", "d")
    await post.run(5 * SECOND)
    stopping = asyncio.ensure_future(post.sender.stop())
    await asyncio.sleep(0)
    post.clock.advance(DAY)
    await stopping
    assert post.states() == {"sent": 2, "planned": 2}
    post.start()
    await post.sender.resume()
    await post.rest()
    assert post.far.texts == ["a", "b", "c", "d"]


async def test_a_row_becomes_what_an_adapter_takes(post: Post) -> None:
    """Values are put in once, mentions, privacy and pictures go along, and an invitation is accepted."""

    def work(store: Store) -> list[Row]:
        body = {
            "text": "{name} 好",
            "values": {"name": "{x}"},
            "to": ["m1", "甲"],
            "picture": "a.png",
            "private": True,
        }
        return [
            store.outbox.add("sandbox", "g", "say", body, 0),
            store.outbox.add("sandbox", "g", "accept", {"invitation": "i1"}, 0),
        ]

    post.sender.deliver(await post.writer.run(work))
    await post.rest()
    say = Say("g", "{x} 好", private=True, mentions=(Person("m1", "甲"),), picture=post.folder / "a.png")
    assert post.far.sent == [say, Accept("i1")]
