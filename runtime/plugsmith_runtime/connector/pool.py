"""The connections to one server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..client import Client


class Pool:
    """Connections that share the calls.

    Args:
        connect: opens a connection.
        wanted: how many to keep open.
    """

    def __init__(self, connect: Callable[[], Awaitable[Client]], wanted: int) -> None:
        self._connect = connect
        self._wanted = wanted
        self._clients: list[Client] = []
        self._next = 0
        self._opening: asyncio.Task[Client] | None = None

    @property
    def connected(self) -> bool:
        """Whether a connection stands, as far as is known."""
        return any(client.usable for client in self._clients)

    @property
    def complete(self) -> bool:
        """Whether as many connections stand as are wanted."""
        return sum(client.usable for client in self._clients) >= self._wanted

    def pick(self) -> Client | None:
        """The connection for the next call, each in turn; None when none stands."""
        for _ in self._clients:
            self._next = (self._next + 1) % len(self._clients)
            client = self._clients[self._next]
            if client.usable:
                return client
        return None

    async def open(self) -> Client:
        """Open one more connection; callers at the same time share the attempt.

        Raises:
            StartError: a certificate cannot be used, or a package is missing.
            OSError: the server cannot be reached.
        """
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_task(self._open())
            self._opening.add_done_callback(self._opened)
        # A caller that is cancelled leaves the attempt to the others.
        return await asyncio.shield(self._opening)

    async def drop(self, client: Client) -> None:
        """Close a connection that is of no use any more."""
        if client in self._clients:
            self._clients.remove(client)
            await client.close()

    async def sweep(self) -> int:
        """Close the connections that the server has closed; returns how many they were."""
        gone = [client for client in self._clients if not client.usable]
        for client in gone:
            await self.drop(client)
        return len(gone)

    def keep_only(self, client: Client) -> list[Client]:
        """Take all other connections out of use without closing them; returns them."""
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
            task.exception()  # every caller has it; when all were cancelled nobody misses it
