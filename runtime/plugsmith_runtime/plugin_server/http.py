"""The transport HTTP: MCP at /mcp, the calls of Docker's gateway at /call, and pages that say how the server is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ..host.host import Host
from ..http.requests import Check, JsonRequestReader
from ..http.responses import (
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
from ..http.security import CHECKED, TRACE_CONTEXT, OriginCheck, TokenCheck, pick_headers, trace_context
from ..http.server import HttpServer
from ..mcp.protocol import MCP_HEADERS
from ..mcp.streamable_http import StreamableHttp
from ..net.connections import AllowedUsers
from ..net.sockets import SocketProvider, format_address
from ..observability.status import StatusPages
from ..tls.identity import scope_identity
from .docker import DockerHandler
from .hook_tools import hook_server
from .settings import ServerSettings, http_config

_PATH_HELP = "choose another path with --uds or PLUGINS_SERVER_UDS"
_PORT_HELP = "choose another port with --port or PLUGINS_SERVER_PORT"

_PUBLIC_PATHS = ("/health", "/ready")
_TOKEN_HEADER = "X-Plugin-Token"
_WANTED_HEADERS = CHECKED | TRACE_CONTEXT | MCP_HEADERS | {_TOKEN_HEADER.lower().encode()}


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


class HttpTransport:
    """MCP over HTTP on a TCP port or a Unix socket.

    Args:
        host: runs the hooks.
        settings: where to listen, TLS, and the limits.
        listeners: opens the socket.
    """

    name = "http"

    def __init__(self, host: Host, settings: ServerSettings, listeners: SocketProvider) -> None:
        self._listeners = listeners
        self._host = host
        self._settings = settings
        self._server: HttpServer | None = None
        self.finished: asyncio.Event | None = None

    async def start(self) -> list[str]:
        """Listen.

        Returns:
            The endpoint, with the real port.

        Raises:
            StartError: the address is taken, or TLS or the limits cannot be served as asked.
        """
        http, limits = self._settings.http, self._settings.limits
        if http.tls:
            from ..tls.check import check_tls

            check_tls(http.tls, "http", http.uds)
        users = AllowedUsers()
        if http.uds:
            users = AllowedUsers(limits.uids, "PLUGINS_ALLOWED_UIDS")
            sock = self._listeners.unix("http", http.uds, _PATH_HELP)
        else:
            sock = self._listeners.tcp("http", http.host, http.port, _PORT_HELP)
        self._server = HttpServer(self._app(), http_config(limits, self._host.connections, users), http.tls)
        await self._server.start(sock, self._listeners)
        if http.uds:
            return [f"http+unix://{http.uds}"]
        address, port = sock.getsockname()[:2]
        return [f"{'https' if http.tls else 'http'}://{format_address(address, port)}/mcp"]

    async def stop(self, grace: float) -> None:
        """Accept no more, let requests in flight finish, and close.

        Args:
            grace: seconds that requests in flight get.
        """
        if self._server is None:
            return
        if self._settings.http.uds:
            # The file goes first: once the socket is closed, a new server may have put its own there.
            self._listeners.remove(self._settings.http.uds)
        await self._server.stop(grace)
        self._server = None

    def _app(self) -> HttpApp:
        http = self._settings.http
        check_origin = None if http.uds else OriginCheck(http.host, "PLUGINS_SERVER_HOST", "plugins")
        checks: list[Check] = [] if check_origin is None else [check_origin]
        if http.token is not None:
            checks.append(TokenCheck(http.token, _TOKEN_HEADER, "PLUGINS_SERVER_TOKEN"))
        limit = self._settings.limits.message_bytes
        reader = JsonRequestReader(limit, checks, _WANTED_HEADERS, "PLUGINS_MAX_MESSAGE_BYTES")
        tls, traced = http.tls is not None, self._host.tracer is not None
        mcp = StreamableHttp(
            hook_server(self._host, self.name, self._settings.package),
            reader,
            identity=scope_identity if tls else None,
            trace=trace_context if traced else None,
        )
        docker = DockerApp(DockerHandler(self._host, self.name), reader, tls, traced)
        return HttpApp(self._host, {"/mcp": mcp, "/mcp/": mcp, "/call": docker}, check_origin)
