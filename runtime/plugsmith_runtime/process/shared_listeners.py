"""Listening sockets that a worker shares with the others."""

from __future__ import annotations

import os
import socket
import ssl
from typing import Any

from ..errors import StartError
from ..net.connections import ConnectionLimiter
from ..net.listeners import Acceptor, Factory, SocketProvider
from .balancer import BalancedAcceptor
from .channel import Channel
from .connection_counts import ConnectionCounts, Share
from .names import GONE


class SharedSocketProvider(SocketProvider):
    """Asks the supervisor for sockets; their files are the supervisor's too.

    Args:
        channel: leads to the supervisor.
        number: the number of this worker.
        connections: its connections.

    Raises:
        StartError: the supervisor is gone.
    """

    def __init__(self, channel: Channel, number: int, connections: ConnectionLimiter) -> None:
        self._channel = channel
        descriptor = self._ask(kind="loads")
        self._share = Share(ConnectionCounts(descriptor), number, connections)
        os.close(descriptor)

    def tcp(self, name: str, host: str, port: int, setting: str) -> socket.socket:
        """See SocketProvider."""
        return _socket(self._ask(kind="tcp", name=name, host=host, port=port, setting=setting))

    def unix(self, name: str, path: str, setting: str) -> socket.socket:
        """See SocketProvider."""
        return _socket(self._ask(kind="unix", name=name, path=path, setting=setting))

    async def serve(
        self,
        factory: Factory,
        sock: socket.socket,
        tls: ssl.SSLContext | None = None,
        handshake: float | None = None,
    ) -> Acceptor:
        """See SocketProvider."""
        return BalancedAcceptor(factory, sock, self._share, tls, handshake)

    def remove(self, path: str) -> None:
        """See SocketProvider: the other workers go on using the file."""

    def _ask(self, **question: Any) -> int:
        try:
            self._channel.send({"ask": question})
            answers, descriptor = self._channel.receive()
            while not answers:
                answers, _ = self._channel.receive()
        except (OSError, EOFError) as error:
            raise StartError(GONE) from error
        if descriptor is None:
            raise StartError(answers[0]["error"])
        return descriptor


def _socket(descriptor: int) -> socket.socket:
    sock = socket.socket(fileno=descriptor)
    sock.setblocking(False)
    return sock
