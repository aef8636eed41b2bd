"""The ASGI application: MCP at /mcp, and whether the server lives and is ready."""

from __future__ import annotations

from collections.abc import Callable

from ...codecs.mcp import McpEndpoint, Refusal, Sender, decode, error_message
from ...codecs.mcp.jsonrpc import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    OVERLOADED,
    PARSE_ERROR,
    UNSUPPORTED_VERSION,
    readable_id,
)
from ...codecs.mcp.versions import STATELESS_VERSION, SUPPORTED_VERSIONS, UNNAMED_VERSION, unsupported_version
from ...host import Host
from ...status import StatusPages
from ...tls import scope_identity
from . import guards
from .bodies import read_body
from .responses import RETRY_AFTER, HttpRefusal, Receive, Scope, Send, send_empty, send_json, send_refusal

_VERSIONS = {version.encode(): version for version in SUPPORTED_VERSIONS}
_BAD_REQUEST = (PARSE_ERROR, INVALID_REQUEST, HEADER_MISMATCH, UNSUPPORTED_VERSION)
_STATUS = {**dict.fromkeys(_BAD_REQUEST, 400), OVERLOADED: 503}
# From 2026-07-28 on the status says as much as the error code; before, an error of a method came with 200.
_STATUS_STATELESS = {**_STATUS, INVALID_PARAMS: 400, METHOD_NOT_FOUND: 404}
_ALLOW_POST = (b"allow", b"POST")


class McpApp:
    """Answers HTTP requests.

    Args:
        host: says whether the server is ready.
        endpoint: answers MCP messages.
        max_message_bytes: the largest body that is read.
        check_origin: protects against requests that web pages make; None where browsers cannot come.
        tls: whether clients may show certificates.
    """

    def __init__(
        self,
        host: Host,
        endpoint: McpEndpoint,
        max_message_bytes: int,
        check_origin: Callable[[guards.Headers], None] | None,
        tls: bool,
    ) -> None:
        self._host = host
        self._pages = StatusPages(host)
        self._endpoint = endpoint
        self._limit = max_message_bytes
        self._check_origin = check_origin
        self._tls = tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            if scope["path"] in ("/mcp", "/mcp/"):
                await self._mcp(scope, receive, send)
            else:
                await self._status(scope, send)
        except HttpRefusal as refusal:
            await send_refusal(send, refusal)

    async def _mcp(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            raise HttpRefusal(405, "this server has no sessions and no streams: use POST", _ALLOW_POST)
        headers = guards.wanted_headers(scope)
        if self._check_origin is not None:
            self._check_origin(headers)
        guards.check_media_types(headers)
        body = await read_body(headers, receive, self._limit)
        if body is None:
            return
        named = headers.get(guards.VERSION)
        version = UNNAMED_VERSION if named is None else _VERSIONS.get(named, "")
        message = None
        try:
            message = decode(body)
            if not version:
                raise unsupported_version((named or b"").decode("latin-1"))
            if version == STATELESS_VERSION:
                guards.check_routing(headers, message)
            identity = scope_identity(scope) if self._tls else None
            trace = guards.trace(headers) if self._host.tracer else None
            code, reply = await self._endpoint.answer(message, Sender(version, identity, len(body), trace))
        except Refusal as refusal:
            code, reply = refusal.code, error_message(readable_id(message), refusal)
        if reply is None:
            await send_empty(send, 202)
        elif not code:
            await send_json(send, 200, reply)
        else:
            table = _STATUS_STATELESS if version == STATELESS_VERSION else _STATUS
            status = table.get(code, 200)
            await send_json(send, status, reply, *([RETRY_AFTER] if status == 503 else []))

    async def _status(self, scope: Scope, send: Send) -> None:
        page = await self._pages.answer(scope)
        if page is None:
            raise HttpRefusal(404, "not found: MCP is at /mcp")
        await page.send(send)
