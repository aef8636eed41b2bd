"""The transport "unix": a Unix socket of length-prefixed messages, in both versions of the protocol."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ...codec.plugin_service import check_configs
from ...net.connections import AllowedUsers, ConnectionSet
from ...net.loop_stall import LoopStallMonitor
from ...unix_stream.framing import MAX_FRAME_BYTES
from ...unix_stream.negotiation import ProtocolNegotiation
from ...unix_stream.server_connection import ConnectionLimits, ServerConnection
from ...unix_stream.v1_server import V1Connection
from .v1 import V1Handler

if TYPE_CHECKING:
    from ...host.host import Host
    from ...net.sockets import Acceptor, SocketProvider
    from ..settings import ServerSettings

_NAME = "unix"
_PATH_HELP = "choose another path with --socket or PLUGINS_UNIX_SOCKET_PATH"
# Gateways wait for 30 s and hooks get 25: what is left, less one second for the way back.
_RESPONSE_SLACK_SECONDS = 4.0
# A gateway that wants more calls in flight than these opens another connection.
_MAX_CALLS_PER_CONNECTION = 256


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
        self._limits = ConnectionLimits(
            frame_bytes=min(settings.limits.message_bytes, MAX_FRAME_BYTES),
            response_seconds=host.longest_timeout + _RESPONSE_SLACK_SECONDS,
            idle_seconds=settings.limits.idle,
            read_seconds=settings.limits.read_time,
            calls=_MAX_CALLS_PER_CONNECTION,
        )
        self._v1 = V1Handler(host)
        self._connections: ConnectionSet[ServerConnection] = ConnectionSet(_NAME)
        self._acceptor: Acceptor
        self._stalls: LoopStallMonitor

    async def start(self) -> list[str]:
        """Listen.

        Raises:
            StartError: the path cannot be used, a plugin's configuration cannot travel, or users cannot be told apart.
        """
        check_configs(self._host.plugin_entries())
        sock = self._listeners.unix(_NAME, self._path, _PATH_HELP)
        self._stalls = LoopStallMonitor(self._check_timeouts)
        self._acceptor = await self._listeners.serve(self._accept, sock)
        return [f"unix://{self._path}"]

    async def stop(self, grace: float) -> None:
        """Accept no more, let calls in flight finish, close.

        Args:
            grace: seconds that calls in flight get.
        """
        # The file goes first: once the socket is closed, a new server may have put its own there.
        self._listeners.remove(self._path)
        await self._connections.drain([self._acceptor], grace)
        self._stalls.stop()

    def _accept(self) -> ServerConnection:
        return ProtocolNegotiation(self._admit, self._upgrade, self._limits, self._on_lost)

    def _admit(self, connection: ServerConnection, transport: asyncio.BaseTransport) -> bool:
        if not self._users.admits(transport) or not self._host.connections.acquire(_NAME):
            return False
        self._connections.add(connection)
        return True

    def _upgrade(self, negotiation: ServerConnection, version: int) -> ServerConnection:
        connection: ServerConnection
        if version == 2:
            # No released gateway speaks it.
            from ...codec import unix_v2
            from ...unix_stream.v2_server import V2Connection
            from .v2 import V2Handler

            connection = V2Connection(unix_v2, V2Handler(self._host).answer, self._limits, self._on_lost)
        else:
            connection = V1Connection(self._v1.answer, self._stalls, self._limits, self._on_lost)
        self._connections.add(connection)
        self._connections.discard(negotiation)
        return connection

    def _on_lost(self, connection: ServerConnection) -> None:
        self._connections.discard(connection)
        self._host.connections.release(_NAME)

    def _check_timeouts(self, now: float) -> None:
        for connection in self._connections:
            connection.check_timeouts(now)
