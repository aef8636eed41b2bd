"""The chart: server CPU time of a small call, by transport."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pygal  # type: ignore[import-not-found, import-untyped, unused-ignore]
from pygal.style import CleanStyle  # type: ignore[import-not-found, import-untyped, unused-ignore]

from .subjects import FLOOR, OURS, PEER

_TITLES = {OURS: "rendered plugin", PEER: "cpex 0.1.4", FLOOR: "floor"}


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw a bar chart.

    Args:
        results: what was measured; "cpu" is read.
        path: the SVG file to write.
    """
    chart = pygal.Bar(
        style=CleanStyle, title="Server CPU per small call, microseconds (logarithmic)", logarithmic=True,
        js=[], print_values=True, disable_xml_declaration=True, legend_at_bottom=True, height=420, width=760,
        value_formatter=lambda value: f"{value:.0f}", show_minor_y_labels=False, explicit_size=True,
    )  # fmt: skip
    rows = {name: sizes["small"] for name, sizes in results["cpu"].items() if "small" in sizes}
    chart.x_labels = list(rows)
    for subject, title in _TITLES.items():
        chart.add(title, [round(row[subject]["cpu"], 1) for row in rows.values()])
    chart.render_to_file(str(path))
