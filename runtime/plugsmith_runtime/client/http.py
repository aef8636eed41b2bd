"""A client of MCP over HTTP, on TCP, TLS or a Unix socket."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any
from urllib.parse import urlsplit

from ..errors import StartError
from ..exact_json import dumps, loads
from ..http.client import Connection, HttpAnswer
from ..tls.context import client_ssl_context
from . import ClientTls
from .mcp import McpClient, McpError

_ACCEPT = "application/json, text/event-stream"


class HttpClient(McpClient):
    """Keeps one connection for each call in flight; make it with `connect`."""

    def __init__(self, endpoint: str, tls: ClientTls | None, timeout: float, token: str | None) -> None:
        super().__init__()
        self._token = token
        parts = urlsplit(endpoint)
        self._timeout = timeout
        self._idle: list[Connection] = []
        self._session: str | None = None
        self._negotiated = False
        self._closed = False
        self._uds = parts.path if parts.scheme == "http+unix" else None
        self._path = "/mcp" if self._uds else parts.path or "/mcp"
        self._host = parts.hostname or "localhost"
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._authority = "localhost" if self._uds else parts.netloc.rpartition("@")[2]
        self._ssl: ssl.SSLContext | None = None
        if parts.scheme == "https":
            if tls is None:
                self._ssl = ssl.create_default_context()
            else:
                self._ssl = client_ssl_context(tls.ca_bundle, tls.certfile, tls.keyfile, tls.keyfile_password)

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
            client = cls(endpoint, tls, timeout, token)
        except ValueError as error:
            raise StartError(f"{endpoint}: {error}; write it as http://host:port/mcp") from None
        try:
            await client.handshake()
        except BaseException:
            await client.close()
            raise
        client._negotiated = True
        return client

    @property
    def usable(self) -> bool:
        """Whether the client may be used; each call connects when it finds no open connection."""
        return not self._closed

    async def exchange(self, message: dict[str, Any]) -> Any:
        """Send a message in a POST, and return the decoded answer; None when the server has none.

        Raises:
            OSError: the connection failed, or the server did not answer in time.
            McpError: the answer is no MCP.
        """
        async with asyncio.timeout(self._timeout):
            connection = await self._connection()
            try:
                answer = await connection.request("POST", self._path, self._headers(), dumps(message))
            except BaseException:
                connection.close()
                raise
        if answer.reusable and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()
        self._session = answer.headers.get("mcp-session-id", self._session)
        return None if answer.status == 202 else _decoded(answer)

    async def close(self) -> None:
        """Close all connections."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _headers(self) -> dict[str, str]:
        headers = {"host": self._authority, "content-type": "application/json", "accept": _ACCEPT}
        if self._token:
            headers["x-plugin-token"] = self._token
        if self._negotiated:
            headers["mcp-protocol-version"] = self.protocol_version
        if self._session:
            headers["mcp-session-id"] = self._session
        return headers

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            connection.close()
        if self._uds:
            return Connection(*await asyncio.open_unix_connection(self._uds))
        return Connection(*await asyncio.open_connection(self._host, self._port, ssl=self._ssl))


def _decoded(answer: HttpAnswer) -> Any:
    body = answer.body
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        lines = [line[5:].strip() for line in body.splitlines() if line.startswith(b"data:")]
        body = lines[-1] if lines else b""
    try:
        return loads(body)
    except ValueError:
        text = body[:200].decode(errors="replace").strip()
        raise McpError(f"HTTP status {answer.status}: {text or 'no body'}") from None
