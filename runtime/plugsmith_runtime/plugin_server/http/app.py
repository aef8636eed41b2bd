"""The ASGI application: MCP at /mcp, the calls of Docker's gateway at /call, and pages that say how the server is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ...host.host import Host
from ...http.responses import HttpError, Receive, Scope, Send, send_body, send_error
from ...http.security import CHECKED, TRACE_CONTEXT, Headers, check_media_types, pick_headers, trace_context
from ...observability.status import StatusPages
from ...tls.identity import scope_identity
from .mcp_headers import MCP_HEADERS
from .requests import Request, read_body

Route = Callable[[Request, Send], Awaitable[None]]

Check = Callable[[Headers], None]
"""Raises HttpError for a request that is not let in."""

TOKEN_HEADER = "X-Plugin-Token"

_ALLOW_POST = (b"allow", b"POST")
_WANTED_HEADERS = CHECKED | TRACE_CONTEXT | MCP_HEADERS | {TOKEN_HEADER.lower().encode()}


class HttpApp:
    """Answers HTTP requests.

    Args:
        host: says how the server is.
        routes: what answers POST requests, by path.
        max_message_bytes: the largest body that is read.
        check_origin: protects against requests that web pages make; None where browsers cannot come.
        check_token: checks what callers must show; None when they need not.
        tls: whether clients may show certificates.
    """

    def __init__(
        self,
        host: Host,
        routes: dict[str, Route],
        max_message_bytes: int,
        check_origin: Check | None,
        check_token: Check | None,
        tls: bool,
    ) -> None:
        self._host = host
        self._routes = routes
        self._pages = StatusPages(host)
        self._limit = max_message_bytes
        self._check_origin = check_origin
        self._check_token = check_token
        self._tls = tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            route = self._routes.get(scope["path"])
            if route is None:
                await self._page(scope, send)
            elif request := await self._read(scope, receive):
                await route(request, send)
        except HttpError as error:
            await send_error(send, error)

    async def _read(self, scope: Scope, receive: Receive) -> Request | None:
        """Check and read a request; None when the client is gone."""
        if scope["method"] != "POST":
            raise HttpError(405, "this server has no sessions and no streams: use POST", _ALLOW_POST)
        headers = pick_headers(scope, _WANTED_HEADERS)
        if self._check_origin is not None:
            self._check_origin(headers)
        if self._check_token is not None:
            self._check_token(headers)
        check_media_types(headers)
        body = await read_body(headers, receive, self._limit)
        if body is None:
            return None
        identity = scope_identity(scope) if self._tls else None
        return Request(headers, body, identity, trace_context(headers) if self._host.tracer else None)

    async def _page(self, scope: Scope, send: Send) -> None:
        page = await self._pages.answer(scope)
        if page is None:
            raise HttpError(404, "not found: MCP is at /mcp")
        # Whoever asks for health has no secret to learn; metrics name plugins and tell how busy they are.
        if scope["path"] not in ("/health", "/ready") and self._check_origin is not None:
            self._check_origin(pick_headers(scope))
        content_type = (b"content-type", page.content_type.encode("latin-1"))
        await send_body(send, page.status, content_type, page.body, *page.headers)
