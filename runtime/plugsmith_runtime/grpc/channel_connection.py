"""Connection of a channel: opened when it is needed, shared by all calls, and replaced when it is used up."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..http2.client import ClientConnection, ClientOptions
from ..http2.stream import StreamResetError


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelOptions:
    """Options of a channel.

    Attributes:
        connect_timeout: seconds that a connection may take, the TLS handshake and the server's settings included.
        max_message_bytes: the largest message that is read.
        authority: what calls say as the server's name; None for the target's host and port.
        server_hostname: the name that the server's certificate must hold, if it is not the target's host.
        compress: whether messages are sent compressed (gzip). Compressed answers are read in any case.
        reconnect: whether a call opens a new connection when the former is gone; otherwise it fails.
        connection: windows, keepalive and limits of each connection.
    """

    connect_timeout: float = 20.0
    max_message_bytes: int = 4 << 20
    authority: str | None = None
    server_hostname: str | None = None
    compress: bool = False
    reconnect: bool = True
    connection: ClientOptions = field(default_factory=ClientOptions)


class ChannelConnection:
    """The one connection to a target that takes calls; former ones end when their calls have ended.

    Args:
        target: see Channel.
        tls: see Channel.
        options: see Channel.

    Raises:
        ValueError: the target is none.
    """

    def __init__(self, target: str, tls: ssl.SSLContext | None, options: ChannelOptions) -> None:
        self._path, self._host, self._port = _split(target)
        self._tls = tls
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._connection: ClientConnection | None = None
        self._connecting: asyncio.Task[ClientConnection] | None = None
        self._closed = False

    @property
    def current(self) -> ClientConnection | None:
        """The connection, if it takes calls, as far as is known without asking the server."""
        connection = self._connection
        return connection if connection is not None and connection.usable else None

    async def get(self) -> ClientConnection:
        """The connection, opened if need be.

        Raises:
            OSError: nobody listens there, TLS failed, or it is no HTTP/2 server.
            StreamResetError: the channel is closed, or is not to connect again.
        """
        if self.current is not None:
            return self.current
        if self._connection is not None and not self._options.reconnect:
            raise StreamResetError("the connection was closed before the call could be sent", processed=False)
        if self._closed:
            raise StreamResetError("the channel is closed", processed=False)
        if self._connecting is None:
            self._connecting = self._loop.create_task(self._connect())
            self._connecting.add_done_callback(self._on_connected)
        # A call that is cancelled leaves the attempt to the others.
        return await asyncio.shield(self._connecting)

    def close(self) -> None:
        """Close the connection for good; calls in flight fail unless the server drains it."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        if self.current is not None:
            self.current.close()
        elif self._connection is not None:
            self._connection.drain()

    async def _connect(self) -> ClientConnection:
        options = self._options
        try:
            async with asyncio.timeout(options.connect_timeout):
                if self._path is not None:
                    connection = await ClientConnection.connect_unix(self._path, options.connection)
                else:
                    connection = await ClientConnection.connect_tcp(
                        self._host, self._port, options.connection, self._tls, options.server_hostname
                    )
        except TimeoutError:
            raise TimeoutError(f"no connection within {options.connect_timeout:g} s") from None
        if self._connection is not None:
            self._connection.drain()
        self._connection = connection
        return connection

    def _on_connected(self, task: asyncio.Task[ClientConnection]) -> None:
        self._connecting = None
        if not task.cancelled():
            task.exception()  # every caller has it; when all were cancelled nobody misses it


def _split(target: str) -> tuple[str | None, str, int]:
    """The path of a Unix socket, or host and port."""
    if target.startswith("unix:"):
        return "/" + target.removeprefix("unix:").lstrip("/") if target.startswith("unix:/") else target[5:], "", 0
    parts = urlsplit(f"//{target}")
    if not parts.hostname or parts.port is None or parts.path:
        raise ValueError(f"{target!r} is no target: write host:port, [address]:port or unix:path")
    return None, parts.hostname, parts.port
