"""Providers of listening sockets: a process that stands alone opens its own; workers have another provider."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

from .sockets import LISTEN_BACKLOG, bind_tcp, bind_unix, remove_unix_path

Factory = Callable[[], asyncio.BaseProtocol]
"""Makes the protocol of a new connection."""


class Acceptor(Protocol):
    """Accepts connections until it is closed; a server of asyncio is one."""

    def close(self) -> None:
        """Accept no more, and close the listening socket."""

    async def wait_closed(self) -> None:
        """Wait until it is closed."""


class SocketProvider:
    """Opens listening sockets and accepts connections on them."""

    def tcp(self, name: str, host: str, port: int, setting: str) -> socket.socket:
        """Open a TCP socket.

        Args:
            name: who asks: "http", "grpc" or "admin".
            host: address or name.
            port: port, 0 for any free one.
            setting: how a person chooses another port, for the error's text.

        Raises:
            StartError: the address cannot be listened on.
        """
        return bind_tcp(host, port, setting)

    def unix(self, name: str, path: str, setting: str) -> socket.socket:
        """Open a Unix socket.

        Args:
            name: who asks: "http", "grpc" or "unix".
            path: where the socket will be.
            setting: how a person chooses another path, for the error's text.

        Raises:
            StartError: the path cannot be used.
        """
        return bind_unix(path, setting)

    async def serve(
        self,
        factory: Factory,
        sock: socket.socket,
        tls: ssl.SSLContext | None = None,
        handshake: float | None = None,
    ) -> Acceptor:
        """Accept connections.

        Args:
            factory: makes the protocol of a connection.
            sock: the listening socket; closing the server closes it.
            tls: the context, None for plain text.
            handshake: seconds that the handshake of TLS may take.
        """
        loop = asyncio.get_running_loop()
        # The event loop's own number of connections that may wait is smaller, and a Unix socket refuses the others.
        if sock.family == socket.AF_UNIX:
            return await loop.create_unix_server(factory, sock=sock, backlog=LISTEN_BACKLOG)
        limit = handshake if tls else None
        return await loop.create_server(
            factory, sock=sock, ssl=tls, ssl_handshake_timeout=limit, backlog=LISTEN_BACKLOG
        )

    def remove(self, path: str) -> None:
        """Remove a Unix socket's file when its server stops."""
        remove_unix_path(path)
