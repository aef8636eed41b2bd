"""Listening sockets that a worker shares with the others."""

from __future__ import annotations

import os
import socket
import ssl
from typing import Any

from ..errors import StartError
from ..net.connections import Connections
from ..net.listeners import Accepting, Factory, Listeners
from .balancer import TakingTurns
from .channel import Channel
from .connection_counts import Loads, Share
from .names import GONE


class SharedListeners(Listeners):
    """Asks the supervisor for sockets; their files are the supervisor's too.

    Args:
        channel: leads to the supervisor.
        number: the number of this worker.
        connections: its connections.

    Raises:
        StartError: the supervisor is gone.
    """

    def __init__(self, channel: Channel, number: int, connections: Connections) -> None:
        self._channel = channel
        descriptor = self._ask(kind="loads")
        self._share = Share(Loads(descriptor), number, connections)
        os.close(descriptor)

    def tcp(self, name: str, host: str, port: int, setting: str) -> socket.socket:
        """See Listeners."""
        return _socket(self._ask(kind="tcp", name=name, host=host, port=port, setting=setting))

    def unix(self, name: str, path: str, setting: str) -> socket.socket:
        """See Listeners."""
        return _socket(self._ask(kind="unix", name=name, path=path, setting=setting))

    async def serve(
        self,
        factory: Factory,
        sock: socket.socket,
        tls: ssl.SSLContext | None = None,
        handshake: float | None = None,
    ) -> Accepting:
        """See Listeners."""
        return TakingTurns(factory, sock, self._share, tls, handshake)

    def remove(self, path: str) -> None:
        """See Listeners: the other workers go on using the file."""

    def _ask(self, **question: Any) -> int:
        try:
            self._channel.send({"ask": question})
            answers, descriptor = self._channel.receive()
            while not answers:
                answers, _ = self._channel.receive()
        except (OSError, EOFError) as problem:
            raise StartError(GONE) from problem
        if descriptor is None:
            raise StartError(answers[0]["error"])
        return descriptor


def _socket(descriptor: int) -> socket.socket:
    sock = socket.socket(fileno=descriptor)
    sock.setblocking(False)
    return sock
