"""Folders whose paths are short enough for Unix sockets, which those of pytest often are not."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A socket's path may have 103 bytes on macOS; this leaves enough for the folder's and the socket's names.
_LONGEST = 70


@contextmanager
def socket_folder() -> Iterator[Path]:
    """Make a folder with a short path, and remove it at the end."""
    long = len(tempfile.gettempdir()) > _LONGEST
    with tempfile.TemporaryDirectory(prefix="s-", dir="/tmp" if long else None) as folder:
        yield Path(folder)
