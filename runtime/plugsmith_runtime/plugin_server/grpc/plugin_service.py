"""The methods of the contract, on bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import DecodeError, Message

from ...codec.plugin_service import read_call, unreadable, write_config, write_configs, write_reply
from ...contract import plugin_service_pb2 as pb
from ...errors import EncodeError
from ...grpc.call import Call
from ...grpc.status import StatusCode, StatusError
from ...host.messages import OverloadedError
from ...host.respond import refuse, respond

if TYPE_CHECKING:
    from ...host.host import Host

M = TypeVar("M", bound=Message)
_TRACE = ("traceparent", "tracestate")


class Service:
    """Answers PluginService.

    Args:
        host: answers the calls.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    async def invoke_hook(self, data: bytes, call: Call) -> bytes:
        """Run a hook; whatever the plugin does wrong is in the answer, with the status OK."""
        request = _parsed(pb.InvokeHookRequest, data)
        try:
            hook_call = read_call(request, "grpc", call.info.identity, len(data))
        except EncodeError as error:
            refused, code = unreadable(request, error, "grpc", call.info.identity, len(data))
            return refuse(self._host, refused, code, str(error), write_reply)
        if self._host.tracer is not None:
            fields = {name: call.fields.get(name.encode()) for name in _TRACE}
            hook_call.trace = {name: value.decode("latin-1") for name, value in fields.items() if value}
        try:
            _, response = await respond(self._host, hook_call, write_reply)
        except OverloadedError as error:
            raise StatusError(StatusCode.RESOURCE_EXHAUSTED, str(error)) from None
        return response

    async def get_plugin_config(self, data: bytes, call: Call) -> bytes:
        """Return one plugin's configuration."""
        return write_config(self._host.plugin_config(_parsed(pb.GetPluginConfigRequest, data).name))

    async def get_plugin_configs(self, data: bytes, call: Call) -> bytes:
        """Return the configurations of all plugins."""
        _parsed(pb.GetPluginConfigsRequest, data)
        return write_configs(self._host.plugin_configs())


def _parsed(message: type[M], data: bytes) -> M:
    try:
        return message.FromString(data)
    except DecodeError:
        text = f"the request is no {message.DESCRIPTOR.full_name}"
        raise StatusError(StatusCode.INVALID_ARGUMENT, text) from None
