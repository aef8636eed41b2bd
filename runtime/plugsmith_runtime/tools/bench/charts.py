"""Figures as a table with bars, and as a picture."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from ...errors import StartError
from .load import Figures

_EIGHTHS = " ▏▎▍▌▋▊▉"
_BAR = 40


def table(figures: Sequence[Figures]) -> list[str]:
    """Lay figures out as lines with bars for the calls per second.

    Args:
        figures: one for each transport.
    """
    most = max(item.calls_per_second for item in figures)
    width = max(len(item.transport) for item in figures)
    lines = [f"{'':{width}}  {'p50 ms':>7}  {'p99 ms':>7}  {'calls/s':>8}"]
    for item in figures:
        numbers = f"{item.p50_ms:7.2f}  {item.p99_ms:7.2f}  {item.calls_per_second:8,.0f}"
        lines.append(f"{item.transport:{width}}  {numbers}  {bar(item.calls_per_second / most, _BAR)}")
    return lines


def bar(share: float, width: int) -> str:
    """A bar in eighths of a character.

    Args:
        share: of the width, 0 to 1.
        width: characters of a whole bar.
    """
    full, rest = divmod(round(share * width * 8), 8)
    return ("█" * full + _EIGHTHS[rest]).rstrip()


def draw(figures: Sequence[Figures], title: str, path: Path) -> None:
    """Draw figures into a picture.

    Args:
        figures: one for each transport.
        title: stands above.
        path: where to write; the ending says in which format.

    Raises:
        StartError: the package that draws is missing, or the file cannot be written.
    """
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise StartError("a picture needs the package matplotlib: install the extra 'bench'") from None
    names = [item.transport for item in figures]
    picture = Figure(figsize=(9, 4), layout="constrained")
    picture.suptitle(title, fontsize="medium")
    rates, times = picture.subplots(1, 2)
    rates.bar_label(rates.barh(names, [item.calls_per_second for item in figures]), fmt="{:,.0f}", padding=3)
    rates.set_xlabel("calls per second")
    for name, values in (("p99", [item.p99_ms for item in figures]), ("p50", [item.p50_ms for item in figures])):
        times.barh(names, values, label=name)
    times.set_xlabel("milliseconds, one call at a time")
    times.legend()
    for part in (rates, times):
        part.invert_yaxis()
        part.margins(x=0.15)
    try:
        picture.savefig(path)
    except (OSError, ValueError) as error:
        raise StartError(f"{path}: cannot write the picture ({error}); name a file that ends in .png") from error
