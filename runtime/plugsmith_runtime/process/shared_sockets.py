"""Listening sockets that all workers of a server share: the supervisor opens them, workers ask for them."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from ..errors import StartError
from ..net.connections import ConnectionLimiter
from ..net.sockets import Acceptor, ProtocolFactory, SocketProvider, bind_tcp, bind_unix, remove_unix_path
from .balancer import BalancedAcceptor, ConnectionCounts, WorkerLoad
from .channel import SUPERVISOR_GONE, Channel

if TYPE_CHECKING:
    import ssl


class SharedSockets:
    """The supervisor's side: opens a socket when the first worker asks for it, and has the same one for all others.

    The sockets outlive each worker, so that no connection is refused meanwhile.

    Attributes:
        counts: how many connections each worker has.
    """

    def __init__(self) -> None:
        self.counts = ConnectionCounts()
        self._sockets: dict[tuple[str, str], socket.socket] = {}
        self._paths: list[str] = []

    def get(self, kind: str, name: str = "", setting: str = "", **place: Any) -> int:
        """The descriptor of a socket.

        Args:
            kind: "tcp" or "unix"; "counts" for the file of `counts`.
            name: who asks, for example "http".
            setting: how a person chooses another place, for the error's text.
            place: `host` and `port`, or `path`. A worker that reads another one later, in a file that has changed, gets
                the socket of the others.

        Raises:
            StartError: the place cannot be used.
        """
        if kind == "counts":
            return self.counts.fileno()
        key = kind, name
        if key not in self._sockets:
            if kind == "unix":
                self._sockets[key] = bind_unix(place["path"], setting)
                self._paths.append(place["path"])
            else:
                self._sockets[key] = bind_tcp(place["host"], place["port"], setting)
        return self._sockets[key].fileno()

    def close(self) -> None:
        """Give the places back."""
        # The files go first: once a socket is closed, a new server may have put its own there.
        while self._paths:
            remove_unix_path(self._paths.pop())
        while self._sockets:
            self._sockets.popitem()[1].close()
        self.counts.close()


class SharedSocketProvider(SocketProvider):
    """The worker's side: asks the supervisor for sockets, whose files are the supervisor's too.

    Args:
        channel: leads to the supervisor.
        number: the number of this worker.
        connections: its connections.

    Raises:
        StartError: the supervisor is gone.
    """

    def __init__(self, channel: Channel, number: int, connections: ConnectionLimiter) -> None:
        self._channel = channel
        descriptor = self._ask(kind="counts")
        self._load = WorkerLoad(ConnectionCounts(descriptor), number, connections)
        os.close(descriptor)

    def tcp(self, name: str, host: str, port: int, setting: str) -> socket.socket:
        """See SocketProvider."""
        return _socket(self._ask(kind="tcp", name=name, host=host, port=port, setting=setting))

    def unix(self, name: str, path: str, setting: str) -> socket.socket:
        """See SocketProvider."""
        return _socket(self._ask(kind="unix", name=name, path=path, setting=setting))

    async def serve(
        self,
        factory: ProtocolFactory,
        sock: socket.socket,
        tls: ssl.SSLContext | None = None,
        handshake: float | None = None,
    ) -> Acceptor:
        """See SocketProvider."""
        return BalancedAcceptor(factory, sock, self._load, tls, handshake)

    def remove(self, path: str) -> None:
        """See SocketProvider: the other workers go on using the file."""

    def _ask(self, **question: Any) -> int:
        try:
            self._channel.send({"ask": question})
            answers, descriptor = self._channel.receive()
            while not answers:
                answers, _ = self._channel.receive()
        except (OSError, EOFError) as error:
            raise StartError(SUPERVISOR_GONE) from error
        if descriptor is None:
            raise StartError(answers[0]["error"])
        return descriptor


def _socket(descriptor: int) -> socket.socket:
    sock = socket.socket(fileno=descriptor)
    sock.setblocking(False)
    return sock
