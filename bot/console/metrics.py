"""What Prometheus is told: numbers that stand in memory anyway, and a few cheap counts of rows.

Nothing is counted for Prometheus' sake where events are handled: plain integers are read at a scrape.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.console.health import PATIENCE
from bot.dispatch.telling import kind_of
from bot.model import DAY, SECOND, Message
from bot.ports import State
from bot.tally import Histogram

if TYPE_CHECKING:
    from bot.app import App
    from storage.store import Store


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database says."""

    outbox: Mapping[str, int]
    oldest: int
    occurrences: Mapping[str, int]
    parked: int


async def scrape(app: App) -> bytes:
    """Everything in Prometheus' text format. A database that does not answer leaves out what it knows."""
    registry = CollectorRegistry()
    registry.register(Watched(app, await _kept(app)))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


async def _kept(app: App) -> Kept | None:
    now = app.clock.now()

    def count(store: Store) -> Kept:
        census = store.census
        return Kept(census.outbox(), census.oldest(), census.occurrences(now - DAY, now + 1), census.parked())

    try:
        return await asyncio.wait_for(app.database.read(count), PATIENCE)
    except Exception:  # noqa: BLE001 - the other numbers are wanted then more than ever
        return None


class Watched(Collector):
    """One look at 小二."""

    def __init__(self, app: App, kept: Kept | None) -> None:
        self._app = app
        self._kept = kept

    def collect(self) -> Iterator[Metric]:
        yield from self._events()
        yield from self._commits()
        yield from self._accounts()
        yield from self._alarm()
        yield _counter(
            "xiaoer_outbox_ended",
            "Messages that came to an end since the start.",
            "state",
            self._app.sender.ended,
        )
        for kind, waited in self._app.sender.waited.items():
            yield _histogram(
                f"xiaoer_{kind}_wait_seconds", f"How long each {kind} waited to be sent.", waited
            )
        yield _gauge("xiaoer_database_up", "Whether the database answered.", self._kept is not None)
        if self._kept is not None:
            yield from self._rows(self._kept)

    def _events(self) -> Iterator[Metric]:
        dispatcher = self._app.dispatcher
        seen = Counter({(kind_of(kind), ended): count for (kind, ended), count in dispatcher.events.items()})
        seen[kind_of(Message), "chatter"] += dispatcher.chatter
        events = CounterMetricFamily(
            "xiaoer_events", "Events since the start, by what became of them.", labels=("kind", "outcome")
        )
        for labels, count in sorted(seen.items()):
            events.add_metric(labels, count)
        yield events
        yield _gauge("xiaoer_events_waiting", "Events that wait, in all lanes.", dispatcher.waiting)
        yield _gauge("xiaoer_lane_depth_max", "Events that wait in the fullest lane.", dispatcher.depth)

    def _commits(self) -> Iterator[Metric]:
        writer = self._app.database.writer
        yield _histogram("xiaoer_commit_batch_size", "Units of work in one transaction.", writer.batches)
        yield _histogram("xiaoer_commit_seconds", "How long a COMMIT took to be durable.", writer.commits)
        yield CounterMetricFamily(
            "xiaoer_units_failed", "Units of work that failed and were undone.", writer.failed
        )

    def _accounts(self) -> Iterator[Metric]:
        online = GaugeMetricFamily(
            "xiaoer_account_online", "Whether an account is online.", labels=("account",)
        )
        state = GaugeMetricFamily(
            "xiaoer_account_state",
            "Whether an account is in a state: one of them is 1.",
            labels=("account", "state"),
        )
        for name, account in self._app.accounts.items():
            online.add_metric((name,), account.state is State.ONLINE)
            for one in State:
                state.add_metric((name, one), account.state is one)
        yield online
        yield state

    def _alarm(self) -> Iterator[Metric]:
        alarm = self._app.alarm
        yield _histogram("xiaoer_alarm_late_seconds", "How late the alarm rang for what was due.", alarm.late)
        yield _gauge(
            "xiaoer_next_due_timestamp_seconds",
            "When the alarm rings next; 0 for never.",
            alarm.armed / SECOND,
        )

    def _rows(self, kept: Kept) -> Iterator[Metric]:
        yield _gauges("xiaoer_outbox_rows", "Messages that were not sent, by state.", "state", kept.outbox)
        waits = (self._app.clock.now() - kept.oldest) / SECOND if kept.oldest else 0
        yield _gauge("xiaoer_outbox_oldest_seconds", "How long the oldest message has waited.", waits)
        yield _gauges(
            "xiaoer_occurrences",
            "Calendar slots that were due in the last 24 hours, by outcome.",
            "outcome",
            kept.occurrences,
        )
        yield _gauge("xiaoer_timers_parked", "Timers that failed three times.", kept.parked)


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(name, said, value)


def _gauges(name: str, said: str, label: str, values: Mapping[str, int]) -> Metric:
    made = GaugeMetricFamily(name, said, labels=(label,))
    for key, value in values.items():
        made.add_metric((key,), value)
    return made


def _counter(name: str, said: str, label: str, values: Mapping[str, int]) -> Metric:
    made = CounterMetricFamily(name, said, labels=(label,))
    for key, value in values.items():
        made.add_metric((key,), value)
    return made


def _histogram(name: str, said: str, values: Histogram) -> Metric:
    ends = (*(f"{bound:g}" for bound in values.bounds), "+Inf")
    buckets = list(zip(ends, accumulate(values.counts), strict=True))
    return HistogramMetricFamily(name, said, buckets=buckets, sum_value=values.sum)
