"""The admin listener: health and metrics on a port of their own, whatever the transports are."""

from __future__ import annotations

from ..host.host import Host
from ..http.responses import HttpError, Receive, Scope, Send, send_body, send_error
from ..http.security import OriginCheck, is_loopback_name, pick_headers
from ..http.server import HttpServer
from ..net.connections import ConnectionLimiter
from ..net.sockets import SocketProvider, format_address
from ..observability.status import StatusPages
from .settings import AdminSettings, Limits, http_config

_PORT_HELP = "choose another port with PLUGINS_ADMIN_PORT"

# For a few scrapers and probes.
_MAX_CONNECTIONS = 100

_GRACE_SECONDS = 1.0


class AdminListener:
    """Serves the status pages by plain HTTP.

    Args:
        host: knows how the server is.
        settings: where to listen.
        limits: what a connection may do, as on the HTTP transport.
        listeners: opens the socket.
    """

    def __init__(self, host: Host, settings: AdminSettings, limits: Limits, listeners: SocketProvider) -> None:
        self._pages = StatusPages(host, listening=False)
        self._settings = settings
        self._listeners = listeners
        local = is_loopback_name(settings.host)
        self._check_origin = OriginCheck(settings.host, "PLUGINS_ADMIN_HOST", "plugins") if local else None
        self._started = False
        self._server = HttpServer(self._answer, http_config(limits, ConnectionLimiter(_MAX_CONNECTIONS)))

    async def start(self) -> str:
        """Listen, and return the URL.

        Raises:
            StartError: the address cannot be listened on.
        """
        sock = self._listeners.tcp("admin", self._settings.host, self._settings.port, _PORT_HELP)
        await self._server.start(sock, self._listeners)
        self._started = True
        host, port = sock.getsockname()[:2]
        return f"http://{format_address(host, port)}"

    def serving(self) -> None:
        """The transports take calls from now on."""
        self._pages.listening = True

    async def stop(self) -> None:
        """Close."""
        if self._started:
            await self._server.stop(_GRACE_SECONDS)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self._check_origin is not None:
                self._check_origin(pick_headers(scope))
            page = await self._pages.answer(scope)
            if page is None:
                raise HttpError(404, "not found: there are /health, /ready and /metrics")
            content_type = (b"content-type", page.content_type.encode("latin-1"))
            await send_body(send, page.status, content_type, page.body, *page.headers)
        except HttpError as error:
            await send_error(send, error)
