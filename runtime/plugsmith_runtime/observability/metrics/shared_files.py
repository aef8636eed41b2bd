"""The files in which the workers of a server share their metrics."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

# Parts of it that have no types, in some of its releases.
_multiprocess: Any = multiprocess


class SharedFiles(Collector):
    """Adds up what all workers have written.

    Args:
        folder: where their files are.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def collect(self) -> Iterable[Metric]:
        """See Collector."""
        # A worker that has just begun has made a file and not written to it yet, which the library takes for a fault.
        begun = [str(path) for path in self._folder.glob("*.db") if _size(path)]
        merged: Iterable[Metric] = _multiprocess.MultiProcessCollector.merge(begun, accumulate=True)
        return merged


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
