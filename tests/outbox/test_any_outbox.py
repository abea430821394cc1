"""Whatever is to be said, whatever the far side does, and wherever the process dies: what must hold."""

from __future__ import annotations

import asyncio
import itertools
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import NotSent, TooFast, Unsupported, Unsure
from bot.model import DAY, HOUR, MINUTE, SECOND, Outgoing, Say
from bot.ports import State
from storage.outbox import Row
from storage.store import Store
from storage.writer import Writer
from tests import databases
from tests.fakes import FarSide
from tests.harness import open_store
from tests.outbox.stage import TEXTS, Post

PER_MINUTE = 10
LONGEST = 120
EXAMPLES = {"sqlite": 60, "postgresql": 15}
ID = re.compile(r"第 (\d+) ")

TROUBLES = ("none", "not sent", "unsure", "too fast", "unsupported", "bug", "dies")
CERTAIN = ("not sent", "too fast")  # it has not left
STEP = st.one_of(
    st.tuples(
        st.just("say"),
        st.integers(0, 2),
        st.sampled_from(["reply", "reply", "plain", "post", "asks", "long", "picture"]),
        st.integers(1, 6),
        st.sampled_from([0, 20 * SECOND, 3 * MINUTE, HOUR]),
    ),
    st.tuples(st.just("wait"), st.sampled_from([0, SECOND, 2 * SECOND, 7 * SECOND, 30 * SECOND, 2 * MINUTE])),
    st.tuples(st.just("trouble"), st.lists(st.sampled_from(TROUBLES), min_size=1, max_size=6)),
    st.tuples(st.just("crash")),
)


@dataclass
class Far(FarSide):
    """It notes what it was given and when, and gives trouble to order."""

    post: Post
    troubles: list[str] = field(default_factory=list)
    tried: list[tuple[int, Say, str]] = field(default_factory=list)  # type: ignore[assignment]
    dead: bool = False

    account = "sandbox"
    longest = LONGEST
    state = State.ONLINE

    async def send(self, outgoing: Outgoing) -> None:
        assert isinstance(outgoing, Say)
        trouble = self.troubles.pop(0) if self.troubles else "none"
        self.tried.append((self.post.clock.now(), outgoing, trouble))
        if trouble == "dies":
            self.dead = True
            await asyncio.Event().wait()
        errors = {
            "not sent": NotSent("断线"),
            "too fast": TooFast("发得太快"),
            "unsure": Unsure("断线"),
            "unsupported": Unsupported("办不到"),
            "bug": RuntimeError("?"),
        }
        if trouble in errors:
            raise errors[trouble]


