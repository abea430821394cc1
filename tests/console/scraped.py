"""What a Prometheus would make of /metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Self

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.harness import World

Number = Callable[..., float]


def families(text: str) -> Iterable[Metric]:
    return text_string_to_metric_families(text)


def numbers(text: str) -> Number:
    """Look a sample up by its name and labels."""
    found = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families(text)
        for sample in family.samples
    }
    return lambda name, **labels: found[name, frozenset(labels.items())]


async def scrape(world: World) -> Number:
    answer = await world.http.get("/metrics")
    assert answer.status_code == 200, answer.text
    return numbers(answer.text)


class Growth:
    """Two scrapes: call it for how much a number grew in between."""

    def __init__(self, world: World, before: Number) -> None:
        self.world = world
        self.before = self.after = before

    @classmethod
    async def of(cls, world: World) -> Self:
        return cls(world, await scrape(world))

    async def look(self) -> None:
        """Scrape again."""
        await self.world.settle()
        self.after = await scrape(self.world)

    def __call__(self, name: str, **labels: str) -> float:
        return self.after(name, **labels) - self.before(name, **labels)
