"""Accepting connections beside other workers, so that each gets its share."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any

from ..net.listeners import Factory
from .connection_counts import Share

logger = logging.getLogger(__name__)

# How long a connection is left to a worker that has fewer, for each that it has fewer, and at most.
_STEP = 0.010
_LONGEST = 0.030
# How often it is looked whether that has changed.
_GLANCE = 0.002
# When there are no more descriptors, or no more memory for a socket.
_PAUSE_AFTER_ERROR = 1.0


class BalancedAcceptor:
    """Accepts connections, and leaves them for a moment to workers that have fewer.

    Connections stay with the process that accepted them, those of a gateway are few, last long and come in a burst.
    Left alone, the first worker to wake up would take them all.

    Args:
        factory: makes the protocol of a connection.
        sock: the listening socket.
        share: what this worker has of all connections.
        tls: the context, None for plain text.
        handshake: seconds that the handshake of TLS may take.
    """

    def __init__(
        self,
        factory: Factory,
        sock: socket.socket,
        share: Share,
        tls: ssl.SSLContext | None,
        handshake: float | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._factory = factory
        self._socket = sock
        self._share = share
        self._secure: dict[str, Any] = {"ssl": tls, "ssl_handshake_timeout": handshake} if tls else {}
        self._adopting: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._least = 0
        self._until = 0.0
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
        self._loop.add_reader(self._socket, self._on_connection)

    def _look_later(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._socket)
        self._timer = self._loop.call_later(seconds, then)

    def _on_connection(self) -> None:
        lead = self._share.lead(len(self._adopting))
        if lead <= 0:
            self._accept()
            return
        self._least = self._share.least()
        self._until = self._loop.time() + min(lead * _STEP, _LONGEST)
        self._look_later(_GLANCE, self._wait)

    def _wait(self) -> None:
        moved = self._share.lead(len(self._adopting)) <= 0 or self._share.least() != self._least
        if not moved and self._loop.time() < self._until:
            self._timer = self._loop.call_later(_GLANCE, self._wait)
            return
        self._look()
        # Nobody else took one: the others are busy, and are not waited for again and again.
        while not moved and self._accept():
            pass

    def _accept(self) -> bool:
        try:
            connection, _ = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            # Another worker was faster, or the client has given up.
            return False
        except OSError as error:
            logger.error("connections cannot be accepted: %s", error.strerror)
            self._look_later(_PAUSE_AFTER_ERROR, self._look)
            return False
        connection.setblocking(False)
        task = self._loop.create_task(self._adopt(connection))
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)
        self._share.lead(len(self._adopting))
        return True

    async def _adopt(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._factory, connection, **self._secure)
        except OSError:
            # The client is gone, or its handshake failed: a matter of its own, as in the event loop's servers.
            connection.close()
