"""Readiness of a server: what it tells the programs and people that wait for it, once it answers calls.

- A program that asks for it by `PLUGINS_READY_FD`, the number of a descriptor, gets one line of JSON there with all
  endpoints, in place of the lines for people.
- People get a line for each endpoint on standard error.
- Gateways and their tools get `PORT=<n>` and `READY` on standard output, whoever else is told.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import platform
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from .._version import __version__
from ..observability.logging import announce
from ..process.readiness import ReadyNotifier
from .settings import ServerSettings

logger = logging.getLogger(__name__)

READY_FD_ENV = "PLUGINS_READY_FD"
"""The environment variable with the descriptor on which a server tells its endpoints to the program that started it."""

_PRIVATE_DESCRIPTORS = 3


class ServerReady(NamedTuple):
    """What a server tells when it answers calls.

    Attributes:
        plugins: the names of its plugins.
        endpoints: where it answers, by transport, and "admin".
    """

    plugins: list[str]
    endpoints: dict[str, list[str]]

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> ServerReady:
        """What a message says that `message` made."""
        return cls(list(message["plugins"]), dict(message["endpoints"]))

    @property
    def message(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return self._asdict()

    @property
    def lines(self) -> list[str]:
        """The same for people, a line for each endpoint; the client of stdio knows where its server is."""
        served = f"serving {', '.join(self.plugins)} on"
        lines = [f"admin on {endpoint}" for endpoint in self.endpoints.get("admin", [])]
        for transport, found in self.endpoints.items():
            if transport not in ("admin", "stdio"):
                lines += [f"{served} {endpoint}" for endpoint in found]
        return lines


class ReadinessOutput:
    """Tells that a server is ready. Make it before the plugins are loaded.

    A server of HTTP on a free port writes PORT=<n> as its first line, for Docker's MCP gateway, which reads that line
    and never another one: whatever plugins print goes to standard error then, or it would fill the pipe and stop them.
    A server of the Unix socket writes READY, for gateways' tools. With stdio the output belongs to the protocol.

    Args:
        settings: what is served.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._notifier = ReadyNotifier.from_environ(READY_FD_ENV)
        free = "stdio" not in settings.transports
        self._tells_ready = free and "unix" in settings.transports
        http = settings.http
        self._tells_port = free and "http" in settings.transports and http.port == 0 and not http.uds
        self._descriptor = 1
        if self._tells_port:
            # A process may be started without any standard output: then nobody wants the line.
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                self._descriptor = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, _PRIVATE_DESCRIPTORS)
                os.dup2(2, 1)

    def ready(self, server: ServerReady) -> None:
        """Tell that the server answers calls.

        Args:
            server: where it does.
        """
        logger.info("plugsmith-runtime %s, Python %s", __version__, platform.python_version())
        for endpoint in server.endpoints.get("stdio", []):
            logger.info("serving %s on %s", ", ".join(server.plugins), endpoint)
        if self._notifier is None:
            for line in server.lines:
                announce(line)
        words = [f"PORT={urlsplit(server.endpoints['http'][0]).port}"] if self._tells_port else []
        words += ["READY"] if self._tells_ready else []
        if words:
            with contextlib.suppress(OSError):
                os.write(self._descriptor, "".join(f"{word}\n" for word in words).encode())
        if self._notifier is not None:
            self._notifier.send(server.message)
