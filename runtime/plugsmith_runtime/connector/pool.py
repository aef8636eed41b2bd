"""Pool of connections to one server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..client import Client


class Pool:
    """Connection pool: the calls go round-robin over its connections.

    Args:
        connect: opens a connection.
        size: connections to keep open.
    """

    def __init__(self, connect: Callable[[], Awaitable[Client]], size: int) -> None:
        self._connect = connect
        self._size = size
        self._clients: list[Client] = []
        self._next = 0
        self._opening: asyncio.Task[Client] | None = None

    @property
    def connected(self) -> bool:
        """Whether a connection is open, as far as the client knows."""
        return any(client.usable for client in self._clients)

    @property
    def complete(self) -> bool:
        """Whether all connections are open."""
        return sum(client.usable for client in self._clients) >= self._size

    def pick(self) -> Client | None:
        """The connection for the next call, or None when no connection is open."""
        for _ in self._clients:
            self._next = (self._next + 1) % len(self._clients)
            client = self._clients[self._next]
            if client.usable:
                return client
        return None

    async def open(self) -> Client:
        """Open one more connection; concurrent callers share one attempt.

        Raises:
            StartError: a certificate cannot be used, or a package is missing.
            OSError: the server cannot be reached.
        """
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_task(self._open())
            self._opening.add_done_callback(self._opened)
        # Cancelling one caller must not cancel the attempt of the others.
        return await asyncio.shield(self._opening)

    async def drop(self, client: Client) -> None:
        """Close a connection and take it out of the pool."""
        if client in self._clients:
            self._clients.remove(client)
            await client.close()

    async def sweep(self) -> int:
        """Drop the connections that the server has closed, and return their number."""
        closed = [client for client in self._clients if not client.usable]
        for client in closed:
            await self.drop(client)
        return len(closed)

    def keep_only(self, client: Client) -> list[Client]:
        """Take all other connections out of the pool without closing them, and return them."""
        others = [other for other in self._clients if other is not client]
        self._clients = [client]
        return others

    async def close(self) -> None:
        """Close all connections."""
        if self._opening is not None:
            self._opening.cancel()
        clients, self._clients = self._clients, []
        for client in clients:
            await client.close()

    async def _open(self) -> Client:
        client = await self._connect()
        self._clients.append(client)
        return client

    def _opened(self, task: asyncio.Task[Client]) -> None:
        self._opening = None
        if not task.cancelled():
            task.exception()  # marks it as retrieved: when every caller was cancelled, asyncio would log it
