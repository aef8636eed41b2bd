"""The context of a worker, and the channel to its supervisor: lines of JSON, each with a descriptor or without.

Servers without workers import this module too: json comes when it is needed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..net.connections import ConnectionLimiter
from ..net.sockets import SocketProvider

logger = logging.getLogger(__name__)

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


class WorkerContext:
    """This process is one worker of several.

    Args:
        channel: leads to the supervisor.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @classmethod
    def from_environ(cls) -> WorkerContext | None:
        """The context that this process was started with; None when it is no worker."""
        # Taken out of the environment: what a plugin starts is no worker.
        descriptor = os.environ.pop(WORKER_FD_ENV, None)
        if descriptor is None:
            return None
        os.set_inheritable(int(descriptor), False)
        return cls(Channel(socket.socket(fileno=int(descriptor))))

    def listeners(self, connections: ConnectionLimiter) -> SocketProvider:
        """The sockets that all workers share.

        Args:
            connections: this worker's; a new one goes to the worker that has the fewest.

        Raises:
            StartError: the supervisor is gone.
        """
        from .shared_sockets import SharedSocketProvider

        return SharedSocketProvider(self._channel, int(os.environ[WORKER_ID_ENV]), connections)

    def ready(self, message: dict[str, Any]) -> None:
        """Tell that this worker answers calls.

        Args:
            message: what the supervisor tells of it.
        """
        # Without a supervisor nobody wants to know, and `watch` sees to the rest.
        with suppress(OSError):
            self._channel.send({"ready": message})

    def watch(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None], grace: float) -> None:
        """Look after the supervisor from a thread, since the event loop may be blocked.

        Args:
            loop: the event loop.
            stop: called in the loop when the supervisor is gone.
            grace: seconds that calls in flight get then; some seconds later this process ends, whatever it is doing.
        """

        def look() -> None:
            poll = select.poll()
            # No event is asked for: the end of the other side is always reported.
            poll.register(self._channel.fileno(), 0)
            poll.poll()
            logger.error("%s; stopping", SUPERVISOR_GONE)
            # The loop may be closed: then this process is ending already.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(stop)
            threading.Event().wait(grace + KILL_AFTER_GRACE_SECONDS)
            os._exit(1)

        threading.Thread(target=look, name="supervisor-watch", daemon=True).start()
