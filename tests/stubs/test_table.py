"""The table of docs/stubs.md covers all cases, and no row of plugsmith fails."""

from pathlib import Path

from tests.stubs.harness import REFUSED, USABLE

_DOCUMENT = Path(__file__).parents[2] / "docs" / "stubs.md"


def test_no_failing_row() -> None:
    text = _DOCUMENT.read_text("utf-8").split("<!-- table: begin -->")[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    ours = [row for row in rows if row[1] == "plugsmith"]
    assert sorted(row[0] for row in ours) == sorted([*USABLE, *REFUSED])
    assert all(row[2:6] == ["yes"] * 4 or row[2] == "refused, as it must be" for row in ours)
    shared = [row for row in rows if row[1] == "plugsmith --shared-pool"]
    assert all(row[2:5] == ["yes"] * 3 or row[2] == "refused, as it must be" for row in shared)
