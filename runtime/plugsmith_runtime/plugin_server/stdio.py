"""The stdio transport: MCP over standard input and output, one JSON message a line."""

from __future__ import annotations

import asyncio

from ..host.host import Host
from ..mcp.stdio import StdioServer
from ..mcp.stdio_streams import StandardStreams
from ..net.sockets import SocketProvider
from .hook_tools import hook_server
from .settings import ServerSettings


class StdioTransport:
    """MCP over standard input and output.

    It takes both when it is made: make it before the plugins are loaded, and nothing that they print, not even while
    they are imported, can reach the client.

    Args:
        host: runs the hooks.
        settings: the largest message.
        listeners: not used: the client brings the streams.
    """

    name = "stdio"

    def __init__(self, host: Host, settings: ServerSettings, listeners: SocketProvider) -> None:
        self._host = host
        self._package = settings.package
        self._server = StdioServer(StandardStreams(), settings.limits.message_bytes, "PLUGINS_MAX_MESSAGE_BYTES")
        self.finished: asyncio.Event | None = self._server.finished

    async def start(self) -> list[str]:
        """Begin to read; `finished` is set when the input has ended and all its messages are answered."""
        await self._server.start(hook_server(self._host, self.name, self._package))
        return ["stdio:"]

    async def stop(self, grace: float) -> None:
        """Read no more, let calls in flight finish, write their answers, and give the descriptors back.

        Args:
            grace: seconds that calls in flight and their answers get.
        """
        await self._server.stop(grace)
