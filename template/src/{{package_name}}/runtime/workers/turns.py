"""Accepting connections beside other workers."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from typing import Any

from ..listeners import Factory

logger = logging.getLogger(__name__)

# Long enough for another process to wake up, short enough for a thousand connections a second.
_PAUSE = 0.001
# When there are no more descriptors, or no more memory for a socket.
_PAUSE_AFTER_ERROR = 1.0


class TakingTurns(asyncio.AbstractServer):
    """Accepts one connection at a time, and leaves the next one to the other workers for a moment.

    Connections stay with the process that accepted them, and the ones of a gateway come in a burst and last. Without
    the pause, the first worker to wake up takes them all.

    Args:
        factory: makes the protocol of a connection.
        sock: the listening socket.
        tls: the context, None for plain text.
        handshake: seconds that the handshake of TLS may take.
    """

    def __init__(
        self, factory: Factory, sock: socket.socket, tls: ssl.SSLContext | None, handshake: float | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._factory = factory
        self._socket = sock
        self._secure: dict[str, Any] = {"ssl": tls, "ssl_handshake_timeout": handshake} if tls else {}
        self._adopting: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._look()

    def close(self) -> None:
        """Accept no more; it may be said twice."""
        if self._socket.fileno() < 0:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    async def wait_closed(self) -> None:
        """Wait until connections that were just accepted have their protocol, or have failed."""
        await asyncio.gather(*self._adopting)

    def _look(self) -> None:
        self._timer = None
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        pause = _PAUSE
        try:
            connection, _ = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            # Another worker was faster, or the client has given up.
            return
        except OSError as problem:
            logger.error("connections cannot be accepted: %s", problem.strerror)
            pause = _PAUSE_AFTER_ERROR
        else:
            connection.setblocking(False)
            task = self._loop.create_task(self._adopt(connection))
            self._adopting.add(task)
            task.add_done_callback(self._adopting.discard)
        self._loop.remove_reader(self._socket)
        self._timer = self._loop.call_later(pause, self._look)

    async def _adopt(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._factory, connection, **self._secure)
        except OSError:
            # The client is gone, or its handshake failed: a matter of its own, as in the event loop's servers.
            connection.close()
