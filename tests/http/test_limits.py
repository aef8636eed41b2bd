"""Limits of connections, in the order of requests; tests/mcp has those that users set, with their texts."""

from __future__ import annotations

import asyncio

import pytest
from plugsmith_runtime.http.responses import Receive, Scope, Send

from . import apps
from .servers import connected, serving

pytestmark = pytest.mark.asyncio

GET = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: localhost\r\n"


class Gate:
    """An application that answers when it is let."""

    def __init__(self, begin: bool) -> None:
        self._begin = begin
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        if self._begin:
            await apps.start(send)
            await apps.write(send, b"begun ", True)
        self.reached.set()
        await self.open.wait()
        if not self._begin:
            await apps.start(send)
        await apps.write(send, b"done")


@pytest.mark.parametrize("begin", [False, True], ids=["before the response", "in the response"])
@pytest.mark.parametrize(
    ("second", "status"),
    [
        (b"rubbish\r\n\r\n", 400),
        (b"GET /a HTTP/1.1\r\nX: " + b"x" * 5000, 431),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    ],
    ids=["no request", "headers", "body"],
)
async def test_a_refusal_waits_for_its_turn(begin: bool, second: bytes, status: int) -> None:
    app = Gate(begin)
    async with serving(app, header_bytes=4096) as port, connected(port) as client:
        client.send(GET)
        await app.reached.wait()
        client.send(second)
        # Another connection is served meanwhile: the refusal could have been sent by now.
        async with connected(port) as other:
            other.send(b"rubbish\r\n\r\n")
            assert (await other.response()).status == 400
        app.open.set()
        first = await client.response()
        assert (first.status, first.body) == (200, b"begun done" if begin else b"done")
        refusal = await client.response()
        assert (refusal.status, refusal.header("connection")) == (status, "close")
        assert await client.closed()


async def test_a_bad_chunk_while_the_application_reads() -> None:
    seen = asyncio.get_running_loop().create_future()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        while (message := await receive())["type"] == "http.request":
            assert message["more_body"]
        await apps.start(send)
        await apps.write(send, b"nobody reads this")
        seen.set_result(True)

    async with serving(app) as port, connected(port) as client:
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        client.send(b"xyz\r\n")
        assert (await client.response()).status == 400
        assert await seen
        assert await client.closed()


async def test_a_bad_chunk_after_the_response_has_begun() -> None:
    async with serving(apps.echo_while_reading) as port, connected(port) as client:
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await client.reader.readuntil(b"abc\r\n")
        client.send(b"xyz\r\n")
        assert await client.reader.read() == b""


async def test_a_stream_may_be_silent_for_longer_than_any_limit() -> None:
    app = Gate(begin=True)
    async with serving(app, read_timeout=0.2, idle_timeout=0.2) as port, connected(port) as client:
        client.send(GET)
        await app.reached.wait()
        # This one's times pass meanwhile.
        async with connected(port) as other:
            assert await other.closed()
        app.open.set()
        assert (await client.response()).body == b"begun done"
        assert await client.closed()


async def test_the_read_timeout_does_not_count_while_the_application_does_not_read() -> None:
    read = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await read.wait()
        await apps.echo(scope, receive, send)

    size = 3_000_000
    async with serving(app, read_timeout=0.2) as port, connected(port) as client:
        client.send(POST + b"Content-Length: %d\r\n\r\n" % size + b"x" * size)
        async with connected(port) as other:
            other.send(b"GET")
            assert (await other.response()).status == 408
        read.set()
        assert len((await client.response()).body) == size + len(b"POST /a ")


@pytest.mark.parametrize(
    ("sent", "part"),
    [(b"GET /a", "headers"), (POST + b"Content-Length: 9\r\n\r\nhalf", "body")],
    ids=["headers", "body"],
)
@pytest.mark.parametrize("setting", ["", "READ_TIMEOUT"])
async def test_a_name_of_a_setting_is_shown_where_there_is_one(sent: bytes, part: str, setting: str) -> None:
    async with serving(apps.echo, read_timeout=0.1, read_timeout_setting=setting) as port, connected(port) as client:
        client.send(sent)
        hint = f" ({setting})" if setting else ""
        assert (await client.response()).body.decode() == f'{{"error":"the {part} did not arrive within 0.1 s{hint}"}}'
