"""The gRPC server: where it listens, how it stops."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from functools import partial
from typing import TYPE_CHECKING

from ...codec.plugin_service import check_configs
from ...grpc.call import StreamingCall, UnaryCall
from ...grpc.server import NAME, CallFactory, GrpcServer
from ...http2 import Connection
from ...net.sockets import format_address
from .health import Health
from .names import HEALTH, PACKAGES, REFLECTION
from .plugin_service import Service

if TYPE_CHECKING:
    from ...host.host import Host
    from ...net.listeners import Acceptor, SocketProvider
    from ..settings import ServerSettings
    from .reflection import Reflection

logger = logging.getLogger(__name__)

_PATH_HELP = "choose another path with --grpc-uds or PLUGINS_GRPC_SERVER_UDS"
_PORT_HELP = "choose another port with --grpc-port or PLUGINS_GRPC_SERVER_PORT"


class GrpcTransport:
    """Serves the host by gRPC, under the service names of all gateway releases.

    It has an HTTP/2 of its own (`http2`): a call costs half of what it does in grpcio's asyncio server, where three
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
        self._servers: list[Acceptor] = []
        self._path: str | None = None
        self._health = Health(host)
        self._reflection: Reflection | None = None
        self._site: GrpcServer

    async def start(self) -> list[str]:
        """Listen; see Transport.

        Raises:
            StartError: an address or a TLS file cannot be used, or a plugin's configuration cannot travel.
        """
        check_configs(self._host.plugin_configs())
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
        self._site = GrpcServer(self._host, self._settings, self._methods())
        make = partial(Connection, self._site)
        for sock, tls in opened:
            self._servers.append(await self._listeners.serve(make, sock, tls, self._settings.limits.read_time))
        return endpoints

    async def stop(self, grace: float) -> None:
        """Drain and close; see Transport."""
        if self._path is not None:
            # The file goes first: once the socket is closed, a new server may have put its own there.
            self._listeners.remove(self._path)
        for server in self._servers:
            server.close()
        # Connections that are accepted already count: give the loop a round to make them.
        for _ in range(2):
            await asyncio.sleep(0)
        self._health.end()
        site = self._site
        site.drain(grace)
        try:
            async with asyncio.timeout(grace):
                await site.empty.wait()
        except TimeoutError:
            logger.warning("grpc: %d connections are cut off after %g s", len(site.connections), grace)
            for connection in list(site.connections):
                connection.transport.abort()
            await asyncio.sleep(0)
        site.stop()

    def _tls(self) -> ssl.SSLContext | None:
        tls = self._settings.grpc.tls
        if tls is None:
            return None
        from ...tls.check import check_tls
        from ...tls.context import server_ssl_context

        check_tls(tls, "grpc", self._settings.grpc.uds)
        return server_ssl_context(tls, "grpc")

    async def _reflect(self, call: StreamingCall) -> None:
        if self._reflection is None:
            # Few ask, and its messages take a tenth of a start to import.
            from .reflection import Reflection

            self._reflection = Reflection()
        await self._reflection.info(call)

    def _methods(self) -> dict[bytes, CallFactory]:
        service, health = Service(self._host), self._health
        made: dict[str, CallFactory] = {
            f"{HEALTH}/Check": partial(UnaryCall, method=health.check),
            f"{HEALTH}/Watch": partial(StreamingCall, method=health.watch),
            f"{REFLECTION}/ServerReflectionInfo": partial(StreamingCall, method=self._reflect),
        }
        for package in PACKAGES:
            made |= {
                f"{package}.PluginService/InvokeHook": partial(UnaryCall, method=service.invoke_hook),
                f"{package}.PluginService/GetPluginConfig": partial(UnaryCall, method=service.get_plugin_config),
                f"{package}.PluginService/GetPluginConfigs": partial(UnaryCall, method=service.get_plugin_configs),
                f"{package}.Health/Check": partial(UnaryCall, method=health.old_check),
            }
        return {f"/{path}".encode(): make for path, make in made.items()}
