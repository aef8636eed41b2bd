"""Clients of a plugin server over MCP: HTTP (TCP, TLS, a Unix socket) and stdio."""

from __future__ import annotations

import shlex
import ssl
from typing import Any
from urllib.parse import urlsplit

from .._version import __version__
from ..codec.mcp_tools import GET_PLUGIN_CONFIG, GET_PLUGIN_CONFIGS, INVOKE_HOOK
from ..errors import StartError
from ..exact_json import loads
from ..mcp.client import Client, ClientTransport
from ..mcp.http_client import HttpClientTransport, tcp_connector, unix_connector
from ..mcp.jsonrpc import OVERLOADED, McpError
from ..mcp.stdio_client import StdioClientTransport
from ..tls.context import client_ssl_context
from . import ClientTls


class McpPluginClient:
    """Calls the three tools of a plugin server.

    Args:
        transport: carries the messages.
        timeout: seconds that a call may take.
    """

    def __init__(self, transport: ClientTransport, timeout: float) -> None:
        self._client = Client(transport, {"name": "plugsmith-runtime", "version": __version__}, timeout)

    async def open(self) -> None:
        """Open the session; when that fails, close the connection.

        Raises:
            McpError: it is no MCP server.
            OSError: the server cannot be reached, or does not answer in time.
        """
        try:
            await self._client.initialize()
        except BaseException:
            await self._client.close()
            raise

    @property
    def usable(self) -> bool:
        """Whether a call may be made, as far as is known without asking the server."""
        return self._client.usable

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()

    async def invoke(self, hook: str, plugin: str, payload: Any, context: dict[str, Any] | None) -> dict[str, Any]:
        """Run a hook and return plugin_name, result or error, and context when it carries anything."""
        arguments = {"hook_type": hook, "plugin_name": plugin, "payload": payload, "context": context}
        try:
            reply: dict[str, Any] = await self._call(INVOKE_HOOK, arguments)
        except McpError as error:
            if error.code == OVERLOADED and isinstance(told := error.error.get("data"), dict):
                return {"plugin_name": plugin, "error": told}
            raise
        return reply

    async def plugin_configs(self) -> list[dict[str, Any]]:
        """Return the entries of all plugins."""
        configs = await self._call(GET_PLUGIN_CONFIGS, {})
        return configs if isinstance(configs, list) else [configs]

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        """Return the entry of one plugin, None when the server has no such plugin."""
        return await self._call(GET_PLUGIN_CONFIG, {"name": name}) or None

    async def _call(self, tool: str, arguments: dict[str, Any]) -> Any:
        result = await self._client.call_tool(tool, arguments)
        texts = [block["text"] for block in result.content if block.get("type") == "text"]
        if not texts:
            raise McpError(f"{tool}: the answer holds no text")
        try:
            values = [loads(text.encode()) for text in texts]
        except ValueError:
            raise McpError(f"{tool}: {texts[0]}") from None
        # Servers on the SDK write a list as one text for each item.
        return values if len(values) > 1 else values[0]


class HttpClient(McpPluginClient):
    """Keeps one connection for each call in flight; make it with `connect`."""

    @classmethod
    async def connect(
        cls, endpoint: str, tls: ClientTls | None = None, timeout: float = 30.0, token: str | None = None
    ) -> HttpClient:
        """Open a session.

        Args:
            endpoint: http://host:port/mcp, https://host:port/mcp, or http+unix:// and the socket's path.
            tls: certificates for https; without them the system's authorities count.
            timeout: seconds that a call may take.
            token: what the server wants its callers to show.

        Raises:
            StartError: the endpoint cannot be understood.
            OSError: nobody listens there, or its certificate is not trusted.
            McpError: it is no MCP server.
        """
        try:
            transport = _http_transport(endpoint, tls, token)
        except ValueError as error:
            raise StartError(f"{endpoint}: {error}; write it as http://host:port/mcp") from None
        client = cls(transport, timeout)
        await client.open()
        return client


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


def _http_transport(endpoint: str, tls: ClientTls | None, token: str | None) -> HttpClientTransport:
    parts = urlsplit(endpoint)
    headers = {"x-plugin-token": token} if token else {}
    if parts.scheme == "http+unix":
        return HttpClientTransport("localhost", "/mcp", unix_connector(parts.path), headers)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    context = _ssl_context(tls) if parts.scheme == "https" else None
    connector = tcp_connector(parts.hostname or "localhost", port, context)
    return HttpClientTransport(parts.netloc.rpartition("@")[2], parts.path or "/mcp", connector, headers)


def _ssl_context(tls: ClientTls | None) -> ssl.SSLContext:
    if tls is None:
        return ssl.create_default_context()
    return client_ssl_context(tls.ca_bundle, tls.certfile, tls.keyfile, tls.keyfile_password)
