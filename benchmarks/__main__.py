"""Run the benchmarks, print them as a table, and keep them in benchmarks/results.json.

`python -m benchmarks` runs all and writes the file; with names it runs only those files, and prints.
`python -m benchmarks growth` measures with more and more groups, and draws; `soak` lets thirty days go
by; `--write-docs` puts what was measured last into docs/performance.md.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import (
    broadcast,
    chatter,
    dispatch,
    flood,
    full,
    grab,
    idle,
    sign_in,
    sign_in_pg,
    slots,
    soak,
    start,
    wechaty,
    writing,
)
from benchmarks.growth import run as growth
from benchmarks.result import Result, Skipped

RESULTS = Path(__file__).with_name("results.json")
SOAKED = Path(__file__).with_name("soak.json")
ALL: dict[str, Callable[[], Sequence[Result]]] = {
    "start": start.measure,
    "idle": idle.measure,
    "chatter": chatter.measure,
    "dispatch": dispatch.measure,
    "sign_in": sign_in.measure,
    "sign_in_pg": sign_in_pg.measure,
    "grab": grab.measure,
    "slots": slots.measure,
    "broadcast": broadcast.measure,
    "wechaty": wechaty.measure,
    "full": full.measure,
    "flood": flood.measure,
}


def main(names: Sequence[str]) -> int:
    if names == ["--write-docs"]:
        writing.write(RESULTS, growth.KEPT, SOAKED)
        return 0
    if names == ["growth"]:
        return growth.measure()
    if names == ["soak"]:
        soaked = soak.measure()
        for line in table(soaked):
            print(line)
        keep(soaked, SOAKED)
        return 0
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(ALL)}, growth, soak")
        return 2
    return side_by_side(names)


def side_by_side(names: Sequence[str]) -> int:
    """Measure these, or all; one that fails loses nothing of the others, which took minutes."""
    began = time.perf_counter()
    results: list[Result] = []
    notes: list[str] = []
    failed = False
    for name in names or ALL:
        print(f"measuring {name} …", flush=True)
        try:
            results += ALL[name]()
        except Skipped as why:
            notes.append(f"{name} skipped: {why}")
        except AssertionError:
            traceback.print_exc()
            notes.append(f"{name} FAILED, see above")
            failed = True
    for line in [*table(results), *notes]:
        print(line)
    print(f"{time.perf_counter() - began:.0f} s")
    if not names:
        keep(results, RESULTS)
    return 1 if failed else 0


def keep(results: Sequence[Result], path: Path) -> None:
    path.write_text(json.dumps([one.kept for one in results], ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(f"written to {path}")


def table(results: Sequence[Result]) -> list[str]:
    """Name, number, unit and what it should be, in columns; then what others need for the same."""
    rows = [("name", "ours", "unit", "wanted", "peers")]
    for one in results:
        peers = [f"{name} {value:g}" for name, value in one.peers.items()]
        peers += [f"{name} skipped: {why}" for name, why in one.skipped.items()]
        rows.append((one.name, f"{one.ours:g}", one.unit, one.wanted, ", ".join(peers)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
