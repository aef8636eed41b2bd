"""The transport "grpc": PluginService, health and reflection, over TCP and over a Unix socket.

PluginService and the gateways' old Health are served under the package of every gateway release.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import DecodeError, Message

from ..codec.plugin_service import check_configs, read_call, write_config, write_configs, write_reply
from ..contract import plugin_service_pb2 as pb
from ..grpc.health import HEALTH, Health, requested_name, response
from ..grpc.reflection import REFLECTION_V1, REFLECTION_V1ALPHA, Reflection, renamed
from ..grpc.server import Server, ServerOptions, SettingNames
from ..grpc.server_call import ServerCall
from ..grpc.service import Service, unary_unary
from ..grpc.status import StatusCode, StatusError
from ..host.messages import CallDecodeError, OverloadedError
from ..host.respond import refuse, respond
from ..net.connections import AllowedUsers
from ..net.sockets import format_address

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from ..host.host import Host
    from ..net.sockets import Acceptor, SocketProvider
    from .settings import ServerSettings

# Reflection imports them when a client asks; that they are missing is to be said at the start.
for _package in ("grpc_health", "grpc_reflection"):
    if find_spec(_package) is None:
        raise ModuleNotFoundError(f"No module named {_package!r}", name=_package)

M = TypeVar("M", bound=Message)

_NAME = "grpc"
_SETTING_NAMES = SettingNames("PLUGINS_MAX_MESSAGE_BYTES", "PLUGINS_MAX_HEADER_BYTES", "PLUGINS_READ_TIMEOUT")
_PATH_HELP = "choose another path with --grpc-uds or PLUGINS_GRPC_SERVER_UDS"
_PORT_HELP = "choose another port with --grpc-port or PLUGINS_GRPC_SERVER_PORT"

_OWN_PACKAGE = pb.DESCRIPTOR.package
# Gateway 1.0.0 calls the same messages and methods by this package; later ones by that of the contract.
_OLD_PACKAGE = "mcpgateway.plugins"
_PACKAGES = (_OWN_PACKAGE, _OLD_PACKAGE)
_SERVICE_NAMES = (
    *(f"{package}.{name}" for package in _PACKAGES for name in pb.DESCRIPTOR.services_by_name),
    HEALTH,
    REFLECTION_V1,
    REFLECTION_V1ALPHA,
)
_TRACE_HEADERS = ("traceparent", "tracestate")


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
            sock = self._listeners.tcp(_NAME, settings.host, settings.port, _PORT_HELP)
            opened.append((sock, context))
            address = format_address(settings.host, sock.getsockname()[1])
            endpoints.append(f"{'grpcs' if context else 'grpc'}://{address}")
        if settings.uds:
            opened.append((self._listeners.unix(_NAME, settings.uds, _PATH_HELP), None))
            self._path = settings.uds
            endpoints.append(f"grpc+unix://{settings.uds}")
        self._host.subscribe(self._health.notify)
        users = AllowedUsers(self._settings.limits.uids, "PLUGINS_ALLOWED_UIDS")
        self._server = Server(services(self._host, self._health), self._options(), _NAME, self._host.connections, users)
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
        from ..tls.check import check_tls
        from ..tls.context import server_ssl_context

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


class HostStates:
    """States of the server, its services and its plugins for the health service.

    Args:
        host: knows what is serving.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    def names(self) -> Iterable[str]:
        """See HealthStates."""
        return ["", *_SERVICE_NAMES, *self._host.plugins_serving()]

    def serving(self, name: str) -> bool | None:
        """See HealthStates."""
        return self._host.ready if name in ("", *_SERVICE_NAMES) else self._host.plugin_serving(name)


class PluginService:
    """Handlers of PluginService, on bytes.

    Args:
        host: answers the calls.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    async def invoke_hook(self, data: bytes, call: ServerCall) -> bytes:
        """Run a hook; whatever the plugin does wrong is in the answer, with the status OK."""
        request = _parsed(pb.InvokeHookRequest, data)
        identity = call.peer.identity
        try:
            hook_call = read_call(request, "grpc", identity, len(data))
        except CallDecodeError as error:
            return refuse(self._host, error, write_reply)
        if self._host.tracer is not None:
            fields = {name: call.fields.get(name.encode()) for name in _TRACE_HEADERS}
            hook_call.trace = {name: value.decode("latin-1") for name, value in fields.items() if value}
        try:
            _, answer = await respond(self._host, hook_call, write_reply)
        except OverloadedError as error:
            raise StatusError(StatusCode.RESOURCE_EXHAUSTED, str(error)) from None
        return answer

    async def get_plugin_config(self, data: bytes, call: ServerCall) -> bytes:
        """One plugin's configuration."""
        return write_config(self._host.plugin_entry(_parsed(pb.GetPluginConfigRequest, data).name))

    async def get_plugin_configs(self, data: bytes, call: ServerCall) -> bytes:
        """The configurations of all plugins."""
        _parsed(pb.GetPluginConfigsRequest, data)
        return write_configs(self._host.plugin_entries())


def services(host: Host, health: Health) -> list[Service]:
    """All services of a plugin server: the contract's under both packages, and those that every gRPC tool knows.

    Args:
        host: answers the calls.
        health: answers for the states of the host.
    """

    async def old_check(data: bytes, call: ServerCall) -> bytes:
        # Unlike the standard's, it has a state for an unknown name too.
        return response(health.state(requested_name(data)))

    plugin_service = PluginService(host)
    methods = [
        unary_unary("InvokeHook", plugin_service.invoke_hook),
        unary_unary("GetPluginConfig", plugin_service.get_plugin_config),
        unary_unary("GetPluginConfigs", plugin_service.get_plugin_configs),
    ]
    made = [health.service(), *Reflection(_SERVICE_NAMES, _files).services()]
    for package in _PACKAGES:
        made.append(Service(f"{package}.PluginService", methods))
        made.append(Service(f"{package}.Health", [unary_unary("Check", old_check)]))
    return made


def _files() -> Iterable[FileDescriptorProto]:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto
    from grpc_health.v1 import health_pb2

    from ..contract.google.protobuf import struct_pb2

    for module in (struct_pb2, health_pb2):
        yield FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
    contract = FileDescriptorProto.FromString(pb.DESCRIPTOR.serialized_pb)
    yield contract
    yield renamed(contract, _OLD_PACKAGE, f"{_OLD_PACKAGE.replace('.', '/')}/{contract.name}")


def _parsed(message: type[M], data: bytes) -> M:
    try:
        return message.FromString(data)
    except DecodeError:
        text = f"the request is no {message.DESCRIPTOR.full_name}"
        raise StatusError(StatusCode.INVALID_ARGUMENT, text) from None
