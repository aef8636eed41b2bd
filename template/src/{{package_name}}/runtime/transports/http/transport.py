"""Runs the application on uvicorn, inside an event loop that is already running and on sockets of our own."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from email.utils import formatdate
from typing import Any

import uvicorn

from ...codecs.mcp import McpEndpoint
from ...host import Host
from ...listeners import Listeners
from ...settings import ServerSettings
from ...tls import check_tls, server_ssl_context
from . import guards
from .app import McpApp

logger = logging.getLogger(__name__)

# Above the minute for which proxies and the gateways' clients keep an idle connection, so that they close it, not us.
_KEEP_ALIVE_SECONDS = 75
_PATH_HELP = "choose another path with --uds or PLUGINS_SERVER_UDS"
_PORT_HELP = "choose another port with --port or PLUGINS_SERVER_PORT"


class HttpTransport:
    """MCP over HTTP on a TCP port or a Unix socket.

    Args:
        host: runs the hooks.
        settings: where to listen, TLS, and the largest message.
        listeners: opens the socket.
    """

    name = "http"

    def __init__(self, host: Host, settings: ServerSettings, listeners: Listeners) -> None:
        self._listeners = listeners
        self._host = host
        self._settings = settings
        self._server: uvicorn.Server | None = None
        self._socket: socket.socket | None = None
        self._clock: asyncio.TimerHandle | None = None
        self.finished: asyncio.Event | None = None

    async def start(self) -> list[str]:
        """Listen.

        Returns:
            The endpoint, with the real port.

        Raises:
            StartError: the address is taken, or TLS cannot be served as asked.
        """
        http = self._settings.http
        if http.tls:
            check_tls(http.tls, "http", http.uds)
        if http.uds:
            self._socket = self._listeners.unix("http", http.uds, _PATH_HELP)
        else:
            self._socket = self._listeners.tcp("http", http.host, http.port, _PORT_HELP)
        self._server = server = uvicorn.Server(self._config())
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup(sockets=[self._socket])
        self._tick()
        if http.uds:
            return [f"http+unix://{http.uds}"]
        address, port = self._socket.getsockname()[:2]
        location = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        return [f"{'https' if http.tls else 'http'}://{location}/mcp"]

    async def stop(self, grace: float) -> None:
        """Accept no more, let requests in flight finish, and close.

        Args:
            grace: seconds that requests in flight get.
        """
        if self._server is None:
            return
        if self._clock:
            self._clock.cancel()
        for listener in self._server.servers:
            listener.close()
        # Requests that have arrived but were not read yet are in flight too: give the loop one round to read them.
        await asyncio.sleep(0.01)
        self._server.config.timeout_graceful_shutdown = grace  # type: ignore[assignment]
        await self._server.shutdown(sockets=[self._socket] if self._socket else None)
        if self._settings.http.uds:
            self._listeners.remove(self._settings.http.uds)
        self._server = None

    def _config(self) -> uvicorn.Config:
        tls = self._settings.http.tls
        options: dict[str, Any] = {}
        app: Any = self._app()
        if tls:
            from ...tls.http_server import AllowList, identity_protocol

            options["http"] = identity_protocol()
            if tls.allowed_clients:
                app = AllowList(app, tls.allowed_clients)
        config = uvicorn.Config(
            app,
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            **options,
        )
        config.load()
        if tls:
            config.ssl = server_ssl_context(tls)
        return config

    def _app(self) -> McpApp:
        http = self._settings.http
        check = guards.check_loopback if guards.is_loopback_name(http.host) else guards.check_same_origin
        endpoint = McpEndpoint(self._host, self.name)
        limit = self._settings.limits.message_bytes
        return McpApp(self._host, endpoint, limit, None if http.uds else check, tls=http.tls is not None)

    def _tick(self) -> None:
        """Renew the Date header once a second; uvicorn's own loop, which would, is not run here."""
        if self._server is not None:
            date = formatdate(time.time(), usegmt=True).encode()
            self._server.server_state.default_headers = [(b"date", date)]
            self._clock = asyncio.get_running_loop().call_later(1.0, self._tick)
