"""Where HTTP listens, and what is served there."""

from __future__ import annotations

import asyncio

from ...host.host import Host
from ...http.requests import Check, JsonRequestReader
from ...http.security import CHECKED, TRACE_CONTEXT, OriginCheck, TokenCheck, trace_context
from ...http.server import HttpServer
from ...mcp.http_headers import MCP_HEADERS
from ...mcp.streamable_http import StreamableHttp
from ...net.listeners import SocketProvider
from ...net.peer_credentials import AllowedUsers
from ...net.sockets import format_address
from ...tls.identity import scope_identity
from ..docker import DockerHandler
from ..hook_tools import hook_server
from ..settings import ServerSettings, http_config
from .app import DockerApp, HttpApp

_PATH_HELP = "choose another path with --uds or PLUGINS_SERVER_UDS"
_PORT_HELP = "choose another port with --port or PLUGINS_SERVER_PORT"

_TOKEN_HEADER = "X-Plugin-Token"
_WANTED_HEADERS = CHECKED | TRACE_CONTEXT | MCP_HEADERS | {_TOKEN_HEADER.lower().encode()}


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
            from ...tls.check import check_tls

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
