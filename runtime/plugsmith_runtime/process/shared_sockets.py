"""The listening sockets of all workers. They outlive each of them, so that no connection is refused meanwhile."""

from __future__ import annotations

import socket
from typing import Any

from ..net.sockets import bind_tcp, bind_unix, remove_unix_path
from .connection_counts import ConnectionCounts


class SharedSockets:
    """Opens a socket when the first worker asks for it, and has the same one for all who ask later.

    Attributes:
        loads: how many connections each worker has.
    """

    def __init__(self) -> None:
        self.loads = ConnectionCounts()
        self._sockets: dict[tuple[str, str], socket.socket] = {}
        self._paths: list[str] = []

    def get(self, kind: str, name: str = "", setting: str = "", **place: Any) -> int:
        """The descriptor of a socket.

        Args:
            kind: "tcp" or "unix"; "loads" for the file of `loads`.
            name: who asks, for example "http".
            setting: how a person chooses another place, for the error's text.
            place: `host` and `port`, or `path`. A worker that reads another one later, in a file that has changed, gets
                the socket of the others.

        Raises:
            StartError: the place cannot be used.
        """
        if kind == "loads":
            return self.loads.fileno()
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
        self.loads.close()
