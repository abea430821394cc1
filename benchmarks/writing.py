"""Puts measured numbers into docs/performance.md, between its marks. Nobody types them."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.stage import ROOT
from benchmarks.words import FIGURES, KINDS, PEERS, WORDS

PAGE = ROOT / "docs" / "performance.md"


def write(results: Path, growth: Path, soaked: Path) -> None:
    """Fill each table whose numbers are there. Raises FileNotFoundError when none are."""
    page = PAGE.read_text("utf-8")
    found: dict[str, tuple[Path, Callable[[Any], Iterator[str]]]] = {
        "results": (results, side_by_side),
        "growth": (growth, grown),
        "soak": (soaked, rows),
    }
    there = {mark: one for mark, one in found.items() if one[0].exists()}
    if not there:
        raise FileNotFoundError(results)
    for mark, (path, lines) in there.items():
        page = between(page, mark, lines(json.loads(path.read_text("utf-8"))))
    PAGE.write_text(page, "utf-8")


def between(page: str, mark: str, lines: Iterator[str]) -> str:
    """The page with other lines between `<!-- mark -->` and `<!-- /mark -->`."""
    pattern = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    assert pattern.search(page), mark
    text = "\n".join(lines)
    return pattern.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)


def side_by_side(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"Python {platform.python_version()}，{os.cpu_count()} 个核。"
    yield ""
    yield from rows(results)


def rows(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "| 名字 | 量的是什么 | 小二 | 要求 | 别人，是小二的几倍 |"
    yield "| --- | --- | --- | --- | --- |"
    for one in results:
        what, wanted = WORDS[one["name"]]
        peers = "，".join(
            f"{PEERS.get(name, name)} {number(value)}{ratio(value, one['ours'])}"
            for name, value in one["peers"].items()
        )
        ours = f"{number(one['ours'])} {one['unit']}".strip()
        yield f"| `{one['name']}` | {what} | {ours} | {wanted} | {peers or '–'} |"


def grown(kept: Mapping[str, Any]) -> Iterator[str]:
    """A line for each figure; then what could not be measured, and why."""
    figures = kept["figures"]
    places = next(iter(figures.values()))
    heads = [f"{KINDS[kind]}，{groups} 个群" for kind, values in places.items() for groups in values]
    yield f"| 量的是什么 | {' | '.join(heads)} |"
    yield f"| --- |{' --- |' * len(heads)}"
    for name, kinds in figures.items():
        cells = [number(value) for values in kinds.values() for value in values.values()]
        yield f"| {FIGURES[name]} | {' | '.join(cells)} |"
    for name, why in kept["skipped"].items():
        yield ""
        yield f"没有量「{FIGURES[name]}」：{why}。"


def ratio(theirs: float, ours: float) -> str:
    return f"（{number(theirs / ours)} 倍）" if ours else ""


def number(value: float) -> str:
    """At most three digits behind the point, and none behind a hundred."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
