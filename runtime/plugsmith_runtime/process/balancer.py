"""Balanced accepting: workers leave new connections to those that have fewer, whose counts stand in shared memory."""

from __future__ import annotations

import asyncio
import logging
import mmap
import os
import socket
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..net.connections import ConnectionLimiter
from ..net.sockets import ProtocolFactory

if TYPE_CHECKING:
    import ssl

logger = logging.getLogger(__name__)

_MAX_WORKERS = 1024
_COUNT_BYTES = 4
_NO_WORKER = (1 << 32) - 1
# How long a connection is left to a worker that has fewer, for each that it has fewer, and at most.
_WAIT_SECONDS_PER_CONNECTION = 0.010
_MAX_WAIT_SECONDS = 0.030
# How often it is looked whether that has changed.
_POLL_SECONDS = 0.002
# When there are no more descriptors, or no more memory for a socket.
_PAUSE_AFTER_ERROR_SECONDS = 1.0


class ConnectionCounts:
    """The open connections of each worker, in memory that all of them share; a worker writes only its own.

    Args:
        descriptor: the file of another `ConnectionCounts` to share; a new one that is gone at the end when None.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._own = -1
        if descriptor is None:
            self._own, path = tempfile.mkstemp()
            os.unlink(path)
            os.write(self._own, _NO_WORKER.to_bytes(_COUNT_BYTES, "big") * _MAX_WORKERS)
            descriptor = self._own
        # Single numbers are read and written whole: nobody sees half of one.
        self._counts = memoryview(mmap.mmap(descriptor, _MAX_WORKERS * _COUNT_BYTES)).cast("I")

    def fileno(self) -> int:
        """The descriptor of the file, in the process that made it."""
        return self._own

    def close(self) -> None:
        """Close the file; whoever shares it keeps it."""
        if self._own >= 0:
            os.close(self._own)
            self._own = -1

    def publish(self, number: int, count: int) -> None:
        """Write how many connections a worker has."""
        if number <= _MAX_WORKERS:
            self._counts[number - 1] = min(count, _NO_WORKER - 1)

    def remove(self, number: int) -> None:
        """Remove a worker that has ended: no other one shall wait for it."""
        if number <= _MAX_WORKERS:
            self._counts[number - 1] = _NO_WORKER

    def minimum(self) -> int:
        """The connections of the worker that has the fewest."""
        return min(self._counts)


class WorkerLoad:
    """The connections of one worker beside those of the others.

    Args:
        counts: what each worker has.
        number: the number of this one.
        connections: its connections.
    """

    def __init__(self, counts: ConnectionCounts, number: int, connections: ConnectionLimiter) -> None:
        self._counts = counts
        self._number = number
        self._connections = connections
        connections.subscribe(self._publish)
        self._publish()

    def excess(self, coming: int) -> int:
        """How many connections more this worker has than the one with the fewest.

        Args:
            coming: accepted ones that are not among its connections yet.
        """
        count = sum(self._connections.counts.values()) + coming
        self._counts.publish(self._number, count)
        return count - self._counts.minimum()

    def minimum(self) -> int:
        """The connections of the worker that has the fewest."""
        return self._counts.minimum()

    def _publish(self) -> None:
        self.excess(0)


class BalancedAcceptor:
    """Accepts connections, and leaves them for a moment to workers that have fewer.

    Connections stay with the process that accepted them, those of a gateway are few, last long and come in a burst.
    Left alone, the first worker to wake up would take them all.

    Args:
        factory: makes the protocol of a connection.
        sock: the listening socket.
        load: the connections of this worker, beside those of the others.
        tls: the context, None for plain text.
        handshake: seconds that the handshake of TLS may take.
    """

    def __init__(
        self,
        factory: ProtocolFactory,
        sock: socket.socket,
        load: WorkerLoad,
        tls: ssl.SSLContext | None,
        handshake: float | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._factory = factory
        self._socket = sock
        self._load = load
        self._secure: dict[str, Any] = {"ssl": tls, "ssl_handshake_timeout": handshake} if tls else {}
        self._adopting: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._minimum = 0
        self._wait_until = 0.0
        self._watch()

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

    def _watch(self) -> None:
        self._timer = None
        self._loop.add_reader(self._socket, self._on_connection)

    def _pause(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._socket)
        self._timer = self._loop.call_later(seconds, then)

    def _on_connection(self) -> None:
        excess = self._load.excess(len(self._adopting))
        if excess <= 0:
            self._accept()
            return
        self._minimum = self._load.minimum()
        self._wait_until = self._loop.time() + min(excess * _WAIT_SECONDS_PER_CONNECTION, _MAX_WAIT_SECONDS)
        self._pause(_POLL_SECONDS, self._wait)

    def _wait(self) -> None:
        moved = self._load.excess(len(self._adopting)) <= 0 or self._load.minimum() != self._minimum
        if not moved and self._loop.time() < self._wait_until:
            self._timer = self._loop.call_later(_POLL_SECONDS, self._wait)
            return
        self._watch()
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
            self._pause(_PAUSE_AFTER_ERROR_SECONDS, self._watch)
            return False
        connection.setblocking(False)
        task = self._loop.create_task(self._adopt(connection))
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)
        self._load.excess(len(self._adopting))
        return True

    async def _adopt(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._factory, connection, **self._secure)
        except OSError:
            # The client is gone, or its handshake failed: a matter of its own, as in the event loop's servers.
            connection.close()
