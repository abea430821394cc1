"""A rehearsal as a person reads it: what was said in each group, much shortened, and a summary."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bot.clock import as_datetime
from bot.console.outbox import OUTBOX
from bot.rehearsal.rehearsing import Rehearsed
from bot.rehearsal.world import BOT, Line
from handlers.calendar import STATES

DAYS = "一二三四五六日"
KINDS = {"reply": "回话", "post": "帖子"}
# What is shown of a message, and of what members say before the next.
LINES, WIDTH, VOICES, WORDS = 3, 44, 4, 12
WIDE = 120


@contextmanager
def progress(days: int, *, hidden: bool) -> Iterator[Callable[[int], None]]:
    """A bar on stderr for whoever looks; what is given is to be told how many days are over."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=hidden or not console.is_terminal) as bar:
        task = bar.add_task("演练", total=days)
        yield lambda over: bar.update(task, completed=over, description=f"演练 {over}/{days} 天")


def show(seen: Rehearsed) -> None:
    """Print all of it."""
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else WIDE)
    for group in seen.groups:
        console.rule(f"{group.title}（标签：{'、'.join(group.tags) or '无'}）", align="left")
        lines = [line for line in seen.lines if line.key == group.key]
        for shown in _transcript(seen, lines):
            console.print(shown, soft_wrap=True)
    console.rule("小结", align="left")
    console.print(_groups(seen))
    for sentence in _summary(seen):
        console.print(sentence, soft_wrap=True)


def _transcript(seen: Rehearsed, lines: Sequence[Line]) -> Iterator[str]:
    """What 小二 says to all; and between, in a line each, what people say and it answers."""
    day = None
    for (today, to_all), each in groupby(lines, lambda line: (_local(seen, line).date(), _to_all(line))):
        if today != day:
            day = today
            yield f"── 周{DAYS[day.weekday()]} {day}"
        said = list(each)
        if to_all:
            for line in said:
                yield from _message(seen, line)
        else:
            yield _talk(seen, said)


def _to_all(line: Line) -> bool:
    return line.who == BOT and not line.answer


def _message(seen: Rehearsed, line: Line) -> Iterator[str]:
    told = [part for part in line.text.splitlines() if part.strip()]
    left = len(told) - LINES
    for number, part in enumerate(told[:LINES]):
        head = " " * 16 if number else f"{_local(seen, line):%H:%M:%S} {BOT}："
        more = f"　（还有 {left} 行）" if number == LINES - 1 and left > 0 else ""
        yield f"  {head}{_short(part, WIDTH)}{more}"


def _talk(seen: Rehearsed, said: Sequence[Line]) -> str:
    people = [line for line in said if line.who != BOT]
    few = [f"{line.who}：{_short(line.text.strip(), WORDS)}" for line in people[:VOICES]]
    if len(people) > VOICES:
        few.append(f"……共 {len({line.who for line in people})} 人 {len(people)} 句")
    if len(people) < len(said):
        few.append(f"小二答了 {len(said) - len(people)} 条")
    return f"  {_local(seen, said[0]):%H:%M:%S} {'；'.join(few)}"


def _groups(seen: Rehearsed) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("群", "成员", "活动", "帖子", "参加的人", "群友说", "小二发", "积分进", "积分出"):
        table.add_column(name, justify="left" if name == "群" else "right")
    for one in seen.books.groups:
        numbers = (
            one.members, one.activities, one.posts, one.took_part, one.said, one.sent, one.points_in, one.points_out
        )  # fmt: skip
        table.add_row(one.title, *map(str, numbers))
    return table


def _summary(seen: Rehearsed) -> Iterator[str]:
    for one in seen.books.quizzes:
        yield f"问答「{one.title}」办了 {one.times} 场，平均 {one.players:g} 人作答。"
    outcomes = "，".join(f"{STATES[state]} {many}" for state, many in seen.books.outcomes.items())
    yield f"日程：{outcomes or '一次也没有'}。"
    messages = "，".join(f"{OUTBOX[state]} {many}" for state, many in seen.books.messages.items())
    yield f"消息：{messages or '一条也没有'}。"
    for kind, waited in seen.waited.items():
        if waited.messages:
            half, most = (
                f"{bound:g} 秒内" if bound else "10 分钟以上" for bound in (waited.half, waited.most)
            )
            yield (
                f"{KINDS[kind]}等了多久才发：{waited.messages} 条，平均 {waited.mean:g} 秒，"
                f"一半在 {half}，95% 在 {most}。"
            )
    if seen.asked.crash:
        yield (
            f"中途断电 {seen.crashes} 次。断电时正在发、不知道到了没有的消息：到了，记作已发的 {seen.arrived} 条，"
            f"没到，又发一遍的 {seen.sent_again} 条。"
        )
    yield "对账："
    for told in seen.audit.lines():
        yield f"  {told}"


def _local(seen: Rehearsed, line: Line) -> datetime:
    return as_datetime(line.at).astimezone(seen.zone)


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
