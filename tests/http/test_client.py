"""The HTTP client: on our server, on uvicorn, and on what other servers may send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from plugsmith_runtime.http.client import HttpConnection
from plugsmith_runtime.http.responses import AsgiApp

from . import apps
from .servers import ENGINES, LIMIT, serving

pytestmark = pytest.mark.asyncio

HEADERS = {"host": "localhost"}


@asynccontextmanager
async def opened(port: int) -> AsyncIterator[HttpConnection]:
    async with asyncio.timeout(LIMIT):
        connection = HttpConnection(*await asyncio.open_connection("127.0.0.1", port))
        try:
            yield connection
        finally:
            connection.close()


@asynccontextmanager
async def answering(data: bytes) -> AsyncIterator[HttpConnection]:
    """A connection to a server that sends these bytes to whoever asks, and closes the connection."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, opened(server.sockets[0].getsockname()[1]) as connection:
        yield connection


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("app", "expected"),
    [
        (apps.echo, [b"POST /a body 0", b"POST /a body 1"]),
        (apps.echo_while_reading, [b"body 0", b"body 1"]),
        (apps.answers(200, [], b"a", b"b"), [b"ab", b"ab"]),
    ],
    ids=["length", "chunks", "fixed"],
)
async def test_requests_on_one_connection(engine: str, app: AsgiApp, expected: list[bytes]) -> None:
    async with serving(app, engine) as port, opened(port) as connection:
        bodies = []
        for number in range(2):
            response = await connection.request("POST", "/a", HEADERS, b"body %d" % number)
            bodies.append(await response.read())
            assert (response.status, response.reusable, connection.usable) == (200, True, True)
            response = await connection.request("HEAD", "/a", HEADERS)
            assert (await response.read(), response.reusable) == (b"", True)
    assert bodies == expected


@pytest.mark.parametrize(
    ("data", "body", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok", True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
         b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nTrailer: x\r\n\r\n", b"ok", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok", b"ok", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok", False),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b"", True),
        (b"HTTP/1.1 202 Accepted\r\n\r\n", b"", True),
    ],
)  # fmt: skip
async def test_responses(data: bytes, body: bytes, reusable: bool) -> None:
    async with answering(data) as connection:
        response = await connection.request("GET", "/", HEADERS)
        assert (await response.read(), response.reusable) == (body, reusable)
    async with answering(data) as connection:
        response = await connection.request("GET", "/", HEADERS)
        assert b"".join([piece async for piece in response.pieces()]) == body


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok",
        b"HTTP/1.1\r\n\r\n",
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
    ids=lambda data: repr(data[:70]),
)
async def test_what_is_no_response(data: bytes) -> None:
    async with answering(data) as connection:
        with pytest.raises(ConnectionError):
            await (await connection.request("GET", "/", HEADERS)).read()
