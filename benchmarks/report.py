"""Writes results.md, results.json, results.svg and the figures in README."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import readme, workers
from .chart import draw
from .end_to_end import IN_FLIGHT
from .gateway_side import rows
from .subjects import FLOOR, OURS, PEER
from .targets import Ratio

FOLDER = Path(__file__).parent
_NAMES = {OURS: "rendered plugin", PEER: "cpex 0.1.4", FLOOR: "floor"}


def write(results: dict[str, Any], ratios: list[Ratio]) -> None:
    """Write all of them.

    Args:
        results: what was measured.
        ratios: the ratios and their targets.
    """
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    about = {"made": datetime.now(UTC).date().isoformat(), "machine": machine}
    listed = [{"name": r.name, "value": r.value, "target": r.target, "met": r.met} for r in ratios]
    data = about | results | {"ratios": listed}
    (FOLDER / "results.json").write_text(json.dumps(data, indent=1) + "\n")
    (FOLDER / "results.md").write_text("\n".join(_pages(about, results, ratios)) + "\n")
    draw(results, FOLDER / "results.svg")
    readme.write(data)


def _pages(about: dict[str, str], results: dict[str, Any], ratios: list[Ratio]) -> Iterable[str]:
    yield "# Results"
    yield ""
    yield f"Written by `python -m benchmarks` on {about['made']}: {about['machine']}. Medians of {results['rounds']}"
    yield f"interleaved runs of {results['seconds']:g} s (10 kB: 3 s at most) with 16 calls in flight (1 MB: one)."
    yield "Machines differ: read the ratios."
    yield from _table("Targets", ["ratio", "measured", "target", ""], [_ratio_row(ratio) for ratio in ratios])
    costs = [
        [transport, size, _NAMES[name], f"{cost['cpu']:.1f}", f"{cost['throughput']:,.0f}", f"{cost['p50']:.2f}",
         f"{cost['p99']:.2f}", f"{cost['calls']:,.0f}"]
        for transport, sizes in results["cpu"].items() for size, row in sizes.items() for name, cost in row.items()
    ]  # fmt: skip
    heads = ["transport", "input", "server", "CPU µs/call", "calls/s", "p50 ms", "p99 ms", "calls in a run"]
    yield from _table("Server CPU time per call", heads, costs)
    rates = [
        [transport, _NAMES[name], f"{row['1']:,.0f}", f"{row['16']:,.0f}"]
        for transport, rows in results["end_to_end"].items() for name, row in rows.items()
    ]  # fmt: skip
    heads = ["transport", "server", "calls/s, 1 in flight", "calls/s, 16 in flight"]
    runs = results["runs"]
    title = f"End to end with cpex's own client ({runs['end_to_end']} runs of 0.5 s at most in processes of their own)"
    yield from _table(title, heads, rates)
    rates = [
        [version, _NAMES[name], f"{row['throughput']:,.0f}", f"{row['cpu']:.1f}"]
        for name, rows in results["versions"].items() for version, row in rows.items()
    ]  # fmt: skip
    heads = ["version", "server", "calls/s, 16 in flight", "CPU µs/call"]
    yield from _table("Versions of the Unix protocol (1: 16 connections, 2: one)", heads, rates)
    rates = [
        [transport, size, f"{row['1']:,.0f}", f"{row['2']:,.0f}", f"{row['2'] / row['1']:.2f}"]
        for transport, rows in results["workers"].items() for size, row in rows.items()
    ]  # fmt: skip
    heads = ["transport", "input", "calls/s, 1 worker", "calls/s, 2 workers", "ratio"]
    light = f"{workers.IN_FLIGHT.connections} connections with {workers.IN_FLIGHT.each} calls in flight each"
    yield from _table(f"Workers ({runs['workers']} runs of 3 s at most; {light})", heads, rates)
    sides = [f"{what}, {n} in flight" for n in IN_FLIGHT for what in ("calls/s", "CPU µs/call")]
    heads = ["transport", "client", *sides]
    yield from _table("The gateway's side: connector and cpex's own client", heads, rows(results["gateway_side"]))
    heads = ["transport", *(_NAMES[name] for name in (OURS, PEER))]
    title = f"Seconds from exec to the first answer ({runs['start']} starts)"
    yield from _table(title, heads, _pairs(results["start"], ".2f"))
    yield from _table("Resident MB after 1,000 calls", heads, _pairs(results["memory"], ".0f"))
    sizes = [[_NAMES[n], f"{v['packages']:.0f}", f"{v['megabytes']:.0f}"] for n, v in results["installed"].items()]
    yield from _table("Installed, all transports", ["server", "packages", "MB without byte code"], sizes)


def _ratio_row(ratio: Ratio) -> list[str]:
    bound = "at least" if ratio.at_least else "at most"
    return [ratio.name, f"{ratio.value:.3f}", f"{bound} {ratio.target:.3f}", "met" if ratio.met else "missed"]


def _pairs(rows: dict[str, dict[str, float]], form: str) -> list[list[str]]:
    return [[name, *(format(row[k], form) if k in row else "" for k in (OURS, PEER))] for name, row in rows.items()]


def _table(title: str, heads: list[str], rows: list[list[str]]) -> Iterable[str]:
    yield f"\n## {title}\n"
    for row in (heads, ["---"] * len(heads), *rows):
        yield f"| {' | '.join(row)} |"
