"""Long computing beside the event loop, which holds up nobody who is answered meanwhile."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Seconds after which a thread hands the interpreter over: Python's own, and while something is done aside.
# To answer a message, loop and writer hand it over a dozen times.
USUAL, QUICK = sys.getswitchinterval(), 0.0005

_busy = 0


async def aside(work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Do it in a thread of its own. Called on the event loop."""
    global _busy  # noqa: PLW0603 - the interval is the process's
    _busy += 1
    sys.setswitchinterval(QUICK)
    try:
        return await asyncio.to_thread(work, *args, **options)
    finally:
        _busy -= 1
        if not _busy:
            sys.setswitchinterval(USUAL)
