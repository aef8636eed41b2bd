"""`python -m benchmarks`: measures everything, prints the ratios, writes results.md, results.json and results.svg.

With --quick, in under two minutes: only what has a target, with short runs; writes nothing and exits 1 when a ratio is
worse than its target by more than 15 percent.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from . import cost, end_to_end, footprint, gateway_side, report, versions, workers
from .bench import Bench, prepared
from .end_to_end import IN_FLIGHT, MANY
from .inputs import SIZES
from .subjects import TRANSPORTS
from .targets import WORKERS, ratios


def main() -> int:
    """Measure; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under two minutes; exit 1 when a ratio is too bad")
    parser.add_argument("--rounds", type=int, help="interleaved runs of each subject [default: 3, quick 2]")
    parser.add_argument("--seconds", type=float, help="length of a run [default: 8, quick 1]")
    options = parser.parse_args()
    rounds = options.rounds or (2 if options.quick else 3)
    # The slowest server of a small call, the peer's over HTTP, has more than 5,000 of them in 8 s.
    seconds = options.seconds or (1.0 if options.quick else 8.0)
    with prepared() as bench:
        results = measure(bench, ["small"] if options.quick else list(SIZES), rounds, seconds, options.quick)
    found = ratios(results)
    for ratio in found:
        print(ratio.text)
    if not options.quick:
        report.write(results, found)
        return 0
    return int(any(ratio.failed for ratio in found))


def measure(bench: Bench, sizes: list[str], rounds: int, seconds: float, quick: bool) -> dict[str, Any]:
    """Take all measurements, telling what goes on on standard error."""
    # What else the machine does for a moment moves short measurements most, and two workers with the generator want all
    # of a small machine: they are taken more often.
    runs = {"start": 3 * rounds, "end_to_end": 8 * rounds, "workers": 2 * rounds, "gateway_side": rounds}
    if quick:
        # The connector is far from its targets.
        runs = {"start": rounds, "end_to_end": rounds, "workers": rounds, "gateway_side": 1}
    results: dict[str, Any] = {"rounds": rounds, "seconds": seconds, "runs": runs, "cpu": {}}
    for transport in TRANSPORTS:
        for size in sizes:
            print(f"measuring {transport}, {size}", file=sys.stderr)
            # Only small calls have targets.
            costs = cost.measure(bench, transport, size, rounds, seconds if size == "small" else min(seconds, 3.0))
            results["cpu"].setdefault(transport, {})[size] = costs
    print("measuring start and memory", file=sys.stderr)
    results["start"] = footprint.start(bench, runs["start"])
    results["memory"] = footprint.memory(bench)
    results["installed"] = footprint.installed(bench)
    counts = [MANY] if quick else IN_FLIGHT
    print("measuring the gateway's client", file=sys.stderr)
    results["end_to_end"] = end_to_end.measure(bench, counts, runs["end_to_end"], min(seconds, 0.5))
    print("measuring both versions of the Unix protocol", file=sys.stderr)
    results["versions"] = versions.measure(bench, rounds, seconds)
    print("measuring workers", file=sys.stderr)
    transports, measured = (list(WORKERS), ["small"]) if quick else (TRANSPORTS, workers.SIZES)
    results["workers"] = workers.measure(bench, transports, measured, runs["workers"], min(seconds, 3.0))
    print("measuring the connector", file=sys.stderr)
    length = 0.5 if quick else min(seconds, 2.0)
    results["gateway_side"] = gateway_side.measure(bench, counts, runs["gateway_side"], length)
    return results


if __name__ == "__main__":
    sys.exit(main())
