"""The gRPC server: where it listens, how it stops."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from ...codecs.protobuf import check_configs
from ...errors import StartError
from .service import Service
from .standard import StandardServices

if TYPE_CHECKING:
    from ...host import Host
    from ...listeners import Listeners
    from ...settings import ServerSettings

_PATH_HELP = "choose another path with --grpc-uds or PLUGINS_GRPC_SERVER_UDS"
_PORT_HELP = "choose another port with --grpc-port or PLUGINS_GRPC_SERVER_PORT"

_PICK_UP = 0.1


class GrpcTransport:
    """Serves the host by gRPC, under the service names of all gateway releases.

    Args:
        host: answers the calls.
        settings: where to listen, TLS, and the largest message.
        listeners: makes way for the sockets.
    """

    finished: asyncio.Event | None = None

    def __init__(self, host: Host, settings: ServerSettings, listeners: Listeners) -> None:
        self._listeners = listeners
        self._host = host
        self._settings = settings.grpc
        self._limit = settings.limits.message_bytes
        self._server: grpc.aio.Server | None = None
        self._standard: StandardServices | None = None
        self._path: str | None = None

    async def start(self) -> list[str]:
        """Listen; see Transport.

        Raises:
            StartError: an address or a TLS file cannot be used, or a plugin's configuration cannot travel.
        """
        check_configs(self._host.plugin_configs())
        tls = self._settings.tls
        identity: Callable[[Any], str | None] | None = None
        interceptors: list[grpc.aio.ServerInterceptor] = []
        if tls is not None:
            from ...tls import check_tls
            from ...tls.grpc_server import AllowListInterceptor, grpc_identity

            identity = grpc_identity
            check_tls(tls, "grpc", self._settings.uds)
            if tls.allowed_clients:
                interceptors.append(AllowListInterceptor(tls.allowed_clients))
        server = grpc.aio.server(
            interceptors=interceptors,
            options=[
                # Two servers on one port would share its calls in silence.
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", self._limit),
                ("grpc.max_send_message_length", -1),
                # Clients may ping every ten seconds, with and without a call, to notice a dead connection early.
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
                ("grpc.keepalive_permit_without_calls", 1),
                # And so that a client that vanished does not hold its connection for ever.
                ("grpc.keepalive_time_ms", 120_000),
                ("grpc.keepalive_timeout_ms", 20_000),
            ],
        )
        server.add_generic_rpc_handlers(tuple(Service(self._host, identity).handlers()))
        standard = StandardServices(server, self._host)
        try:
            endpoints = self._listen(server)
        except StartError:
            await server.stop(None)
            self._remove_path()
            raise
        await standard.serving()
        await server.start()
        self._server = server
        self._standard = standard
        return endpoints

    async def stop(self, grace: float) -> None:
        """Drain and close; see Transport."""
        if self._server is None or self._standard is None:
            return
        # The file goes first: once grpc has closed the socket, a new server may have put its own there.
        self._remove_path()
        await self._standard.draining()
        # grpc cancels calls that have arrived but wait to be picked up: give it time to pick them up.
        await asyncio.sleep(min(_PICK_UP, grace))
        await self._server.stop(grace)

    def _listen(self, server: grpc.aio.Server) -> list[str]:
        endpoints = []
        if self._settings.listen_tcp:
            endpoints.append(self._listen_tcp(server))
        if self._settings.uds:
            endpoints.append(self._listen_unix(server, self._settings.uds))
        return endpoints

    def _listen_tcp(self, server: grpc.aio.Server) -> str:
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        address = f"{host}:{self._settings.port}"
        if self._settings.port:
            # Finds out what is wrong with the address in words; grpc only says that it could not bind.
            self._listeners.tcp("grpc", self._settings.host, self._settings.port, _PORT_HELP).close()
        try:
            if self._settings.tls is None:
                port = server.add_insecure_port(address)
            else:
                from ...tls.grpc_server import grpc_server_credentials

                port = server.add_secure_port(address, grpc_server_credentials(self._settings.tls))
        except RuntimeError as problem:
            raise StartError(f"{address}: the port is in use or cannot be bound; {_PORT_HELP}") from problem
        scheme = "grpc" if self._settings.tls is None else "grpcs"
        return f"{scheme}://{host}:{port}"

    def _listen_unix(self, server: grpc.aio.Server, path: str) -> str:
        self._listeners.claim(path, _PATH_HELP)
        # When it stops, grpc removes the path that it bound, whoever has put a socket there by then: give it another.
        bound = f"{path}~"
        self._listeners.claim(bound, _PATH_HELP)
        # grpc binds while it adds the port: the umask gives the socket its mode from the first moment.
        previous = os.umask(0o177)
        try:
            server.add_insecure_port(f"unix:{bound}")
            os.rename(bound, path)
        except (RuntimeError, OSError) as problem:
            raise StartError(f"{path}: cannot make the Unix socket; {_PATH_HELP}") from problem
        finally:
            os.umask(previous)
        self._path = path
        return f"grpc+unix://{path}"

    def _remove_path(self) -> None:
        if self._path is not None:
            self._listeners.remove(self._path)
            self._path = None
