"""The ASGI application: MCP at /mcp, the calls of Docker's gateway at /call, and pages that say how the server is."""

from __future__ import annotations

from collections.abc import Mapping

from ...host.host import Host
from ...http.requests import Check, JsonRequestReader
from ...http.responses import (
    JSON,
    RETRY_AFTER,
    TEXT,
    AsgiApp,
    HttpError,
    Receive,
    Scope,
    Send,
    send_body,
    send_error,
)
from ...http.security import pick_headers, trace_context
from ...observability.status import StatusPages
from ...tls.identity import scope_identity
from ..docker import DockerHandler

_PUBLIC_PATHS = ("/health", "/ready")


class HttpApp:
    """Answers HTTP requests.

    Args:
        host: says how the server is.
        apps: what answers the other requests, by path.
        check_origin: protects the pages against requests that web pages make; None where browsers cannot come.
    """

    def __init__(self, host: Host, apps: Mapping[str, AsgiApp], check_origin: Check | None) -> None:
        self._apps = apps
        self._pages = StatusPages(host)
        self._check_origin = check_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app = self._apps.get(scope["path"])
        if app is not None:
            await app(scope, receive, send)
            return
        try:
            await self._page(scope, send)
        except HttpError as error:
            await send_error(send, error)

    async def _page(self, scope: Scope, send: Send) -> None:
        page = await self._pages.answer(scope)
        if page is None:
            raise HttpError(404, "not found: MCP is at /mcp")
        # Whoever asks for health has no secret to learn; metrics name plugins and tell how busy they are.
        if scope["path"] not in _PUBLIC_PATHS and self._check_origin is not None:
            self._check_origin(pick_headers(scope))
        content_type = (b"content-type", page.content_type.encode("latin-1"))
        await send_body(send, page.status, content_type, page.body, *page.headers)


class DockerApp:
    """The calls of Docker's MCP gateway.

    Args:
        handler: answers the calls.
        reader: checks and reads the requests.
        tls: whether clients may show certificates.
        traced: whether calls are put into traces.
    """

    def __init__(self, handler: DockerHandler, reader: JsonRequestReader, tls: bool, traced: bool) -> None:
        self._handler = handler
        self._reader = reader
        self._tls = tls
        self._traced = traced

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            if scope["method"] != "POST":
                raise HttpError(405, "this server has no sessions and no streams: use POST", (b"allow", b"POST"))
            request = await self._reader.read(scope, receive)
        except HttpError as error:
            await send_error(send, error)
            return
        if request is None:
            return
        headers, body = request
        identity = scope_identity(scope) if self._tls else None
        status, text = await self._handler.answer(body, identity, trace_context(headers) if self._traced else None)
        retry = [RETRY_AFTER] if status == 503 else []
        await send_body(send, status, JSON if status == 200 else TEXT, text, *retry)
