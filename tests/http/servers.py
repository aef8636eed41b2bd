"""HTTP servers in this process: ours, and uvicorn, which judges it; and a client that writes its bytes itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from plugsmith_runtime.http.config import HttpConfig
from plugsmith_runtime.http.responses import AsgiApp
from plugsmith_runtime.http.server import HttpServer
from plugsmith_runtime.net.connections import ConnectionLimiter
from plugsmith_runtime.net.sockets import SocketProvider

ENGINES = ("ours", "uvicorn")
LIMIT = 10.0
"""Seconds after which a test gives up."""


@asynccontextmanager
async def serving(app: AsgiApp, engine: str = "ours", **limits: Any) -> AsyncIterator[int]:
    """Serve an application for the length of an `async with` block.

    Args:
        app: the application.
        engine: one of ENGINES.
        limits: of HttpConfig; for our engine only.

    Yields:
        The port.
    """
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    port = sock.getsockname()[1]
    serve = _ours if engine == "ours" else _uvicorn
    async with serve(app, sock, **limits):
        yield port


@asynccontextmanager
async def _ours(app: AsgiApp, sock: socket.socket, grace: float = LIMIT, **limits: Any) -> AsyncIterator[None]:
    server = HttpServer(app, HttpConfig(ConnectionLimiter(100), **limits))
    try:
        await server.start(sock, SocketProvider())
        yield
    finally:
        await server.stop(grace)


@asynccontextmanager
async def _uvicorn(app: AsgiApp, sock: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(app, http="httptools", ws="none", log_config=None, server_header=False, proxy_headers=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([sock]))
    async with asyncio.timeout(LIMIT):
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@dataclass
class Response:
    """A response as it came; header names are in lower case.

    Attributes:
        chunks: the sizes of its chunks; None when it has a length, or ends with the connection.
        interim: the statuses of interim responses (1xx) before it.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    chunks: list[int] | None = None
    interim: list[int] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """The value of a header; None when it is missing."""
        return next((value for key, value in self.headers if key == name), None)


class RawClient:
    """One connection, whose bytes the test writes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)

    async def response(self, method: str = "GET") -> Response:
        """Read the next response.

        Raises:
            asyncio.IncompleteReadError: the connection ended before it was complete.
        """
        interim = []
        while True:
            status, headers = await self._head()
            if status >= 200:
                break
            interim.append(status)
        found = Response(status, headers, b"", interim=interim)
        if method == "HEAD" or status in (204, 304):
            return found
        if found.header("transfer-encoding") == "chunked":
            found.chunks = []
            while size := int(await self._line(), 16):
                found.chunks.append(size)
                found.body += await self.reader.readexactly(size)
                assert await self._line() == b""
            assert await self._line() == b""
        elif (length := found.header("content-length")) is not None:
            found.body = await self.reader.readexactly(int(length))
        else:
            found.body = await self.reader.read()
        return found

    async def closed(self) -> bool:
        """Wait until the server closes the connection; False when it sends something before."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True

    async def _head(self) -> tuple[int, list[tuple[str, str]]]:
        version, status, _ = (await self._line()).split(b" ", 2)
        assert version == b"HTTP/1.1"
        headers = []
        while line := await self._line():
            name, _, value = line.decode("latin-1").partition(": ")
            headers.append((name.lower(), value))
        return int(status), headers

    async def _line(self) -> bytes:
        return (await self.reader.readuntil(b"\r\n"))[:-2]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[RawClient]:
    """A connection; what the block awaits must happen within the limit."""
    async with asyncio.timeout(LIMIT):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        try:
            yield RawClient(reader, writer)
        finally:
            writer.close()


async def conversation(
    app: AsgiApp, engine: str, data: bytes, responses: int = 1, method: str = "GET"
) -> list[Response]:
    """Send bytes to an application, and read its responses."""
    async with serving(app, engine) as port, connected(port) as client:
        client.send(data)
        return [await client.response(method) for _ in range(responses)]
