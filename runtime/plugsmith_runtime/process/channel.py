"""What a supervisor and a worker say to each other: lines of JSON, each with a descriptor or without."""

from __future__ import annotations

import json
import socket
from typing import Any

_PIECE = 65536


class Channel:
    """One end of the pair of sockets between the supervisor and a worker.

    Args:
        sock: the end, in blocking mode.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._received = b""

    def fileno(self) -> int:
        """The descriptor of this end."""
        return self._socket.fileno()

    def send(self, message: dict[str, Any], descriptor: int | None = None) -> None:
        """Send a message; OSError when the other end is gone."""
        line = json.dumps(message).encode() + b"\n"
        socket.send_fds(self._socket, [line], [] if descriptor is None else [descriptor])

    def receive(self) -> tuple[list[dict[str, Any]], int | None]:
        """Wait for bytes.

        Returns:
            The messages that are complete now, and the descriptor that came with them.

        Raises:
            EOFError: the other end is gone.
        """
        try:
            piece, descriptors, _, _ = socket.recv_fds(self._socket, _PIECE, 1)
        except ConnectionError:
            piece, descriptors = b"", []
        if not piece:
            raise EOFError("the other end of the channel is gone")
        *lines, self._received = (self._received + piece).split(b"\n")
        return [json.loads(line) for line in lines], descriptors[0] if descriptors else None

    def close(self) -> None:
        """Close this end."""
        self._socket.close()
