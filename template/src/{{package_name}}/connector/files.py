"""Notices that files were renewed."""

from __future__ import annotations

import os
from collections.abc import Sequence

_Look = tuple[tuple[int, int, int] | None, ...]


class Files:
    """Some files as they were when they were last looked at.

    Args:
        paths: the files.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._seen = self._look()

    def changed(self) -> bool:
        """Whether a file is another one than at the last look."""
        now = self._look()
        changed, self._seen = now != self._seen, now
        return changed

    def _look(self) -> _Look:
        return tuple(_identity(path) for path in self._paths)


def _identity(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
