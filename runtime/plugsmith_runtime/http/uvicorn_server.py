"""A uvicorn server inside an event loop that is already running: without signals, workers and log files of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import uvicorn

from ..net.listeners import SocketProvider
from .connection import Policy

if TYPE_CHECKING:
    from ..tls.settings import TlsSettings


class UvicornServer:
    """Serves an ASGI application on a listening socket.

    Args:
        app: the application.
        tls: certificates; None for plain text.
        policy: what holds for all connections.
    """

    def __init__(self, app: Any, tls: TlsSettings | None, policy: Policy) -> None:
        self._policy = policy
        self._config = _config(app, tls, policy)
        self._server = uvicorn.Server(self._config)
        self._server.lifespan = self._config.lifespan_class(self._config)
        self._clock: asyncio.TimerHandle | None = None

    async def start(self, sock: socket.socket, listeners: SocketProvider) -> None:
        """Accept connections.

        Args:
            sock: the socket; it is closed by `stop`.
            listeners: where it comes from.
        """
        config, server = self._config, self._server
        self._sock = sock

        def make() -> asyncio.Protocol:
            return config.http_protocol_class(config, server.server_state, {})  # type: ignore[call-arg]

        listener: Any = await listeners.serve(make, sock, config.ssl, self._policy.limits.read_time)
        server.servers = [listener]
        self._tick()

    async def stop(self, grace: float) -> None:
        """Accept no more, let requests in flight finish, and close.

        Args:
            grace: seconds that requests in flight get.
        """
        for listener in self._server.servers:
            listener.close()
        # Requests that have arrived but were not read yet are in flight too: give the loop one round to read them.
        await asyncio.sleep(0.01)
        self._config.timeout_graceful_shutdown = grace  # type: ignore[assignment]
        await self._server.shutdown(sockets=[self._sock])
        if self._clock:
            self._clock.cancel()

    def _tick(self) -> None:
        """Renew the Date header, which uvicorn's own loop would, and look after the connections' times."""
        loop = asyncio.get_running_loop()
        date = formatdate(time.time(), usegmt=True).encode()
        self._server.server_state.default_headers = [(b"date", date)]
        now = loop.time()
        connections: list[Any] = list(self._server.server_state.connections)
        for connection in connections:
            connection.check(now)
        limits = self._policy.limits
        self._clock = loop.call_later(min(1.0, limits.read_time / 4, limits.idle / 4), self._tick)


def _config(app: Any, tls: TlsSettings | None, policy: Policy) -> uvicorn.Config:
    protocol = _protocol(policy)
    if tls:
        from .client_certificates import AllowList, identity_protocol

        protocol = identity_protocol(protocol)
        if tls.allowed_clients:
            app = AllowList(app, tls.allowed_clients)
    config = uvicorn.Config(
        app,
        http=protocol,
        interface="asgi3",
        lifespan="off",
        ws="none",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=policy.limits.idle,  # type: ignore[arg-type]
        h11_max_incomplete_event_size=policy.limits.header_bytes,
    )
    config.load()
    if tls:
        from ..tls.context import server_ssl_context

        config.ssl = server_ssl_context(tls)
    return config


def _protocol(policy: Policy) -> type[Any]:
    """Make the protocol class of a server."""
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    if hasattr(AutoHTTPProtocol, "on_headers_complete"):
        from .httptools_connection import HttptoolsConnection as Connection
    else:
        from .h11_connection import H11Connection as Connection  # type: ignore[assignment]
    return type("LimitedProtocol", (Connection, AutoHTTPProtocol), {"policy": policy})
