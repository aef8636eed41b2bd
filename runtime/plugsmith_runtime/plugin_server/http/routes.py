"""What is served at /mcp and at /call: from a request to a codec, and from its answer to an HTTP status."""

from __future__ import annotations

from ...http.responses import JSON, RETRY_AFTER, TEXT, Send, send_body, send_empty
from ...mcp import JsonRpcError, McpEndpoint, Sender, decode, error_message
from ...mcp.jsonrpc import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    OVERLOADED,
    PARSE_ERROR,
    UNSUPPORTED_VERSION,
    readable_id,
)
from ...mcp.versions import STATELESS_VERSION, SUPPORTED_VERSIONS, UNNAMED_VERSION, unsupported_version
from ..docker import DockerHandler
from .mcp_headers import VERSION, check_routing
from .requests import Request

_VERSIONS = {version.encode(): version for version in SUPPORTED_VERSIONS}
_BAD_REQUEST = (PARSE_ERROR, INVALID_REQUEST, HEADER_MISMATCH, UNSUPPORTED_VERSION)
_STATUS = {**dict.fromkeys(_BAD_REQUEST, 400), OVERLOADED: 503}
# From 2026-07-28 on the status says as much as the error code; before, an error of a method came with 200.
_STATUS_STATELESS = {**_STATUS, INVALID_PARAMS: 400, METHOD_NOT_FOUND: 404}


class McpRoute:
    """MCP, one message or batch in a request.

    Args:
        endpoint: answers the messages.
    """

    def __init__(self, endpoint: McpEndpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, request: Request, send: Send) -> None:
        """Answer one request."""
        headers, body, identity, trace = request
        named = headers.get(VERSION)
        version = UNNAMED_VERSION if named is None else _VERSIONS.get(named, "")
        message = None
        try:
            message = decode(body)
            if not version:
                raise unsupported_version((named or b"").decode("latin-1"))
            if version == STATELESS_VERSION:
                check_routing(headers, message)
            code, reply = await self._endpoint.answer(message, Sender(version, identity, len(body), trace))
        except JsonRpcError as refusal:
            code, reply = refusal.code, error_message(readable_id(message), refusal)
        if reply is None:
            await send_empty(send, 202)
        elif not code:
            await send_body(send, 200, JSON, reply)
        else:
            status = (_STATUS_STATELESS if version == STATELESS_VERSION else _STATUS).get(code, 200)
            await send_body(send, status, JSON, reply, *([RETRY_AFTER] if status == 503 else []))


class DockerRoute:
    """The calls of Docker's MCP gateway.

    Args:
        endpoint: answers the calls.
    """

    def __init__(self, endpoint: DockerHandler) -> None:
        self._endpoint = endpoint

    async def __call__(self, request: Request, send: Send) -> None:
        """Answer one request."""
        status, body = await self._endpoint.answer(request.body, request.identity, request.trace)
        retry = [RETRY_AFTER] if status == 503 else []
        await send_body(send, status, JSON if status == 200 else TEXT, body, *retry)
