"""Measures with more and more groups, keeps the numbers in growth.json, and draws them."""

from __future__ import annotations

import json
import time
import traceback
from collections import defaultdict
from itertools import product

from benchmarks.growth.figures import LAPS
from benchmarks.growth.ground import grounds
from benchmarks.growth.picture import draw
from benchmarks.result import Skipped, middle
from benchmarks.stage import ROOT
from benchmarks.words import FIGURES

PLACES = (10, 100, 1_000)
ROUNDS = max(lap.rounds for lap in LAPS)
KEPT = ROOT / "benchmarks" / "growth.json"
FAILED = "量的时候出了错"


def measure() -> int:
    """All laps, in turn. One that fails loses nothing of the others, and makes the answer 1."""
    began = time.perf_counter()
    found: defaultdict[tuple[str, str, int], list[float]] = defaultdict(list)
    skipped: dict[str, str] = {}
    with grounds() as there:
        for number, kind, groups, lap in product(range(ROUNDS), there, PLACES, LAPS):
            if number >= lap.rounds or lap.figures[0] in skipped:
                continue
            print(f"{groups} groups, {kind} database: {', '.join(lap.figures)} …", flush=True)
            try:
                measured = lap.run(there[kind], groups)
            except Skipped as error:
                skipped |= dict.fromkeys(lap.figures, str(error))
            except (AssertionError, TimeoutError):
                traceback.print_exc()
                skipped |= dict.fromkeys(lap.figures, FAILED)
            else:
                for name, value in measured.items():
                    found[name, kind, groups].append(value)
    kinds = ("empty", "full")
    figures = {
        name: {kind: {str(groups): middle(found[name, kind, groups]) for groups in PLACES} for kind in kinds}
        for name in FIGURES
        if name not in skipped
    }
    KEPT.write_text(
        json.dumps({"figures": figures, "skipped": skipped}, ensure_ascii=False, indent=1) + "\n", "utf-8"
    )
    draw(figures)
    for name, places in figures.items():
        print(name, *(f"{kind} {places[kind]}" for kind in kinds))
    for name, why in skipped.items():
        print(f"{name} skipped: {why}")
    print(f"{time.perf_counter() - began:.0f} s")
    return int(FAILED in skipped.values())
