"""PluginService and the gateways' old Health, each under the package of every gateway release, as gRPC services."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import DecodeError, Message

from ...codec.plugin_service import read_call, write_config, write_configs, write_reply
from ...contract import plugin_service_pb2 as pb
from ...grpc.health import HEALTH, Health, requested_name, response
from ...grpc.reflection import REFLECTION_V1, REFLECTION_V1ALPHA, Reflection, renamed
from ...grpc.server_call import ServerCall
from ...grpc.service import Service, unary_unary
from ...grpc.status import StatusCode, StatusError
from ...host.messages import CallDecodeError, OverloadedError
from ...host.respond import refuse, respond

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from ...host.host import Host

M = TypeVar("M", bound=Message)

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

    from ...contract.google.protobuf import struct_pb2

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
