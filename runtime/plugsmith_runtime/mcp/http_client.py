"""The client side of MCP's Streamable HTTP transport."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterator
from typing import Any

from ..exact_json import dumps, loads
from ..http.client import HttpConnection, HttpResponse
from .client import Message, OnMessage
from .jsonrpc import McpError
from .protocol import STATELESS_VERSION, routing_headers

_ACCEPT = "application/json, text/event-stream"
_EVENT_LIMIT_BYTES = 1 << 30
_SHOWN_BYTES = 200


class HttpClientTransport:
    """Sends each message in a POST, on one connection for each request in flight.

    Args:
        authority: the server's host and port, as the header Host names them.
        path: the path of the endpoint.
        connect: opens a connection.
        headers: headers of every request, for example a token.

    Attributes:
        protocol_version: see ClientTransport.
    """

    def __init__(
        self,
        authority: str,
        path: str,
        connect: Callable[[], Any],
        headers: dict[str, str] | None = None,
    ) -> None:
        self._path = path
        self._connect = connect
        self._headers = {"host": authority, "accept": _ACCEPT, **(headers or {})}
        self._idle: list[HttpConnection] = []
        self._session_id: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.protocol_version: str | None = None

    @property
    def usable(self) -> bool:
        """Whether the client is open; each request connects when it finds no open connection."""
        return not self._closed

    async def request(self, message: Message, on_message: OnMessage) -> Any:
        """See ClientTransport.

        Raises:
            OSError: the connection failed.
            McpError: the answer is no MCP.
        """
        return await self._post(message, on_message)

    async def send(self, message: Message) -> None:
        """See ClientTransport."""
        await self._post(message, _ignore)

    def cancel(self, message: Message) -> None:
        """See ClientTransport. The end of the connection cancels as well, and without sessions nothing else does."""
        if self._session_id is None or self._closed:
            return
        params = {"requestId": message["id"]}
        cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}
        task = asyncio.get_running_loop().create_task(self._send_quietly(cancelled))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def listen(self, on_open: Callable[[], None], on_message: OnMessage) -> None:
        """See ClientTransport.

        Raises:
            OSError: the connection failed.
            McpError: the server opens no stream.
        """
        connection = await self._connection()
        try:
            response = await connection.request("GET", self._path, self._request_headers(None))
            if response.status != 200 or not _is_event_stream(response):
                raise McpError(f"the server opens no stream: HTTP status {response.status}")
            on_open()
            async for message in _events(response):
                on_message(message)
        finally:
            connection.close()

    async def close(self) -> None:
        """See ClientTransport."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        while self._idle:
            self._idle.pop().close()

    async def _send_quietly(self, message: Message) -> None:
        with contextlib.suppress(OSError):
            await self._post(message, _ignore)

    async def _post(self, message: Message, on_message: OnMessage) -> Any:
        connection = await self._connection()
        try:
            headers = self._request_headers(message)
            response = await connection.request("POST", self._path, headers, dumps(message))
            if _is_event_stream(response):
                answer = await _answer_of(message, response, on_message)
            else:
                answer = await response.read()
        except BaseException:
            connection.close()
            raise
        if response.reusable and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()
        if message.get("method") == "initialize":
            self._session_id = response.headers.get("mcp-session-id")
        if response.status == 202:
            return None
        return _decoded(answer, response.status) if isinstance(answer, bytes) else answer

    def _request_headers(self, message: Message | None) -> dict[str, str]:
        headers = dict(self._headers)
        if self.protocol_version is not None:
            headers["mcp-protocol-version"] = self.protocol_version
        if self._session_id is not None:
            headers["mcp-session-id"] = self._session_id
        if message is not None:
            headers["content-type"] = "application/json"
            if self.protocol_version == STATELESS_VERSION:
                headers |= routing_headers(message)
        return headers

    async def _connection(self) -> HttpConnection:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            connection.close()
        return HttpConnection(*await self._connect())


def tcp_connector(host: str, port: int, tls: ssl.SSLContext | None = None) -> Callable[[], Any]:
    """Opens connections to a TCP port.

    Args:
        host: the server's name or address.
        port: its port.
        tls: for TLS.
    """
    return lambda: asyncio.open_connection(host, port, ssl=tls)


def unix_connector(path: str) -> Callable[[], Any]:
    """Opens connections to a Unix socket."""
    return lambda: asyncio.open_unix_connection(path)


def _ignore(_: Message) -> None:
    pass


def _is_event_stream(response: HttpResponse) -> bool:
    return response.headers.get("content-type", "").startswith("text/event-stream")


async def _answer_of(request: Message, response: HttpResponse, on_message: OnMessage) -> Any:
    """Read a stream of events up to its end, which comes after the answer to the request."""
    answer: Any = b""
    async for message in _events(response):
        if "method" in message:
            on_message(message)
        elif message.get("id") == request.get("id"):
            answer = message
    if not answer:
        raise ConnectionError("the server ended the stream before it had answered")
    return answer


async def _events(response: HttpResponse) -> Any:
    parser = EventParser(_EVENT_LIMIT_BYTES)
    async for piece in response.pieces():
        for data in parser.feed(piece):
            message = _decoded(data, response.status)
            if isinstance(message, dict):
                yield message


def _decoded(body: bytes, status: int) -> Any:
    try:
        return loads(body)
    except ValueError:
        text = body[:_SHOWN_BYTES].decode(errors="replace").strip()
        raise McpError(f"HTTP status {status}: {text or 'no body'}") from None


class EventParser:
    """Reads server-sent events piece by piece.

    Args:
        limit: bytes that an event may have.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Add bytes.

        Yields:
            The data of each event that is complete and has any.

        Raises:
            McpError: an event is larger than the limit.
        """
        first, *others = piece.split(b"\n")
        self._line.append(first)
        self._size += len(piece)
        for other in others:
            line = b"".join(self._line).removesuffix(b"\r")
            self._line = [other]
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line:
                self._size = len(other)
                if self._data:
                    yield b"\n".join(self._data)
                    self._data = []
        if self._size > self._limit:
            raise McpError(f"the server sent an event of more than {self._limit} bytes")
