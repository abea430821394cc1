"""One queue a room: what happens in a room is told in order, and rooms do not wait for each other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()

Job = Callable[[], Awaitable[None]]


class Lanes:
    """Runs the jobs of each key one after another. A lane without jobs costs nothing."""

    def __init__(self, room_for: int) -> None:
        self._room_for = room_for
        self._lanes: dict[str, deque[Job]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._space = asyncio.Event()

    async def put(self, key: str, job: Job) -> None:
        """Queue a job. Returns when no more than `room_for` are waiting over all lanes."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = deque()
            worker = asyncio.create_task(self._work(key, lane))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        lane.append(job)
        self._waiting += 1
        while self._waiting > self._room_for:
            self._space.clear()
            await self._space.wait()

    async def close(self) -> None:
        """Drop what is waiting."""
        workers = tuple(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        self._lanes.clear()
        self._waiting = 0
        self._space.set()

    async def _work(self, key: str, lane: deque[Job]) -> None:
        while lane:
            job = lane.popleft()
            try:
                await job()
            except Exception:  # one event that fails does not hold up the rest
                log.exception("wechaty_event_failed", lane=key)
            finally:
                self._waiting -= 1
                self._space.set()
        del self._lanes[key]
