"""TLS files on disk: reading them, and noticing that they changed."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..errors import StartError

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


def file_state(path: str) -> FileState | None:
    """What differs between a file and its replacement; None when the file cannot be read."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
