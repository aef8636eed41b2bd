"""TLS files on disk: reading them, noticing that they changed, and values that follow their renewal."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ..errors import StartError
from .settings import TlsSettings

logger = logging.getLogger(__name__)

T = TypeVar("T")

_RETRY_SECONDS = 2.0
"""Time before files that could not be loaded are tried again, unless they change first."""

FileState = tuple[int, int, int]
FileStates = tuple[FileState | None, ...]


def read_file(path: str, role: str) -> bytes:
    """Read a file.

    Args:
        path: the file.
        role: what the file is for, for the error.

    Raises:
        StartError: the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise StartError(f"{role} file {path} does not exist: give the right path, or make it with `certs`") from None
    except OSError as error:
        raise StartError(f"{role} file {path} cannot be read ({error.strerror}): give this user access to it") from None


class FileWatch:
    """Change detection for files that are replaced while they are in use.

    Nothing runs in the background: `changed` compares the files with the states that were accepted last.

    Args:
        paths: the files; their present states are accepted.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths
        self._accepted = self.states()

    def states(self) -> FileStates:
        """The present states of the files."""
        return tuple(file_state(path) for path in self.paths)

    def changed(self) -> FileStates | None:
        """The present states when they differ from the accepted ones, else None."""
        states = self.states()
        return None if states == self._accepted else states

    def accept(self, states: FileStates) -> None:
        """Accept states, so that `changed` compares with them from now on."""
        self._accepted = states


class Reloaded(Generic[T]):
    """Value made from the TLS files, made anew when one of them changes.

    Asking for the value looks at the files. That happens once per connection, and needs no task, no timer and no file
    system notification. Files that cannot be loaded, such as a key that is written before its certificate, leave the
    value as it was.

    Args:
        settings: the settings that name the files.
        load: makes the value; raises StartError when the files cannot be used.

    Raises:
        StartError: the files cannot be used at the start.
    """

    def __init__(self, settings: TlsSettings, load: Callable[[], T]) -> None:
        paths = [path for path in (settings.certfile, settings.keyfile, settings.ca_bundle) if path]
        # The states are read before the files: a change in between is a change.
        self._watch = FileWatch(paths)
        self._load = load
        self._lock = threading.Lock()
        self._failed: FileStates | None = None
        self._retry_at = 0.0
        self._value = load()

    def current(self) -> T:
        """The value for the files as they are now, or the last good one."""
        if self._watch.changed() is None:
            return self._value
        with self._lock:
            states = self._watch.changed()
            if states is not None and (states != self._failed or time.monotonic() >= self._retry_at):
                self._reload(states)
            return self._value

    def _reload(self, states: FileStates) -> None:
        try:
            value = self._load()
            if self._watch.states() != states:
                return  # written while it was read: the next connection reads the rest
        except StartError as error:
            if states != self._failed:
                logger.warning("TLS files changed but are not used, the former ones stay: %s", error)
            self._failed = states
            self._retry_at = time.monotonic() + _RETRY_SECONDS
            return
        self._value = value
        self._watch.accept(states)
        self._failed = None
        logger.info("TLS files reloaded: %s", ", ".join(self._watch.paths))


def file_state(path: str) -> FileState | None:
    """What differs between a file and its replacement; None when the file cannot be read."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
