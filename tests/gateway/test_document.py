"""docs/compatibility.md is that of a run with every release, and without a red check."""

from __future__ import annotations

import re

from tests.support.rendering import ROOT

from .compatibility import TRANSPORT_NAMES
from .judge import CHECKS
from .releases import FRAMEWORK_RELEASES
from .responder import MODES

DOCUMENT = (ROOT / "docs" / "compatibility.md").read_text("utf-8")


def test_nothing_is_red() -> None:
    assert re.search(r"\d+ green, \d+ grey, 0 red", DOCUMENT)
    assert "**" not in DOCUMENT


def test_every_release_transport_check_and_mode_is_there() -> None:
    for release in FRAMEWORK_RELEASES:
        _, found, table = DOCUMENT.partition(f"### {release.name}\n")
        assert found
        assert f"they fire {len(release.hooks)} hooks" in table
        for name in TRANSPORT_NAMES.values():
            row = re.search(rf"^\| {name} \|(.*)\|$", table, re.MULTILINE)
            assert row
            assert len(row.group(1).split("|")) == len(CHECKS)
    assert all(f"| `{word}` |" in DOCUMENT for word in [*CHECKS, *MODES])
