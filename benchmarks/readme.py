"""The part of README that shows the figures: the chart, and the two tables of small calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .subjects import FLOOR, OURS, PEER

README = Path(__file__).parent.parent / "README.md"
_PLACE = re.compile(r"(<!-- figures: begin[^\n]* -->\n).*?(<!-- figures: end -->)", re.DOTALL)
_NAMES = {"http": "HTTP", "grpc": "gRPC", "unix": "Unix socket"}


def write(results: Mapping[str, Any]) -> None:
    """Put the figures of a run into README.

    Args:
        results: the content of results.json.
    """
    text = README.read_text()
    README.write_text(_PLACE.sub(lambda found: found[1] + section(results) + found[2], text))


def section(results: Mapping[str, Any]) -> str:
    """What stands between the marks.

    Args:
        results: the content of results.json.
    """
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Mapping[str, Any]) -> Iterable[str]:
    yield "![Server CPU per call, rendered plugin and cpex 0.1.4](benchmarks/results.svg)"
    yield ""
    yield f"Measured on {results['made']} ({results['machine']}):"
    yield f"medians of {results['rounds']} interleaved runs of {results['seconds']:g} s, and with cpex's client of"
    yield f"{results['runs']['end_to_end']} of 0.5 s at most; the same plugin and the same small call for all, 16 in"
    yield "flight. Machines differ: read the ratios. `nox -s bench` makes these figures;"
    yield "[benchmarks/results.md](benchmarks/results.md) has all of them, and the targets."
    yield ""
    yield "| Server CPU per call, µs | rendered plugin | cpex 0.1.4 | bare server of the transport |"
    yield "| --- | --- | --- | --- |"
    for transport, sizes in results["cpu"].items():
        row = sizes["small"]
        figures = " | ".join(f"{row[name]['cpu']:.0f}" for name in (OURS, PEER, FLOOR))
        yield f"| {_NAMES[transport]} | {figures} |"
    yield ""
    yield "| Calls per second with cpex's own client | rendered plugin | cpex 0.1.4 |"
    yield "| --- | --- | --- |"
    for transport, rows in results["end_to_end"].items():
        figures = " | ".join(f"{rows[name]['16']:,.0f}" for name in (OURS, PEER))
        yield f"| {_NAMES[transport]} | {figures} |"
