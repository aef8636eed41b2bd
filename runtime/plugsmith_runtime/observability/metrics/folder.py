"""The folder in which workers leave what they count, so that whichever is asked can tell for all."""

from __future__ import annotations

import tempfile
from types import TracebackType
from typing import Any


class MetricsFolder:
    """A private folder that exists inside `with`.

    Attributes:
        environ: what tells prometheus_client about it.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="plugins-metrics-")
        self.environ = {"PROMETHEUS_MULTIPROC_DIR": self._folder.name}

    def __enter__(self) -> MetricsFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def forget(self, worker: int, process: int) -> None:
        """Take away what counts only while a worker lives; the one that replaces it goes on with all else.

        Args:
            worker: the number of the worker, which has ended.
            process: its process, under which plugins have metrics of their own.
        """
        from prometheus_client import multiprocess

        # Without types in some of its releases.
        library: Any = multiprocess
        for owner in (worker, process):
            library.mark_process_dead(owner, self._folder.name)
