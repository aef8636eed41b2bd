"""gRPC client of a plugin server, over TCP with or without TLS and over a Unix socket. It needs no grpcio."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from google.protobuf.message import Message

from ..codec.plugin_service import read_config, read_configs, read_reply, write_request
from ..contract import plugin_service_pb2 as pb
from ..errors import PlugsmithError, RequestNotSentError, StartError
from ..grpc.channel import Channel
from ..grpc.channel_connection import ChannelOptions
from ..grpc.status import NotProcessedError, StatusCode, StatusError
from ..host.errors import MCP_INTERNAL_ERROR, ErrorCode
from ..http2.client import ClientOptions

if TYPE_CHECKING:
    from . import ClientTls

R = TypeVar("R")

_SERVICE = f"/{pb.DESCRIPTOR.package}.PluginService/"
_MAX_ANSWER_BYTES = 256 << 20
_KEEPALIVE_SECONDS = 20.0


class GrpcClient:
    """Client of PluginService: any number of calls on one connection; made by `connect`. A lost connection stays lost.

    Args:
        channel: the way to the server, connected.
        timeout: seconds that a call may take.
    """

    def __init__(self, channel: Channel, timeout: float) -> None:
        self._channel = channel
        self._timeout = timeout

    @classmethod
    async def connect(cls, endpoint: str, tls: ClientTls | None = None, timeout: float = 30.0) -> GrpcClient:
        """Connect.

        Args:
            endpoint: "grpc://host:port", "grpcs://host:port" or "grpc+unix://" and a path.
            tls: certificates, for grpcs.
            timeout: seconds that a call, and the connection, may take.

        Raises:
            StartError: the endpoint cannot be understood, or a certificate cannot be used.
            OSError: nobody answers there.
        """
        scheme, _, address = endpoint.partition("://")
        target = f"unix:{address}" if scheme == "grpc+unix" else urlsplit(endpoint).netloc
        options = ChannelOptions(
            connect_timeout=timeout,
            max_message_bytes=_MAX_ANSWER_BYTES,
            reconnect=False,
            connection=ClientOptions(keepalive_seconds=_KEEPALIVE_SECONDS),
        )
        context = _context(endpoint, tls) if scheme == "grpcs" else None
        try:
            channel = Channel(target, context, options)
        except ValueError:
            raise StartError(f"{endpoint}: write it as grpc://host:port") from None
        try:
            await channel.connect()
        except (FileNotFoundError, TimeoutError):
            raise
        except OSError as error:
            raise ConnectionRefusedError(f"nobody answers there, or TLS failed: {error}") from error
        return cls(channel, timeout)

    @property
    def usable(self) -> bool:
        """Whether the connection stands."""
        return self._channel.connected

    async def invoke(
        self,
        hook: str,
        plugin: str,
        payload: Any,
        context: dict[str, Any] | None,
        trace: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Run a hook and return plugin_name, result or error, and context when it carries anything.

        Args:
            hook: the hook's wire name.
            plugin: the plugin's name.
            payload: the hook's payload.
            context: the plugin context.
            trace: the caller's traceparent and tracestate.

        Raises:
            RequestNotSentError: the connection is gone, and the hook was not run.
            TimeoutError: no answer came in time.
            OSError: the connection was lost, or the server refused the call.
            EncodeError: payload or context cannot be written without changing them.
        """
        request = write_request(hook, plugin, payload, context)
        try:
            response = await self._call("InvokeHook", request, pb.InvokeHookResponse.FromString, trace)
        except _OverloadedError as error:
            return {"plugin_name": plugin, "error": _overloaded(plugin, str(error))}
        return read_reply(response)

    async def plugin_configs(self) -> list[dict[str, Any]]:
        """Return the entries of all plugins; errors as in `invoke`."""
        request = pb.GetPluginConfigsRequest()
        return read_configs(await self._call("GetPluginConfigs", request, pb.GetPluginConfigsResponse.FromString))

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        """Return the entry of one plugin, None when the server has no such plugin; errors as in `invoke`."""
        request = pb.GetPluginConfigRequest(name=name)
        return read_config(await self._call("GetPluginConfig", request, pb.GetPluginConfigResponse.FromString))

    async def close(self) -> None:
        """Close the connection; calls in flight fail, unless the server has said goodbye and will still answer them."""
        await self._channel.close()

    async def _call(
        self, method: str, request: Message, read: Callable[[bytes], R], trace: Mapping[str, str] | None = None
    ) -> R:
        metadata = list(trace.items()) if trace else ()
        write = type(request).SerializeToString
        try:
            return await self._channel.unary_unary(
                _SERVICE + method, request, write, read, timeout=self._timeout, metadata=metadata
            )
        except StatusError as error:
            raise _os_error(error) from None


class _OverloadedError(PlugsmithError, ConnectionError):
    """The server has too much to do, and did not begin the call."""


def _os_error(error: StatusError) -> OSError:
    """What callers of all transports know in place of a status."""
    if isinstance(error, NotProcessedError):
        return RequestNotSentError(error.message)
    if error.code is StatusCode.DEADLINE_EXCEEDED:
        return TimeoutError(error.message or "no answer in time")
    if error.code is StatusCode.RESOURCE_EXHAUSTED:
        return _OverloadedError(error.message or "the server has too much to do")
    return ConnectionError(str(error))


def _overloaded(plugin: str, message: str) -> dict[str, Any]:
    """The error of a reply that the server was too busy to write."""
    return {
        "message": message,
        "plugin_name": plugin,
        "code": ErrorCode.OVERLOADED.value,
        "details": {},
        "mcp_error_code": MCP_INTERNAL_ERROR,
    }


def _context(endpoint: str, tls: ClientTls | None) -> ssl.SSLContext:
    from ..tls.context import client_ssl_context

    if tls is None:
        raise StartError(f"{endpoint}: TLS needs the file of the authorities to trust")
    context = client_ssl_context(tls.ca_bundle, tls.certfile, tls.keyfile, tls.keyfile_password)
    context.set_alpn_protocols(["h2"])
    return context
