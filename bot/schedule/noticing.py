"""What went wrong is told to those who run it: merged, in the group that they chose, on the page, in the log.

It is looked for at every ring of the alarm, so at least once a minute, in what the database holds, and told
in the transaction that marks it as told: a crash neither loses nor repeats it. A notice that does not go
out makes no notice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import structlog

from bot.errors import Away
from bot.model import HOUR, MINUTE, Group, Values, fill
from bot.sop.library import Library

if TYPE_CHECKING:
    from storage.notices import Trouble
    from storage.outbox import Row
    from storage.store import Store
    from storage.writer import Writer

GATHER = MINUTE  # from the first that is seen
APART = 10 * MINUTE
WITHIN = 12 * HOUR
LINES = 8
TITLE = 20

TEXTS: Mapping[str, str] = {
    "notices.merged": "有事没照计划办：\n{lines}",
    "notices.late": "{count} 个群晚发：{what}（{groups}）",
    "notices.missed": "{count} 个群错过：{what}（{groups}）。{why}",
    "notices.failed": "{count} 个群没办成：{what}（{groups}）。{why}",
    "notices.unknown": "{count} 个群不知道发出去没有：{what}（{groups}）。{why}",
    "notices.unsent": "{count} 条消息没发成（{groups}）。{why}",
    "notices.unsure": "{count} 条消息不知道发出去没有（{groups}）。{why}",
    "notices.parked": "{count} 件定时的事搁置了：{what}（{groups}）。原因在日志里。",
    "notices.more": "还有 {count} 行没列，看日志。",
}

log = structlog.get_logger()


class Noticing:
    """`to` names the group, by its title or as account/chat; without one, page and log are told alone.

    `next` is when there is something to tell, as far as the last look showed; 0 for never.
    """

    def __init__(
        self, writer: Writer, library: Callable[[], Library], to: str, deliver: Callable[[list[Row]], None]
    ) -> None:
        self.next = 0
        self._writer = writer
        self._library = library
        self._to = to
        self._deliver = deliver
        self._first = 0
        self._looking = asyncio.Lock()

    async def look(self, now: int) -> None:
        """See whether anything went wrong, and tell it when it is time to."""
        try:
            async with self._looking:
                self.next = await self._due(now)
                if 0 < self.next <= now:
                    await self._tell_all(now)
                    self.next = self._first = 0
        except Away:
            raise
        except Exception:
            log.exception("what went wrong could not be told, and will be")

    async def _due(self, now: int) -> int:
        last = await self._writer.run(_last)
        if last is None:
            self._first = 0
            return 0
        self._first = self._first or now
        # A sandbox on this data may have moved its clock ahead of the real one.
        return max(self._first + GATHER, last + APART if last <= now else 0)

    async def _tell_all(self, now: int) -> None:
        library = self._library()
        told, rows = await self._writer.run(lambda store: self._tell(store, library, now))
        if told:
            log.warning("notice", **told)
        if told and self._to and not rows:
            log.warning("no group for notices has this name", notices_to=self._to)
        self._deliver(rows)

    def _tell(self, store: Store, library: Library, now: int) -> tuple[dict[str, int | str], list[Row]]:
        """How often what went wrong, and in what words; and what goes to the group."""
        troubles = store.notices.take()
        if not troubles:
            return {}, []
        count = Counter[str]()
        for trouble in troubles:
            count[trouble.kind] += trouble.times
        said = merged(troubles, library)
        told: dict[str, int | str] = {**count, "text": said}
        store.notices.keep(now, said)
        group = named(store.groups.all(), self._to)
        if group is None:
            return told, []
        body = {"text": said, "values": {}, "post": True}
        row = store.outbox.add(group.account, group.chat, "say", body, now, send_before=now + WITHIN)
        store.notices.ours(row.id)
        return told, [row]


def merged(troubles: list[Trouble], library: Library) -> str:
    """One message for all of it, of so many lines at most."""
    lines = [_line(trouble, library) for trouble in troubles[:LINES]]
    if len(troubles) > LINES:
        lines.append(fill(library.text("notices.more"), {"count": len(troubles) - LINES}))
    return fill(library.text("notices.merged"), {"lines": "\n".join(lines)})


def named(groups: list[Group], name: str) -> Group | None:
    """The group of this title, or with this account and chat; of several the first."""
    found = (one for one in groups if name and name in (f"{one.account}/{one.chat}", one.title))
    return next(found, None)


def _last(store: Store) -> int | None:
    """When something was told last; None when there is nothing to tell."""
    if not store.notices.any():
        return None
    return next((at for at, _ in store.notices.last(1)), -APART)


def _line(trouble: Trouble, library: Library) -> str:
    names = "、".join(name or "没有名字的群" for name in trouble.groups) or "私聊"
    more = "……" if trouble.times > len(trouble.groups) > 1 else ""
    why = trouble.why.rstrip("。") + "。" if trouble.why else ""
    values: Values = {
        "count": trouble.times,
        "groups": names + more,
        "what": _what(trouble, library),
        "why": why,
    }
    return fill(library.text(f"notices.{trouble.kind}"), values)


def _what(trouble: Trouble, library: Library) -> str:
    """When it was planned and what it is: the title of an activity, or the first words of a post."""
    kind, _, name = trouble.what.partition(":")
    if not trouble.local:
        return trouble.what
    if kind == "do":
        activity = library.activities.get(name)
        title = activity.title if activity else name
    else:
        post = library.posts.get(name)
        title = (post.title if post else name).strip().partition("\n")[0]
    title = title if len(title) <= TITLE else title[: TITLE - 1] + "…"
    return f"{trouble.local[5:].replace('T', ' ')} {title}"
