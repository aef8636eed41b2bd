"""Takes standard input and output for the protocol, so that nothing else in the process can read or write them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from typing import Any

_PRIVATE_FROM = 3


class StandardStreams:
    """Private copies of descriptors 0 and 1, which then point to the null device and to standard error.

    Whatever a plugin prints, and what child processes write, goes to standard error and cannot corrupt the session.

    Attributes:
        reader: descriptor to read the protocol from.
        writer: descriptor to write the protocol to.
    """

    def __init__(self) -> None:
        self.reader = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, _PRIVATE_FROM)
        self.writer = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, _PRIVATE_FROM)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._stdout: Any = sys.stdout
        # Text that was printed earlier and still stands in the buffer goes where descriptor 1 points now.
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        sys.stdout = sys.stderr

    def release(self) -> None:
        """Give descriptors 0 and 1 back, in blocking mode, and close the private copies."""
        sys.stdout = self._stdout
        for private, public in ((self.reader, 0), (self.writer, 1)):
            with contextlib.suppress(OSError):
                # The mode belongs to the open file, which the parent process may share.
                os.set_blocking(private, True)
            os.dup2(private, public)
            os.close(private)
