"""What people say among themselves costs almost nothing: a message that no handler answers.

200 groups of known members, a quiz round open in half of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from random import Random

from benchmarks.result import Result, middle
from benchmarks.stage import folder, line, open_groups, say, stage
from bot.app import settle
from bot.model import Message

GROUPS, MEMBERS = 200, 7
MESSAGES = 20_000
REPEATS = 9
LINES = (
    "好的👌",
    "收到！",
    "哈哈哈哈",
    "早上好呀",
    "谢谢老师",
    "明天几点开门？",
    "有人一起拼单吗",
    "这个颜色还有38码吗？",
    "我刚下班，晚点再看",
    "A和B有什么区别呢",
    "昨天那个讲座有回放吗？",
    "今天菜市场的青菜又涨价了",
    "请问大额存单现在利率是多少",
    "孩子的压岁钱一般放哪里比较好？",
    "我觉得还是先还清信用卡再说吧。",
    "下雨天路滑，大家出门穿双防滑的鞋哦",
    "@小林 你上次说的那家店还开着吗，地址发我一下",
    "周六要是天气好的话，我想带爸妈过去试试那双软底的。",
    "刚才看了一下说明书，R2和R3的差别主要在波动上，大家按自己的情况来",
)


def measure() -> Sequence[Result]:
    with folder() as data:
        return [Result("chatter_us", "µs", middle(asyncio.run(run(data))), "≤ 5")]


async def run(data: Path) -> list[float]:
    async with stage(data) as app:
        people = await open_groups(app, GROUPS, MEMBERS)
        for group in range(0, GROUPS, 2):
            await say(app, group, people[group][0], "开始 理财小问答", "quiz", to_bot=True)
        await settle(app)
        chance, taken = Random(7), []
        for repeat in range(REPEATS):
            # Each text is an object of its own, as it comes from a platform.
            messages: list[Message] = [
                line(app, group, chance.choice(people[group]), text[:1] + text[1:], f"{repeat}-{number}")
                for number, (group, text) in enumerate(
                    islice(zip(cycle(range(GROUPS)), cycle(LINES), strict=False), MESSAGES)
                )
            ]
            feed = app.dispatcher.feed
            began = time.perf_counter()
            queued = [message for message in messages if feed(message) is not None]
            taken.append((time.perf_counter() - began) / len(messages) * 1e6)
            assert not queued, queued[0].text
    return taken
