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


async def add_effect(post: Post, kind: str, before: int = 0) -> Row:
    """Keep what may be done twice, and something to say behind it in the same chat."""
    body = {"invitation": "i1"} if kind == "accept" else {"text": "今晚八点"}
    row = await post.writer.run(
        lambda store: store.outbox.add("sandbox", "g", kind, body, post.clock.now(), send_before=before)
    )
    await post.add("b")
    return row


async def deliver_planned(post: Post) -> None:
    post.sender.deliver(await post.writer.run(lambda store: store.outbox.in_state("planned")))


@pytest.mark.parametrize("paced", [False, True], ids=["at once", "paced"])
@pytest.mark.parametrize("kind", ["accept", "announce"])
@pytest.mark.parametrize("error", [Unsure, RuntimeError])
async def test_an_effect_that_may_have_been_done_is_tried_again(
    post: Post, kind: str, error: type[Exception], paced: bool
) -> None:
    """To be in a group, or to have put up a text, twice is once; what is said behind it keeps its place."""
    if paced:
        post.paced()
    await add_effect(post, kind)
    troubles: list[Exception] = [error("断"), error("断")]
    post.far.trouble = lambda one: troubles.pop() if troubles and not isinstance(one, Say) else None
    await deliver_planned(post)
    await post.rest()
    assert (len(post.far.tried), post.states()) == (1, {"planned": 2})
    await post.run(MINUTE)
    assert [isinstance(one, Say) for one in post.far.tried] == [False, False, False, True]
    assert post.states() == {"sent": 2}
    assert audit(post.place).unknown == []


@pytest.mark.parametrize("paced", [False, True], ids=["at once", "paced"])
async def test_an_effect_that_nobody_ever_confirms_is_unknown_after_three_tries(
    post: Post, paced: bool
) -> None:
    """It is reported then, and lets the rest go; what did not leave in between does not count."""
    if paced:
        post.paced()
    await add_effect(post, "announce")
    troubles: list[Exception] = [Unsure("断"), NotSent("断"), Unsure("断"), NotSent("断"), Unsure("没有回话")]
    post.far.trouble = lambda one: None if isinstance(one, Say) else troubles.pop(0)
    await deliver_planned(post)
    await post.run(5 * MINUTE)
    assert post.far.texts == ["b"]
    assert post.states() == {"unknown": 1, "sent": 1}
    assert post.sender.ended["unknown"] == 1
    (left,) = await post.writer.run(lambda store: store.settling.list("unknown", 9))
    assert (left.kind, left.reason) == ("announce", "没有回话")


async def test_an_effect_that_may_have_been_done_before_its_time_passed_is_unknown(post: Post) -> None:
    """It would be a lie to call it stale."""
    await add_effect(post, "announce", before=post.clock.now() + MINUTE)
    troubles: list[Exception] = [Unsure("断")]
    post.far.trouble = lambda one: troubles.pop() if troubles else NotSent("断")
    await deliver_planned(post)
    await post.run(2 * MINUTE)
    assert post.states() == {"unknown": 1, "planned": 1}


@pytest.mark.parametrize("kind", ["accept", "announce"])
async def test_an_effect_in_which_the_process_died_is_done_at_the_next_start(post: Post, kind: str) -> None:
    """In its place; what was being said is unknown."""
    row = await add_effect(post, kind)
    said = await post.add("c")
    await post.writer.run(lambda store: store.outbox.sending([row, *said]))
    post.start()
    await post.sender.resume()
    await post.rest()
    assert [isinstance(one, Say) for one in post.far.sent] == [False, True]
    assert post.states() == {"sent": 2, "unknown": 1}


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
