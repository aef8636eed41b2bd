"""Connections: who may open them, how many there may be, how they write, and their graceful end."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ..errors import StartError

if TYPE_CHECKING:
    from .sockets import Acceptor

logger = logging.getLogger(__name__)

# Rounds of the event loop in which what lies in the sockets already is read.
_READ_ROUNDS = 2
_MAX_PENDING_BYTES = 64 * 1024

_UCRED = struct.Struct("3i")  # pid, uid, gid


class AllowedUsers:
    """The users who may connect to a Unix socket, as the kernel knows them (SO_PEERCRED).

    Args:
        uids: their ids; empty for all whom the file's mode lets in.
        setting: the setting that names them, for people.

    Raises:
        StartError: users are named, but the system does not say who connects.
    """

    def __init__(self, uids: Collection[int] = (), setting: str = "") -> None:
        if uids and not hasattr(socket, "SO_PEERCRED"):
            raise StartError(f"{setting}: this system does not tell who connects (SO_PEERCRED); leave it out")
        self._uids = uids
        self.setting = setting

    def admits(self, transport: asyncio.BaseTransport) -> bool:
        """Whether the user behind a connection may call; one who may not is logged.

        Args:
            transport: the connection, on a Unix socket.
        """
        if not self._uids:
            return True
        uid = peer_uid(transport.get_extra_info("socket"))
        if uid in self._uids:
            return True
        logger.warning("a connection of user %d is refused: not in %s", uid, self.setting)
        return False


def peer_uid(sock: socket.socket) -> int:
    """The id of the user whose process connected a Unix socket."""
    data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    uid: int = _UCRED.unpack(data)[1]
    return uid


class ConnectionLimiter:
    """A limit on the number of connections of each transport in this process.

    Args:
        limit: connections that one transport may have.
        setting: the setting that holds the limit, for people; empty when there is none.

    Attributes:
        counts: open connections by the name of the transport.
    """

    def __init__(self, limit: int, setting: str = "") -> None:
        self._limit = limit
        self._hint = f" ({setting})" if setting else ""
        self.counts: dict[str, int] = {}
        self._subscribers: list[Callable[[], None]] = []
        self._full: set[str] = set()

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Have a function called whenever `counts` has changed."""
        self._subscribers.append(callback)

    def acquire(self, transport: str) -> bool:
        """Count a new connection; False when there are too many, and it must be closed without `release`."""
        count = self.counts.get(transport, 0)
        if count >= self._limit:
            if transport not in self._full:
                self._full.add(transport)
                text = "%s: %d connections are open, further ones are refused%s"
                logger.warning(text, transport, count, self._hint)
            return False
        self.counts[transport] = count + 1
        self._changed()
        return True

    def release(self, transport: str) -> None:
        """Count a connection no more: it is closed."""
        self.counts[transport] -= 1
        self._full.discard(transport)
        self._changed()

    @property
    def refusal(self) -> str:
        """What a client is told whose connection is too many."""
        return f"{self._limit} connections are open{self._hint}; try again later"

    def _changed(self) -> None:
        for callback in self._subscribers:
            callback()


class CoalescingWriter:
    """A writer that collects what is written until the end of the event loop's turn, or until it is much.

    Each write of a transport is a system call, and wakes the other side.

    Args:
        transport: where it then goes; not written to once it is closing.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._pending: list[bytes] = []
        self._pending_bytes = 0

    def write(self, data: bytes, more: bool = True) -> None:
        """Write, soon or now.

        Args:
            data: what is written.
            more: whether more may follow in this turn of the loop; if not, all goes out now.
        """
        if not self._pending:
            if not more:
                if not self._transport.is_closing():
                    self._transport.write(data)
                return
            self._loop.call_soon(self.flush)
        self._pending.append(data)
        self._pending_bytes += len(data)
        if not more or self._pending_bytes > _MAX_PENDING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write now what was collected."""
        if self._pending:
            data = b"".join(self._pending)
            self._pending.clear()
            self._pending_bytes = 0
            if not self._transport.is_closing():
                self._transport.write(data)


class Connection(Protocol):
    """A connection that can end gracefully or at once."""

    def drain(self) -> None:
        """Take no further request, and close when those in flight are answered."""

    def abort(self) -> None:
        """Close at once."""


C = TypeVar("C", bound=Connection)


class ConnectionSet(Generic[C]):
    """The open connections of one server.

    Args:
        name: the transport's name, for the log.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: set[C] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def add(self, connection: C) -> None:
        """Add a connection that is open."""
        self._open.add(connection)
        self._empty.clear()

    def discard(self, connection: C) -> None:
        """Remove a connection that is closed, if it is there."""
        self._open.discard(connection)
        if not self._open:
            self._empty.set()

    def __iter__(self) -> Iterator[C]:
        # A copy: connections close while they are walked.
        return iter(list(self._open))

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, connection: object) -> bool:
        return connection in self._open

    async def drain(
        self, acceptors: Iterable[Acceptor], grace_seconds: float, begin: Callable[[], None] | None = None
    ) -> None:
        """Shut down gracefully: accept no more, wait for requests in flight, then cut off what is left.

        Args:
            acceptors: what accepts the server's connections.
            grace_seconds: how long requests in flight may take.
            begin: called instead of `drain` of each connection.
        """
        for acceptor in acceptors:
            acceptor.close()
        # Requests that lie in the sockets already count as in flight.
        for _ in range(_READ_ROUNDS):
            await asyncio.sleep(0)
        if begin is not None:
            begin()
        else:
            for connection in self:
                connection.drain()
        # No wait where there is nothing to wait for: a grace period of 0 is over before anything is looked at.
        if not self._open:
            return
        try:
            async with asyncio.timeout(grace_seconds):
                await self._empty.wait()
        except TimeoutError:
            logger.warning("%s: %d connections are cut off after %g s", self._name, len(self), grace_seconds)
            for connection in self:
                connection.abort()
            # Their end is told in the loop's next round.
            await asyncio.sleep(0)
