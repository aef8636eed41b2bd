"""The methods of the contract, on bytes: the codec parses, so that grpc does not do it again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from ....contract import plugin_service_pb2 as pb
from ...calls import Unrepresentable
from ...codecs.protobuf import read_call, refuse_call, write_config, write_configs, write_reply
from .names import PACKAGES, SERVICES

if TYPE_CHECKING:
    from ...host import Host

Context = grpc.aio.ServicerContext[bytes, bytes]
Method = Callable[[bytes, Context], Awaitable[bytes]]


class Service:
    """Answers PluginService and the old Health.

    Args:
        host: answers the calls.
        identity: finds the caller's verified TLS name; None without TLS.
    """

    def __init__(self, host: Host, identity: Callable[[Any], str | None] | None) -> None:
        self._host = host
        self._identity = identity

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """The handlers for both packages."""
        methods: dict[str, dict[str, Method]] = {
            "PluginService": {
                "GetPluginConfig": self.get_plugin_config,
                "GetPluginConfigs": self.get_plugin_configs,
                "InvokeHook": self.invoke_hook,
            },
            "Health": {"Check": self.check},
        }
        return [
            grpc.method_handlers_generic_handler(
                f"{package}.{service}",
                {name: grpc.unary_unary_rpc_method_handler(method, None, None) for name, method in of_service.items()},
            )
            for package in PACKAGES
            for service, of_service in methods.items()
        ]

    async def invoke_hook(self, data: bytes, context: Context) -> bytes:
        """Run a hook; whatever the plugin does wrong is in the answer, with the status OK."""
        try:
            request = pb.InvokeHookRequest.FromString(data)
        except DecodeError:
            await _malformed(context, pb.InvokeHookRequest)
        identity = self._identity(context) if self._identity else None
        try:
            call = read_call(request, "grpc", identity)
        except Unrepresentable as problem:
            return refuse_call(request, problem, "grpc")
        return await self._host.answer(call, write_reply)

    async def get_plugin_config(self, data: bytes, context: Context) -> bytes:
        """Return one plugin's configuration."""
        try:
            request = pb.GetPluginConfigRequest.FromString(data)
        except DecodeError:
            await _malformed(context, pb.GetPluginConfigRequest)
        return write_config(self._host.plugin_config(request.name))

    async def get_plugin_configs(self, data: bytes, context: Context) -> bytes:
        """Return the configurations of all plugins."""
        try:
            pb.GetPluginConfigsRequest.FromString(data)
        except DecodeError:
            await _malformed(context, pb.GetPluginConfigsRequest)
        return write_configs(self._host.plugin_configs())

    async def check(self, data: bytes, context: Context) -> bytes:
        """Return the health of the server, one of its services, or a plugin, as the old Health does."""
        try:
            request = pb.HealthCheckRequest.FromString(data)
        except DecodeError:
            await _malformed(context, pb.HealthCheckRequest)
        states = pb.HealthCheckResponse
        known = request.service == "" or request.service in SERVICES
        serving = self._host.serving if known else self._host.plugin_serving(request.service)
        if serving is None:
            return pb.HealthCheckResponse(status=states.SERVICE_UNKNOWN).SerializeToString()
        return pb.HealthCheckResponse(status=states.SERVING if serving else states.NOT_SERVING).SerializeToString()


async def _malformed(context: Context, message: type[Message]) -> NoReturn:
    text = f"the request is no {message.DESCRIPTOR.full_name}"
    await context.abort(grpc.StatusCode.INVALID_ARGUMENT, text)
    raise AssertionError("abort raises")
