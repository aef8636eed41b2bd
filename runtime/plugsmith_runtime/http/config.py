"""Server configuration, and the state that the connections of a server share."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Literal

from ..net.connections import AllowedUsers, ConnectionLimiter


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """Limits of an HTTP server.

    Attributes:
        limiter: counts the connections.
        users: who may connect to a Unix socket.
        header_bytes: the largest header section of a request, and the largest trailer section.
        read_timeout: seconds in which the headers of a request must arrive, and then its body.
        idle_timeout: seconds without a request, or without progress of a response, that end a connection.
        root_path: the path at which the application is mounted, as in the ASGI scope.
        lifespan: whether the application has the ASGI lifespan protocol; "auto" finds out.
        header_bytes_setting: the name of that limit's setting, for errors; empty when there is none.
        read_timeout_setting: the same for that limit.
    """

    limiter: ConnectionLimiter
    users: AllowedUsers = field(default_factory=AllowedUsers)
    header_bytes: int = 32_768
    read_timeout: float = 30.0
    idle_timeout: float = 300.0
    root_path: str = ""
    lifespan: Literal["auto", "on", "off"] = "auto"
    header_bytes_setting: str = ""
    read_timeout_setting: str = ""


class ServerState:
    """What the connections of a server share.

    Attributes:
        tasks: the requests that the application works on.
        date_line: the Date header of responses, as a line.
        lifespan_state: copied into the scope of each request.
    """

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self.lifespan_state: dict[str, Any] = {}
        self.update_date()

    def update_date(self) -> None:
        """Set the Date header to the current second."""
        self.date_line = b"date: %b\r\n" % formatdate(time.time(), usegmt=True).encode()
