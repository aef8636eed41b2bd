"""Prometheus' multiprocess mode: the folder in which workers leave their samples, and the sum of all of them.

Nothing here imports prometheus_client before it is needed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


class MetricsFolder:
    """A private folder that exists inside `with`.

    Attributes:
        environ: the variables that name it to prometheus_client.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="plugins-metrics-")
        self.environ = {"PROMETHEUS_MULTIPROC_DIR": self._folder.name}

    def __enter__(self) -> MetricsFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def forget(self, worker: int, process: int) -> None:
        """Remove the gauges of a worker that has ended; its counters stay, and its successor goes on with them.

        Args:
            worker: the number of the worker.
            process: its process id, under which plugins have metrics of their own.
        """
        for owner in (worker, process):
            _multiprocess().mark_process_dead(owner, self._folder.name)


class MultiprocessCollector:
    """A collector that adds up the samples of all workers; see prometheus_client.registry.Collector.

    Args:
        folder: where their files are.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def collect(self) -> Iterable[Metric]:
        """See Collector."""
        # A worker that has just begun has made a file and not written to it yet, which the library takes for a fault.
        files = [str(path) for path in self._folder.glob("*.db") if _size(path)]
        merged: Iterable[Metric] = _multiprocess().MultiProcessCollector.merge(files, accumulate=True)
        return merged


def _multiprocess() -> Any:
    from prometheus_client import multiprocess

    # Without types in some of its releases.
    return multiprocess


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
