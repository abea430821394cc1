"""20,000 messages of a hundred groups, of ten one a command: µs a message until the last reply is at the stub.

The same stream for everybody, each put together as its documentation does it (contenders/). The clock
runs from each library's own event to where it would talk to its network.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.race import Contender, race
from benchmarks.result import Result, middle
from benchmarks.stage import ROOT
from benchmarks.stream import MESSAGES

ROUNDS = 3
SLOW = MESSAGES // 20  # nonebot2 would take minutes over all of them
OURS, DURABLE = "小二", "小二, durable"
ALL = (
    Contender(OURS, "ours", (str(MESSAGES), "dispatch")),
    Contender("discord.py", "discord_py", (str(MESSAGES),)),
    Contender(DURABLE, "ours", (str(MESSAGES), "message")),
    Contender("python-telegram-bot", "telegram_bot", (str(MESSAGES),)),
    Contender("Wechaty", "stock_wechaty", (str(MESSAGES),)),
    Contender("aiogram", "aiogram3", (str(MESSAGES),), ROOT / "build" / "aiogram" / "bin" / "python"),
    Contender("nonebot2", "nonebot2", (str(SLOW),)),
)


def measure() -> Sequence[Result]:
    done = race(ALL, ROUNDS)
    took = {name: middle([one["us"] for one in printed]) for name, printed in done.printed.items()}
    ours, durable = took.pop(OURS), took.pop(DURABLE)
    return [
        Result("dispatch_us", "µs", ours, f"< {min(took.values(), default=0):g}", took, done.skipped),
        Result("message_us", "µs", durable, "", took, done.skipped),
    ]
