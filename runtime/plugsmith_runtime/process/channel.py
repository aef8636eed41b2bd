"""The channel between a supervisor and a worker: lines of JSON, each with a descriptor or without.

Servers without workers import this module too: json comes when it is needed.
"""

from __future__ import annotations

import socket
from typing import Any

WORKER_FD_ENV = "PLUGINS_WORKER_CHANNEL"
"""The environment variable that tells a worker the descriptor of its channel; for nobody else."""

WORKER_ID_ENV = "PLUGINS_WORKER"
"""The environment variable that tells a worker its number, from 1 on; the one that replaces it has the same."""

KILL_AFTER_GRACE_SECONDS = 10.0
"""What a process gets beyond the grace period of calls in flight, for what else it has to end."""

SUPERVISOR_GONE = "the supervisor of this worker is gone"

_CHUNK_BYTES = 65536


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
        import json

        line = json.dumps(message).encode() + b"\n"
        socket.send_fds(self._socket, [line], [] if descriptor is None else [descriptor])

    def receive(self) -> tuple[list[dict[str, Any]], int | None]:
        """Wait for bytes.

        Returns:
            The messages that are complete now, and the descriptor that came with them.

        Raises:
            EOFError: the other end is gone.
        """
        import json

        try:
            chunk, descriptors, _, _ = socket.recv_fds(self._socket, _CHUNK_BYTES, 1)
        except ConnectionError:
            chunk, descriptors = b"", []
        if not chunk:
            raise EOFError("the other end of the channel is gone")
        *lines, self._received = (self._received + chunk).split(b"\n")
        return [json.loads(line) for line in lines], descriptors[0] if descriptors else None

    def close(self) -> None:
        """Close this end."""
        self._socket.close()
