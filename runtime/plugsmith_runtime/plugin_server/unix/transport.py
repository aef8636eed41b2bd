"""The listening Unix socket and the connections that it accepted."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ...codec.plugin_service import check_configs
from ...net.loop_stall import LoopStallMonitor
from ...net.peer_credentials import AllowedUsers
from ...unix_stream.connection import Connection, Limits
from ...unix_stream.length_prefix import MAX_FRAME
from ...unix_stream.negotiation import ProtocolNegotiation
from ...unix_stream.v1 import SerialConnection
from .v1 import SerialAnswers

if TYPE_CHECKING:
    from ...host.host import Host
    from ...net.listeners import Acceptor, SocketProvider
    from ..settings import ServerSettings

logger = logging.getLogger(__name__)

_NAME = "unix"
_SETTING = "choose another path with --socket or PLUGINS_UNIX_SOCKET_PATH"
# Gateways wait for 30 s and hooks get 25: what is left, less one second for the way back.
_SLACK = 4.0
# Calls in flight on one connection of version 2; a gateway that wants more opens another one.
_CALLS = 256


class UnixTransport:
    """Serves the host on a length-prefixed Unix socket, in both versions of the protocol.

    Args:
        host: answers the calls.
        settings: where to listen, and the limits.
        listeners: opens the socket.
    """

    finished: asyncio.Event | None = None

    def __init__(self, host: Host, settings: ServerSettings, listeners: SocketProvider) -> None:
        self._listeners = listeners
        self._host = host
        self._path = settings.unix.path
        self._users = AllowedUsers(settings.limits.uids, "PLUGINS_ALLOWED_UIDS")
        self._limits = Limits(
            frame=min(settings.limits.message_bytes, MAX_FRAME),
            late=host.longest_timeout + _SLACK,
            idle=settings.limits.idle,
            read_time=settings.limits.read_time,
            calls=_CALLS,
        )
        self._serial = SerialAnswers(host)
        self._connections: set[Connection] = set()
        self._all_lost = asyncio.Event()
        self._server: Acceptor
        self._clock: LoopStallMonitor

    async def start(self) -> list[str]:
        """Listen.

        Raises:
            StartError: the path cannot be used, a plugin's configuration cannot travel, or users cannot be told apart.
        """
        check_configs(self._host.plugin_configs())
        sock = self._listeners.unix(_NAME, self._path, _SETTING)
        self._clock = LoopStallMonitor(self._close_overdue)
        self._server = await self._listeners.serve(self._accept, sock)
        return [f"unix://{self._path}"]

    async def stop(self, grace: float) -> None:
        """Accept no more, let calls in flight finish, close.

        Args:
            grace: seconds that calls in flight get.
        """
        # The file goes first: once the socket is closed, a new server may have put its own there.
        self._listeners.remove(self._path)
        self._server.close()
        # Requests that lie in the sockets already count as in flight: give the loop a round to read them.
        for _ in range(2):
            await asyncio.sleep(0)
        for connection in list(self._connections):
            connection.drain()
        try:
            async with asyncio.timeout(grace):
                while self._connections:
                    self._all_lost.clear()
                    await self._all_lost.wait()
        except TimeoutError:
            logger.warning("unix: %d connections are cut off after %g s", len(self._connections), grace)
            for connection in list(self._connections):
                connection.abort()
            await asyncio.sleep(0)
        self._clock.stop()

    def _accept(self) -> Connection:
        return ProtocolNegotiation(self._admit, self._begin, self._limits, self._lost)

    def _admit(self, connection: Connection, transport: asyncio.BaseTransport) -> bool:
        if not self._users.admits(transport) or not self._host.connections.acquire(_NAME):
            return False
        self._connections.add(connection)
        return True

    def _begin(self, opening: Connection, streaming: bool) -> Connection:
        """Make the connection that takes an opening's place, in version 2 or 1."""
        connection: Connection
        if streaming:
            # No released gateway speaks it.
            from ...unix_stream.v2 import StreamConnection
            from .v2 import StreamAnswers

            connection = StreamConnection(StreamAnswers(self._host).answer, self._limits, self._lost)
        else:
            connection = SerialConnection(self._serial.answer, self._clock, self._limits, self._lost)
        self._connections.discard(opening)
        self._connections.add(connection)
        return connection

    def _lost(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._host.connections.release(_NAME)
        if not self._connections:
            self._all_lost.set()

    def _close_overdue(self, now: float) -> None:
        for connection in list(self._connections):
            connection.close_overdue(now)
