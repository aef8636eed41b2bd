"""Where the listening sockets come from: this process opens them itself, workers are given theirs."""

from __future__ import annotations

import socket

from .sockets import bind_tcp, bind_unix, claim_unix_path, remove_unix_path


class Listeners:
    """Opens listening sockets.

    Attributes:
        shared: whether other processes listen on the same sockets.
    """

    shared = False

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

    def reserve(self, name: str, host: str, port: int, setting: str) -> int:
        """Check a TCP port that the asker binds itself, with SO_REUSEPORT when the listeners are shared.

        Args:
            name: who asks.
            host: address or name.
            port: port, 0 for any free one.
            setting: how a person chooses another port, for the error's text.

        Returns:
            The port to bind: 0 may become a real one, the same for all who share it.

        Raises:
            StartError: the address cannot be listened on.
        """
        if port:
            bind_tcp(host, port, setting).close()
        return port

    def claim(self, path: str, setting: str) -> None:
        """Make way for a Unix socket that somebody else binds; errors as in `unix`."""
        claim_unix_path(path, setting)

    def remove(self, path: str) -> None:
        """Remove a Unix socket's file when its server stops."""
        remove_unix_path(path)