class Play:
    """Steps on a stage. Rows carry their number in their text, so that what arrived can be told."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.far = Far(post)
        post.adapters["sandbox"] = self.far
        self.rows: dict[int, tuple[Row, str]] = {}
        self.crashes = 0
        post.paced(per_minute=PER_MINUTE)

    async def say(self, chat: int, kind: str, count: int, within: int) -> None:
        first = len(self.rows) + 1

        def work(store: Store) -> list[Row]:
            return [self._add(store, f"g{chat}", kind, within, first + one) for one in range(count)]

        rows = await self.post.writer.run(work)
        self.rows |= {row.id: (row, kind) for row in rows}
        self.post.sender.deliver(rows)

    def _add(self, store: Store, chat: str, kind: str, within: int, number: int) -> Row:
        now, name = self.post.clock.now(), f"p{number % 3}"
        body: dict[str, object] = {"text": f"第 {number} 句。", "values": {}}
        if kind == "reply":
            key = ("sign_in.again", "points.mine")[number % 2]
            values = {"place": number, "streak": 1, "points": f"第 {number} "}
            body = {"text": TEXTS[key], "values": values, "to": [name, name], "key": key}
        elif kind == "long":
            body["text"] = f"第 {number} 句。" + "很长的一句话。" * 30
        elif kind == "picture":
            body["picture"] = "a.png"
        elif kind in ("post", "asks"):
            body["post"] = True
        before = now + within if within else 0
        about = f"round:{number}" if kind == "asks" else ""
        return store.outbox.add("sandbox", chat, "say", body, now, send_before=before, about=about)

    async def wait(self, span: int) -> None:
        end = self.post.clock.now() + span
        await self.calm()
        while (wake := self.post.clock.next_wake) and wake <= end:
            self.post.clock.set(wake)
            await asyncio.sleep(0)
            await self.calm()
        self.post.clock.set(end)
        await self.calm()

    async def trouble(self, kinds: list[str]) -> None:
        self.far.troubles += kinds

    async def crash(self) -> None:
        await self.post.crash()
        self.crashes += 1
        self.far.dead = False
        self.post.paced(per_minute=PER_MINUTE)
        await self.post.sender.resume()

    async def calm(self) -> None:
        """Until everything rests; a send in which the process dies is its end."""
        while self.post.sender.busy or not self.post.writer.idle:
            if self.far.dead:
                await self.crash()
            await asyncio.sleep(0)

    # What must hold. --------------------------------------------------------------------------------

    def check(self) -> None:
        seen: dict[int, list[tuple[int, str]]] = {number: [] for number in self.rows}
        for place, (_, say, trouble) in enumerate(self.far.tried):
            for found in ID.findall(say.text):
                seen[int(found)].append((place, trouble))
        states = dict(databases.rows(self.post.place, "SELECT id, state FROM outbox"))
        assert set(states) == set(self.rows)
        for number, state in states.items():
            self._once(number, state, [trouble for _, trouble in seen[number]])
        self._order({number: at[-1][0] for number, at in seen.items() if at and at[-1][1] not in CERTAIN})
        self._pace()

    def _once(self, number: int, state: str, troubles: list[str]) -> None:
        """Tried again only after it certainly did not leave, and its state is what became of it."""
        assert all(one in CERTAIN for one in troubles[:-1]), (number, troubles)
        last = troubles[-1] if troubles else ""
        whole = self.rows[number][1] != "long"
        if state == "sent":
            assert last == "none"
        elif state == "stale":
            assert self.rows[number][0].send_before
            assert last in ("", *CERTAIN)
        elif state == "failed":
            assert last == "unsupported"
        else:
            assert state == "unknown"
            assert last in ("unsure", "bug", "dies") or not whole or self.crashes

    def _order(self, places: dict[int, int]) -> None:
        """Talk in its order, posts in theirs, and no talk before a question that was asked before it."""
        for chat in ("g0", "g1", "g2"):
            mine = [
                (number, places[number]) for number in sorted(places) if self.rows[number][0].chat == chat
            ]
            talk = [place for number, place in mine if not self.rows[number][0].post]
            posts = [place for number, place in mine if self.rows[number][0].post]
            assert talk == sorted(talk)
            assert posts == sorted(posts)
            latest = -1
            for number, place in mine:
                row = self.rows[number][0]
                if row.post and row.about:
                    latest = max(latest, place)
                elif not row.post:
                    assert place >= latest

    def _pace(self) -> None:
        """In no 60 seconds more than it may, with pictures counted; a second between two of one chat."""
        times = [at for at, say, _ in self.far.tried for _ in range(1 + (say.picture is not None))]
        for earlier, later in zip(times, times[PER_MINUTE:], strict=False):
            assert later - earlier >= MINUTE
        for chat in ("g0", "g1", "g2"):
            mine = [at for at, say, _ in self.far.tried if say.chat == chat]
            assert all(later - earlier >= SECOND for earlier, later in itertools.pairwise(mine))
        assert all(len(say.text) + sum(4 for _ in say.mentions) <= LONGEST for _, say, _ in self.far.tried)


def test_each_once_in_order_at_its_pace_and_none_lost(database: str) -> None:
    """However the steps fall, in the end every row has an end, and it is the right one."""

    async def play(folder: Path, steps: list[tuple[object, ...]]) -> None:
        made, _ = open_store(folder)
        writer = Writer(made)
        stage = Play(Post(folder, writer))
        try:
            for name, *values in steps:
                await getattr(stage, str(name))(*values)
            await stage.calm()
            stage.far.troubles.clear()
            await stage.wait(DAY)
            stage.check()
        finally:
            await stage.post.crash()
            await writer.close()
            made.dispose()

    @settings(deadline=None, max_examples=EXAMPLES[database], suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(STEP, max_size=14))
    def played(steps: list[tuple[object, ...]]) -> None:
        with tempfile.TemporaryDirectory() as folder, databases.tidy():
            asyncio.run(play(Path(folder), steps))

    played()


def test_the_texts_that_share_messages_are_used() -> None:
    """The rows above would never be merged under other names."""
    assert {"sign_in.again.many", "points.mine.many"} <= set(TEXTS)
