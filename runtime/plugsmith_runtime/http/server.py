"""HTTP server: an ASGI application on a listening socket, in an event loop that is already running."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from ..net.connections import ConnectionSet
from ..net.sockets import Acceptor, SocketProvider
from .config import HttpConfig, ServerState
from .lifespan import Lifespan
from .protocol import HttpProtocol
from .responses import AsgiApp
from .security import AllowList

if TYPE_CHECKING:
    from ..tls.settings import TlsSettings

# What a cancelled request gets to end in.
_CANCEL_SECONDS = 1.0


class HttpServer:
    """Serves an ASGI application; it takes no signals and starts no processes.

    Args:
        app: the application.
        config: limits.
        tls: certificates; None for plaintext.
    """

    def __init__(self, app: AsgiApp, config: HttpConfig, tls: TlsSettings | None = None) -> None:
        self._lifespan = Lifespan(app, config.lifespan)
        if tls and tls.allowed_clients:
            app = AllowList(app, tls.allowed_clients)
        self._app = app
        self._config = config
        self._tls = tls
        self._state = ServerState()
        self._connections: ConnectionSet[HttpProtocol] = ConnectionSet("http")
        self._socket: socket.socket | None = None
        self._acceptor: Acceptor | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self, sock: socket.socket, listeners: SocketProvider) -> None:
        """Start the application up, and accept connections.

        Args:
            sock: the listening socket; `stop` closes it.
            listeners: accepts on it.

        Raises:
            LifespanError: the application cannot start.
        """
        self._socket = sock
        context = None
        if self._tls:
            from ..tls.context import server_ssl_context

            context = server_ssl_context(self._tls)
        await self._lifespan.startup()
        self._state.lifespan_state = self._lifespan.state
        self._acceptor = await listeners.serve(self._connection, sock, context, self._config.read_timeout)
        self._tick()

    async def stop(self, grace: float) -> None:
        """Accept no more, let requests in flight finish, and shut the application down.

        Args:
            grace: seconds that requests in flight get.

        Raises:
            LifespanError: the application failed while it shut down.
        """
        if self._acceptor is None:
            # The application has not started.
            if self._socket is not None:
                self._socket.close()
        else:
            end = asyncio.get_running_loop().time() + grace
            await self._connections.drain([self._acceptor], grace)
            await self._finish_tasks(end)
        if self._timer is not None:
            self._timer.cancel()
        await self._lifespan.shutdown()

    def _connection(self) -> HttpProtocol:
        return HttpProtocol(self._app, self._config, self._state, self._connections, self._tls is not None)

    async def _finish_tasks(self, end: float) -> None:
        """Wait for what applications do after their responses until `end`, in the loop's time, then cancel it."""
        remaining = max(0.0, end - asyncio.get_running_loop().time())
        for timeout in (remaining, _CANCEL_SECONDS):
            if tasks := list(self._state.tasks):
                await asyncio.wait(tasks, timeout=timeout)
            for task in self._state.tasks:
                task.cancel()

    def _tick(self) -> None:
        """Renew the Date header, and look after the connections' times."""
        loop = asyncio.get_running_loop()
        self._state.update_date()
        now = loop.time()
        for connection in self._connections:
            connection.check_deadlines(now)
        config = self._config
        self._timer = loop.call_later(min(1.0, config.read_timeout / 4, config.idle_timeout / 4), self._tick)
