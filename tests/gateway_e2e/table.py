"""The table of docs/compatibility.md that says what the real gateways did."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import cast

import pytest

from tests.gateway.releases import GATEWAY_RELEASES
from tests.support.rendering import ROOT

from .matrix import VARIANTS, Variant
from .scenario import STEPS

DOCUMENT = ROOT / "docs" / "compatibility.md"
CASE = "case"
PASSED = "passed"
TRANSPORTS = {
    "http": "MCP over HTTP",
    "stdio": "MCP over stdio",
    "grpc": "gRPC",
    "grpc+unix": "gRPC on a Unix socket",
    "unix": "Unix socket",
}
_TABLE = re.compile(r"(?<=<!-- gateways: begin -->\n).*(?=<!-- gateways: end -->)", re.DOTALL)

Case = tuple[str, str]
"""The gateway's version, and the variant's name."""
Cell = tuple[str, str, str]
"""The same, and the step's name."""


class Recorder:
    """A plugin of pytest that remembers what was run.

    Attributes:
        cases: the cases that were run.
        passed: the steps that went as they must.
    """

    def __init__(self) -> None:
        self.cases: set[Case] = set()
        self.passed: set[Cell] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == CASE:
                self.cases.add(cast(Case, value))
            elif name == PASSED:
                self.passed.add(cast(Cell, value))

    @property
    def complete(self) -> bool:
        """Whether every case was run."""
        return all((release, variant) in self.cases for release, variant, _ in cells())


def cells() -> list[Cell]:
    """All steps of all cases."""
    return [
        (release.version, variant.name, step)
        for release in GATEWAY_RELEASES
        for variant in VARIANTS
        for step in variant.steps
    ]


def transport(variant: Variant) -> str:
    """A variant's transport in words."""
    return TRANSPORTS[variant.transport] + (", mutual TLS" if variant.tls else "")


def table(passed: Collection[Cell]) -> str:
    """Write the table.

    Args:
        passed: the steps that went as they must.
    """
    lines = [f"| gateway | transport | plugin entry | {' | '.join(STEPS)} |", "| --- " * (len(STEPS) + 3) + "|"]
    for release in GATEWAY_RELEASES:
        for variant in VARIANTS:
            found = [_word((release.version, variant.name, step), variant, passed) for step in STEPS]
            lines.append(f"| {release.version} | {transport(variant)} | {variant.client} | {' | '.join(found)} |")
    return "\n".join(lines) + "\n"


def _word(cell: Cell, variant: Variant, passed: Collection[Cell]) -> str:
    if cell[-1] not in variant.steps:
        return ""
    return "yes" if cell in passed else "**no**"


def write(passed: Collection[Cell]) -> None:
    """Put the table into the document."""
    text = DOCUMENT.read_text("utf-8")
    assert _TABLE.search(text), f"{DOCUMENT.name} has no place for the table"
    DOCUMENT.write_text(_TABLE.sub(lambda _: table(passed), text), "utf-8")


def written() -> str:
    """The table in the document."""
    found = _TABLE.search(DOCUMENT.read_text("utf-8"))
    assert found
    return found[0]
