"""A client of a plugin server over stdio, which runs the server's command."""

from __future__ import annotations

import shlex

from ..errors import StartError
from ..mcp.stdio_client import StdioClientTransport
from . import ClientTls
from .mcp import McpPluginClient


class StdioClient(McpPluginClient):
    """Sends calls to a child process; make it with `connect`."""

    @classmethod
    async def connect(cls, endpoint: str, tls: ClientTls | None = None, timeout: float = 30.0) -> StdioClient:
        """Start a server and open a session; the server's standard error is that of this process.

        Args:
            endpoint: "stdio:" and the command, quoted as in a shell.
            tls: not used.
            timeout: seconds that a call, and the start, may take.

        Raises:
            StartError: the endpoint holds no command, or the command cannot be run.
            OSError: the server ended or did not answer.
        """
        try:
            command = shlex.split(endpoint.partition(":")[2])
        except ValueError as error:
            raise StartError(f"{endpoint}: {error}") from None
        if not command:
            raise StartError(f"{endpoint}: the command is missing; write it as 'stdio:python -m package serve'")
        client = cls(await StdioClientTransport.start(command), timeout)
        await client.open()
        return client
