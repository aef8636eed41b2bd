"""The table of docs/compatibility.md that says what the real gateways did."""

from __future__ import annotations

import re
from typing import cast

import pytest

from tests.support.rendering import ROOT

from .limits import LIMITS, limit_of
from .releases import RELEASES
from .scenario import STEPS
from .ways import WAYS, Way

DOCUMENT = ROOT / "docs" / "compatibility.md"
CELL = "cell"
TRANSPORTS = {
    "http": "MCP over HTTP",
    "stdio": "MCP over stdio",
    "grpc": "gRPC",
    "grpc+unix": "gRPC on a Unix socket",
    "unix": "Unix socket",
}
_TABLE = re.compile(r"(?<=<!-- gateways: begin -->\n).*(?=<!-- gateways: end -->)", re.DOTALL)

Cell = tuple[str, str, str]


class Recorder:
    """A plugin of pytest that remembers how each step of each case went.

    Attributes:
        passed: by release, way and step.
    """

    def __init__(self) -> None:
        self.passed: dict[Cell, bool] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == CELL and report.when == "call":
                self.passed[cast(Cell, value)] = report.passed

    @property
    def complete(self) -> bool:
        """Whether every step of every case was run."""
        return all(cell in self.passed for cell in cells())


def cells() -> list[Cell]:
    """All steps of all cases."""
    return [(release.version, way.name, step) for release in RELEASES for way in WAYS for step in way.steps]


def transport(way: Way) -> str:
    """A way's transport in words."""
    return TRANSPORTS[way.transport] + (", mutual TLS" if way.tls else "")


def table(passed: dict[Cell, bool]) -> str:
    """Write the table.

    Args:
        passed: how each step of each case went.
    """
    lines = [f"| gateway | transport | plugin entry | {' | '.join(STEPS)} |", "| --- " * (len(STEPS) + 3) + "|"]
    for release in RELEASES:
        for way in WAYS:
            found = [_word(passed, (release.version, way.name, step)) for step in STEPS]
            lines.append(f"| {release.version} | {transport(way)} | {way.client} | {' | '.join(found)} |")
    notes = [f"{number}. {limit.cause}" for number, limit in enumerate(LIMITS, 1)]
    return "\n".join([*lines, "", *notes]) + "\n"


def _word(passed: dict[Cell, bool], cell: Cell) -> str:
    limit = limit_of(*cell)
    if limit and passed.get(cell):
        return f"no ({LIMITS.index(limit) + 1})"
    return {True: "yes", False: "**no**", None: ""}[passed.get(cell)]


def write(passed: dict[Cell, bool]) -> None:
    """Put the table into the document."""
    text = DOCUMENT.read_text("utf-8")
    assert _TABLE.search(text), f"{DOCUMENT.name} has no place for the table"
    DOCUMENT.write_text(_TABLE.sub(lambda _: table(passed), text), "utf-8")


def written() -> str:
    """The table in the document."""
    found = _TABLE.search(DOCUMENT.read_text("utf-8"))
    assert found
    return found[0]
