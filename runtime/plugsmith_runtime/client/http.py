"""A client of a plugin server over HTTP, on TCP, TLS or a Unix socket."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

from ..errors import StartError
from ..mcp.http_client import HttpClientTransport, tcp_connector, unix_connector
from ..tls.context import client_ssl_context
from . import ClientTls
from .mcp import McpPluginClient


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
            transport = _transport(endpoint, tls, token)
        except ValueError as error:
            raise StartError(f"{endpoint}: {error}; write it as http://host:port/mcp") from None
        client = cls(transport, timeout)
        await client.open()
        return client


def _transport(endpoint: str, tls: ClientTls | None, token: str | None) -> HttpClientTransport:
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
