"""A gRPC client that needs no grpcio: for the connector, which runs inside gateways that may not have it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..codec.plugin_service_client import read_config, read_configs, read_reply, write_request
from ..contract import plugin_service_pb2 as pb
from ..errors import PlugsmithError, StartError
from ..host.errors import MCP_INTERNAL_ERROR, ErrorCode
from ..http2.client import Session
from ..http2.client_call import Answer
from ..http2.hpack import encode
from ..net.deadlines import DeadlineExceededError, Deadlines

if TYPE_CHECKING:
    from . import ClientTls

_SERVICE = f"/{pb.DESCRIPTOR.package}.PluginService/"
_PREFIX = 5
_OK, _DEADLINE_EXCEEDED, _RESOURCE_EXHAUSTED = b"0", b"4", b"8"


class GrpcHttp2Client:
    """Any number of calls on one connection; make it with `connect`. A lost connection stays lost.

    Args:
        session: the connection.
        secure: whether it has TLS.
        authority: the server's name, as the calls say it.
        timeout: seconds that a call may take.
    """

    def __init__(self, session: Session, secure: bool, authority: str, timeout: float) -> None:
        self._session = session
        self._timeout = timeout
        self._deadlines = Deadlines(timeout)
        self._fields = {
            method: _fields(_SERVICE + method, secure, authority, timeout)
            for method in ("InvokeHook", "GetPluginConfig", "GetPluginConfigs")
        }

    @classmethod
    async def connect(cls, endpoint: str, tls: ClientTls | None = None, timeout: float = 30.0) -> GrpcHttp2Client:
        """Connect.

        Args:
            endpoint: "grpc://host:port", "grpcs://host:port" or "grpc+unix://" and a path.
            tls: certificates, for grpcs.
            timeout: seconds that a call, and the connection, may take.

        Raises:
            StartError: the endpoint cannot be understood, or a certificate cannot be used.
            OSError: nobody answers there.
        """
        parts = urlsplit(endpoint)
        context = _context(endpoint, tls) if parts.scheme == "grpcs" else None
        async with asyncio.timeout(timeout):
            if parts.scheme == "grpc+unix":
                return cls(await Session.open_unix(parts.path), False, "localhost", timeout)
            try:
                host, port = parts.hostname, parts.port
            except ValueError:
                host, port = None, None
            if host is None or port is None:
                raise StartError(f"{endpoint}: write it as grpc://host:port")
            return cls(await Session.open(host, port, context), context is not None, parts.netloc, timeout)

    @property
    def usable(self) -> bool:
        """Whether the connection stands."""
        return self._session.usable

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
            answer = await self._call("InvokeHook", request.SerializeToString(), trace)
        except _StreamsExhaustedError as problem:
            error = {
                "message": str(problem), "plugin_name": plugin, "code": ErrorCode.OVERLOADED.value, "details": {},
                "mcp_error_code": MCP_INTERNAL_ERROR,
            }  # fmt: skip
            return {"plugin_name": plugin, "error": error}
        return read_reply(pb.InvokeHookResponse.FromString(answer))

    async def plugin_configs(self) -> list[dict[str, Any]]:
        """Return the entries of all plugins; errors as in `invoke`."""
        request = pb.GetPluginConfigsRequest().SerializeToString()
        return read_configs(pb.GetPluginConfigsResponse.FromString(await self._call("GetPluginConfigs", request)))

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        """Return the entry of one plugin, None when the server has no such plugin; errors as in `invoke`."""
        request = pb.GetPluginConfigRequest(name=name).SerializeToString()
        return read_config(pb.GetPluginConfigResponse.FromString(await self._call("GetPluginConfig", request)))

    async def close(self) -> None:
        """Close the connection."""
        self._session.close()

    async def _call(self, method: str, message: bytes, trace: Mapping[str, str] | None = None) -> bytes:
        fields = self._fields[method]
        if trace:
            fields += encode(*((name.encode(), value.encode()) for name, value in trace.items()))
        body = len(message).to_bytes(_PREFIX, "big") + message
        try:
            answer = await self._deadlines.run(self._session.call(fields, body))
        except DeadlineExceededError:
            raise TimeoutError(f"no answer within {self._timeout:g} s") from None
        return _message(answer)


class _StreamsExhaustedError(PlugsmithError, ConnectionError):
    """The server has too much to do, and did not begin the call."""


def _fields(path: str, secure: bool, authority: str, timeout: float) -> bytes:
    """The header block of a method's calls, the same each time so that the server knows it again."""
    return encode(
        (b":method", b"POST"),
        (b":scheme", b"https" if secure else b"http"),
        (b":path", path.encode()),
        (b":authority", authority.encode()),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
        (b"grpc-timeout", b"%dm" % min(int(timeout * 1000), 99_999_999)),
    )


def _message(answer: Answer) -> bytes:
    """The message of a good answer.

    Raises:
        OSError: it is none.
    """
    status = answer.fields.get(b"grpc-status")
    if status != _OK:
        reason = unquote(answer.fields.get(b"grpc-message", b"").decode("latin-1"))
        if status == _DEADLINE_EXCEEDED:
            raise TimeoutError(reason or "no answer in time")
        if status == _RESOURCE_EXHAUSTED:
            raise _StreamsExhaustedError(reason or "the server has too much to do")
        said = f"gRPC status {status.decode('latin-1')}" if status else "no gRPC status"
        http = answer.fields.get(b":status", b"").decode("latin-1")
        raise ConnectionError(f"{said}, HTTP status {http}: {reason or 'no reason given'}")
    body = answer.body
    if len(body) < _PREFIX or body[0] or len(body) != _PREFIX + int.from_bytes(body[1:_PREFIX], "big"):
        raise ConnectionError("the server's answer is not one message")
    return body[_PREFIX:]


def _context(endpoint: str, tls: ClientTls | None) -> ssl.SSLContext:
    from ..tls.context import client_ssl_context

    if tls is None:
        raise StartError(f"{endpoint}: TLS needs the file of the authorities to trust")
    context = client_ssl_context(tls.ca_bundle, tls.certfile, tls.keyfile, tls.keyfile_password)
    context.set_alpn_protocols(["h2"])
    return context
