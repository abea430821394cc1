"""Messages that are too long for their platform."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import NotSent, TooFast, Unsupported, Unsure
from bot.model import MINUTE, SECOND, Person, Say, called
from bot.outbox.splitting import split, wide
from tests.fakes import Trouble
from tests.outbox.stage import Post

LONG = "".join(f"这是第 {n:03} 句话，没有什么意思。" for n in range(40))


def one_after(errors: Sequence[Exception | None]) -> Trouble:
    """These meet the first messages, and nothing the others."""
    left = iter(errors)
    return lambda _: next(left, None)


def test_a_short_message_is_left_alone() -> None:
    say = Say("g", "好", mentions=(Person("a", "甲"),), picture=Path("a.png"))
    assert split(say, 5) == (say,)
    assert len(split(say, 3)) == 2


def test_it_is_cut_at_lines_then_sentences_then_words() -> None:
    lines = "第一行有十个字呀呀\n第二行有十个字呀呀\n第三行有十个字呀呀"
    assert [one.text for one in split(Say("g", lines), 24)] == [
        "第一行有十个字呀呀\n第二行有十个字呀呀",
        "第三行有十个字呀呀",
    ]
    assert all(one.text.endswith("。") for one in split(Say("g", LONG), 100))
    assert [one.text for one in split(Say("g", "one two three four"), 10)] == ["one two", "three four"]
    assert [one.text for one in split(Say("g", "字" * 25), 10)] == ["字" * 10, "字" * 10, "字" * 5]
    family = "👨‍👩‍👧"
    assert [one.text for one in split(Say("g", "字" * 8 + family + "字"), 10)] == ["字" * 8, family + "字"]


def test_what_belongs_to_the_whole_goes_with_the_last_part() -> None:
    """A picture goes after the text; a private message stays private; who is called at the head is, once."""
    say = Say("g", LONG, private=True, mentions=(Person("a", "甲"),), picture=Path("a.png"))
    first, *others, last = split(say, 200)
    assert [one.picture for one in (first, *others, last)] == [None] * (1 + len(others)) + [Path("a.png")]
    assert all(one.private for one in (first, *others, last))
    assert (first.mentions, first.places, last.mentions) == (say.mentions, (0,), ())


NAMES = st.text("甲乙 ab👍", min_size=1, max_size=8)
PIECES = st.lists(st.one_of(st.text("字。，\n a👍🏽\u200d", max_size=30), NAMES.map(lambda n: Person(n, n))))


@example(["aa\u200d", Person("aaaaaaaa", "aaaaaaaa")], 12)  # a joiner with nothing to join
@example([Person("aaaaaaaa", "aaaaaaaa"), "\u200d\u200da"], 12)  # or with a mention before it
@example(["a" + "\u200da" * 8], 12)  # one thing to a reader, and longer than a message
@given(PIECES, st.integers(12, 40))
def test_every_part_fits_and_nothing_is_lost(pieces: list[str | Person], longest: int) -> None:
    """But for the space around a cut; mentions stay whole and where they were."""
    text, people, places = "", [], []
    for piece in pieces:
        if isinstance(piece, Person):
            people.append(piece)
            places.append(len(text))
        else:
            text += piece
    say = Say("g", text, mentions=tuple(people), places=tuple(places))
    parts = split(say, longest)
    assert all(len(one.text) + sum(map(wide, one.mentions)) <= longest for one in parts)
    assert all(one.text or one.mentions for one in parts[1:])
    assert [person for one in parts for person in one.mentions] == people

    def told(one: Say) -> str:
        return re.sub(r"\s", "", called(one, [f"<{person.name}>" for person in one.mentions]))

    assert "".join(map(told, parts)) == told(say)


async def test_parts_go_one_after_the_other_at_the_accounts_pace(post: Post) -> None:
    """Each is a message to the platform."""
    post.far.longest = 100
    times: list[int] = []
    post.far.trouble = lambda _: times.append(post.clock.now())
    post.paced()
    await post.say(LONG)
    await post.say("然后")
    await post.run(MINUTE)
    assert len(times) > 5
    assert all(later - earlier >= SECOND for earlier, later in itertools.pairwise(times))
    assert "".join(post.far.texts) == LONG + "然后"
    assert post.states() == {"sent": 2}


async def test_a_message_of_which_a_part_went_out_is_unknown(post: Post) -> None:
    """Whatever met the next part, and paced or not; with the first part nothing has gone out."""
    post.far.longest = 100
    for error in (NotSent, Unsure, Unsupported, TooFast, RuntimeError):
        for paced in (False, True):
            post.far.sent.clear()
            post.far.trouble = one_after([None, error("断线")])
            post.paced() if paced else post.start()
            before = post.states().get("unknown", 0)
            await post.say(LONG)
            await post.run(MINUTE)
            assert len(post.far.sent) == 1
            assert post.states() == {"unknown": before + 1}
    post.far.trouble = one_after([NotSent("断线")])
    await post.say(LONG)
    await post.run(2 * MINUTE)
    assert post.states()["sent"] == 1


async def test_a_stop_between_two_parts_leaves_it_unknown(post: Post) -> None:
    """Nobody waits for the rest, and nothing is said twice."""
    post.far.longest = 100
    post.paced()
    await post.say(LONG)
    await post.rest()
    assert len(post.far.sent) == 1
    await post.sender.stop()
    post.start()
    await post.sender.resume()
    await post.run(MINUTE)
    assert len(post.far.sent) == 1
    assert post.states() == {"unknown": 1}
