"""The gRPC server: where it listens, how it stops."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from typing import TYPE_CHECKING

from ...codec.plugin_service import check_configs
from ...grpc.health import Health
from ...grpc.server import Server, ServerOptions, SettingNames
from ...net.connections import AllowedUsers
from ...net.sockets import format_address
from .plugin_service import HostStates, services

if TYPE_CHECKING:
    from ...host.host import Host
    from ...net.sockets import Acceptor, SocketProvider
    from ..settings import ServerSettings

logger = logging.getLogger(__name__)

NAME = "grpc"
_SETTING_NAMES = SettingNames("PLUGINS_MAX_MESSAGE_BYTES", "PLUGINS_MAX_HEADER_BYTES", "PLUGINS_READ_TIMEOUT")
_PATH_HELP = "choose another path with --grpc-uds or PLUGINS_GRPC_SERVER_UDS"
_PORT_HELP = "choose another port with --grpc-port or PLUGINS_GRPC_SERVER_PORT"


class GrpcTransport:
    """Serves the host by gRPC, under the service names of all gateway releases.

    HTTP/2 and gRPC are the runtime's own: a call costs half of what it does in grpcio's asyncio server, where three
    threads hand it to each other, and connections are accepted, counted and limited like those of other transports.

    Args:
        host: answers the calls.
        settings: where to listen, TLS, and the limits.
        listeners: opens the listening sockets.
    """

    finished: asyncio.Event | None = None

    def __init__(self, host: Host, settings: ServerSettings, listeners: SocketProvider) -> None:
        self._host = host
        self._settings = settings
        self._listeners = listeners
        self._acceptors: list[Acceptor] = []
        self._path: str | None = None
        self._health = Health(HostStates(host), "service or plugin")
        self._server: Server

    async def start(self) -> list[str]:
        """Listen; see Transport.

        Raises:
            StartError: an address or a TLS file cannot be used, or a plugin's configuration cannot travel.
        """
        check_configs(self._host.plugin_entries())
        context = self._tls()
        settings = self._settings.grpc
        opened: list[tuple[socket.socket, ssl.SSLContext | None]] = []
        endpoints = []
        if settings.listen_tcp:
            sock = self._listeners.tcp(NAME, settings.host, settings.port, _PORT_HELP)
            opened.append((sock, context))
            address = format_address(settings.host, sock.getsockname()[1])
            endpoints.append(f"{'grpcs' if context else 'grpc'}://{address}")
        if settings.uds:
            opened.append((self._listeners.unix(NAME, settings.uds, _PATH_HELP), None))
            self._path = settings.uds
            endpoints.append(f"grpc+unix://{settings.uds}")
        self._host.subscribe(self._health.notify)
        users = AllowedUsers(self._settings.limits.uids, "PLUGINS_ALLOWED_UIDS")
        self._server = Server(services(self._host, self._health), self._options(), NAME, self._host.connections, users)
        for sock, tls in opened:
            acceptor = await self._listeners.serve(self._server.protocol, sock, tls, self._settings.limits.read_time)
            self._acceptors.append(acceptor)
        return endpoints

    async def stop(self, grace: float) -> None:
        """Drain and close; see Transport."""
        if self._path is not None:
            # The file goes first: once the socket is closed, a new server may have put its own there.
            self._listeners.remove(self._path)
        self._health.end()
        await self._server.stop(self._acceptors, grace)

    def _tls(self) -> ssl.SSLContext | None:
        tls = self._settings.grpc.tls
        if tls is None:
            return None
        from ...tls.check import check_tls
        from ...tls.context import server_ssl_context

        check_tls(tls, "grpc", self._settings.grpc.uds)
        return server_ssl_context(tls, "grpc")

    def _options(self) -> ServerOptions:
        limits, grpc = self._settings.limits, self._settings.grpc
        return ServerOptions(
            # A client that sends more hooks than may run at once is to be told so, not to be kept waiting.
            max_concurrent_streams=2 * limits.concurrent_hooks + 100,
            max_message_bytes=limits.message_bytes,
            max_header_bytes=limits.header_bytes,
            read_timeout=limits.read_time,
            idle_timeout=limits.idle,
            max_connection_age=grpc.max_connection_age,
            max_connection_age_grace=self._settings.grace,
            setting_names=_SETTING_NAMES,
            secure=grpc.tls is not None,
            allowed_clients=grpc.tls.allowed_clients if grpc.tls else (),
        )
