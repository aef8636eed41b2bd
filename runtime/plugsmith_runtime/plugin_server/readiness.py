"""What `serve` writes on standard output: the words that the programs wait for which start a server."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sys
from collections.abc import Iterable

from .settings import ServerSettings

_PORT = re.compile(r" on https?://\S+:(\d+)/mcp$")
_PRIVATE_FROM = 3


class StandardOutput:
    """Standard output of a server. Make it before the plugins are loaded.

    A server of HTTP on a free port writes PORT=<n> as its first line, for Docker's MCP gateway, which reads that line
    and never another one: whatever plugins print goes to standard error then, or it would fill the pipe and stop them.
    A server of the Unix socket writes READY, for gateways' tools. With stdio the output belongs to the protocol.

    Args:
        settings: what is served.
    """

    def __init__(self, settings: ServerSettings) -> None:
        free = "stdio" not in settings.transports
        self._tells_ready = free and "unix" in settings.transports
        http = settings.http
        self._tells_port = free and "http" in settings.transports and http.port == 0 and not http.uds
        self._descriptor = 1
        if self._tells_port:
            # A process may be started without any standard output: then nobody wants the line.
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                self._descriptor = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, _PRIVATE_FROM)
                os.dup2(2, 1)

    def serving(self, lines: Iterable[str]) -> None:
        """Say that the server serves.

        Args:
            lines: what is announced on standard error, a line for each endpoint.
        """
        words = [f"PORT={found[1]}" for line in lines if self._tells_port and (found := _PORT.search(line))]
        words += ["READY"] if self._tells_ready else []
        if words:
            with contextlib.suppress(OSError):
                os.write(self._descriptor, "".join(f"{word}\n" for word in words).encode())
