"""Files that are renewed on disk while the server runs."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from ..errors import StartError
from .settings import TlsSettings

logger = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_SECONDS = 2.0
"""How long files that could not be loaded are left alone, unless they change again."""

_Signature = tuple[tuple[int, int, int] | None, ...]


class Reloaded(Generic[T]):
    """A value made from the TLS files, made anew when one of them changes.

    The files are looked at when the value is asked for, which is once per connection: no task, no timer, and nothing
    that differs between file systems. Files that cannot be loaded, such as a key that is written before its
    certificate, leave the value as it was.

    Args:
        settings: names the files.
        load: makes the value; raises StartError when the files are not good.

    Raises:
        StartError: the files are not good at the start.
    """

    def __init__(self, settings: TlsSettings, load: Callable[[], T]) -> None:
        self._paths = [path for path in (settings.certfile, settings.keyfile, settings.ca_bundle) if path]
        self._load = load
        self._lock = threading.Lock()
        self._signature = self._look()
        self._failed: _Signature | None = None
        self._retry_at = 0.0
        self._value = load()

    def current(self) -> T:
        """The value for the files as they are now, or the last good one."""
        signature = self._look()
        if signature == self._signature:
            return self._value
        with self._lock:
            if signature != self._signature and (signature != self._failed or time.monotonic() >= self._retry_at):
                self._reload(signature)
            return self._value

    def _reload(self, signature: _Signature) -> None:
        try:
            value = self._load()
            if self._look() != signature:
                return  # written while it was read: the next connection sees the rest
        except StartError as error:
            if signature != self._failed:
                logger.warning("TLS files changed but are not used, the former ones stay: %s", error)
            self._failed = signature
            self._retry_at = time.monotonic() + RETRY_SECONDS
            return
        self._value = value
        self._signature = signature
        self._failed = None
        logger.info("TLS files reloaded: %s", ", ".join(self._paths))

    def _look(self) -> _Signature:
        return tuple(_stat(path) for path in self._paths)


def _stat(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
