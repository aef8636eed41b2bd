"""Notices that files were renewed."""

from __future__ import annotations

import os
from collections.abc import Sequence

_Look = tuple[tuple[int, int, int] | None, ...]


class FileWatch:
    """Some files, compared with those that are in use.

    Args:
        paths: the files, which are in use as they are now.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._used = self._seen = self._look()

    def changed(self) -> bool:
        """Whether a file is another one than the one in use."""
        self._seen = self._look()
        return self._seen != self._used

    def use(self) -> None:
        """Take note that the files, as `changed` last saw them, are in use now."""
        self._used = self._seen

    def _look(self) -> _Look:
        return tuple(_identity(path) for path in self._paths)


def _identity(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
