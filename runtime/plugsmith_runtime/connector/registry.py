"""Registry of this process's connections: plugins with equal settings share one."""

from __future__ import annotations

import asyncio
from typing import Any

from .config import ConnectionConfig
from .connection import RemoteConnection

_Key = tuple[asyncio.AbstractEventLoop, ConnectionConfig]


class ConnectionRegistry:
    """Reference-counted connections, by event loop and settings.

    Sharing covers the entries of a plugins file, the plugins of several packages that import the same connector, and
    the copies that a gateway makes of one plugin for its virtual servers.
    """

    def __init__(self) -> None:
        self._connections: dict[_Key, tuple[RemoteConnection, set[Any]]] = {}

    def acquire(self, config: ConnectionConfig, owner: Any) -> RemoteConnection:
        """The connection for some settings in the running event loop.

        Args:
            config: the settings.
            owner: who uses the connection until it calls `release`.
        """
        key = (asyncio.get_running_loop(), config)
        if key not in self._connections:
            self._connections[key] = (RemoteConnection(config), set())
        connection, owners = self._connections[key]
        owners.add(owner)
        return connection

    async def release(self, config: ConnectionConfig, owner: Any) -> None:
        """Close the connection when its last owner releases it.

        Args:
            config: the settings.
            owner: who called `acquire`.
        """
        key = (asyncio.get_running_loop(), config)
        if key not in self._connections:
            return
        connection, owners = self._connections[key]
        owners.discard(owner)
        if not owners:
            del self._connections[key]
            await connection.close()


CONNECTIONS = ConnectionRegistry()
"""The connections of this process."""
