"""Where HTTP listens, and what is served there."""

from __future__ import annotations

import asyncio

from ...host.host import Host
from ...http.security import OriginCheck, TokenCheck
from ...http.server import HttpServer
from ...mcp import McpEndpoint
from ...net.listeners import SocketProvider
from ...net.peer_credentials import AllowedUsers
from ...net.sockets import format_address
from ..docker import DockerHandler
from ..settings import ServerSettings, http_config
from .app import TOKEN_HEADER, HttpApp
from .routes import DockerRoute, McpRoute

_PATH_HELP = "choose another path with --uds or PLUGINS_SERVER_UDS"
_PORT_HELP = "choose another port with --port or PLUGINS_SERVER_PORT"


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
        mcp = McpRoute(McpEndpoint(self._host, self.name, self._settings.package))
        return HttpApp(
            self._host,
            {"/mcp": mcp, "/mcp/": mcp, "/call": DockerRoute(DockerHandler(self._host, self.name))},
            self._settings.limits.message_bytes,
            None if http.uds else OriginCheck(http.host, "PLUGINS_SERVER_HOST", "plugins"),
            TokenCheck(http.token, TOKEN_HEADER, "PLUGINS_SERVER_TOKEN") if http.token is not None else None,
            tls=http.tls is not None,
        )
