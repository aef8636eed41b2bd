"""Clients that leave, that do not read, and that do not send: what the application sees and the server holds."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import cast

import pytest
from plugsmith_runtime.http.responses import Receive, Scope, Send

from . import apps
from .servers import ENGINES, connected, serving

pytestmark = pytest.mark.asyncio

GET = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: localhost\r\n"

BUFFERS = 16_000_000
"""What the sockets of the system, the transport and the server may hold together."""


class Watcher:
    """An application that waits until it is told that its client is gone."""

    def __init__(self, respond: bool, read: bool) -> None:
        self._respond = respond
        self._read = read
        self.started = asyncio.Event()
        self.disconnected = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        if self._read:
            await apps.read_body(receive)
        if self._respond:
            await apps.start(send)
            await apps.write(send, b"begun", True)
        self.started.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        # What is sent to nobody is no error.
        if not self._respond:
            await apps.start(send)
        await apps.write(send, b"")
        self.disconnected.set()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("respond", [False, True], ids=["before the response", "in the response"])
@pytest.mark.parametrize("how", ["closed", "half closed", "reset"])
async def test_a_client_that_leaves(engine: str, respond: bool, how: str) -> None:
    app = Watcher(respond, read=True)
    async with serving(app, engine) as port, connected(port) as client:
        client.send(GET)
        await app.started.wait()
        if how == "half closed":
            client.writer.write_eof()
        elif how == "reset":
            sock = client.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.writer.transport.abort()
        else:
            client.writer.close()
        await app.disconnected.wait()


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_client_that_leaves_before_its_body_is_there(engine: str) -> None:
    app = Watcher(respond=False, read=False)
    async with serving(app, engine) as port, connected(port) as client:
        client.send(POST + b"Content-Length: 10\r\n\r\nhalf")
        await app.started.wait()
        client.writer.close()
        await app.disconnected.wait()


async def test_a_client_that_leaves_with_requests_in_the_pipeline() -> None:
    app = Watcher(respond=True, read=True)
    async with serving(app) as port, connected(port) as client:
        client.send(GET + GET)
        await app.started.wait()
        client.send(GET * 100)
        client.writer.close()
        await app.disconnected.wait()


async def test_what_waits_behind_a_request_is_not_all_read() -> None:
    app = Watcher(respond=True, read=True)
    # The client stays: it is cut off when the server stops.
    async with serving(app, grace=0.1) as port, connected(port) as client:
        client.send(GET)
        await app.started.wait()
        size = 0
        try:
            while True:
                client.send(GET * 1000)
                size += 1000 * len(GET)
                async with asyncio.timeout(0.3):
                    await client.writer.drain()
        except TimeoutError:
            assert size < BUFFERS


@pytest.mark.parametrize("engine", ENGINES)
async def test_disconnect_is_also_what_follows_the_response(engine: str) -> None:
    messages = asyncio.Queue[str]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await apps.echo(scope, receive, send)
        messages.put_nowait((await receive())["type"])

    async with serving(app, engine) as port, connected(port) as client:
        client.send(GET)
        await client.response()
        assert await messages.get() == "http.disconnect"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("length", [True, False], ids=["length", "chunks"])
async def test_a_client_that_does_not_read_holds_the_application_back(engine: str, length: bool) -> None:
    sent = asyncio.get_running_loop().create_future()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await apps.start(send, 200, *([(b"content-length", b"10000000000")] if length else []))
        size = 0
        try:
            while True:
                async with asyncio.timeout(0.3):
                    await apps.write(send, b"x" * 100_000, True)
                size += 100_000
        except TimeoutError:
            sent.set_result(size)
            await receive()
            await receive()

    async with serving(app, engine) as port, connected(port) as client:
        cast(asyncio.Transport, client.writer.transport).pause_reading()
        client.send(GET)
        assert await sent < BUFFERS


@pytest.mark.parametrize("engine", ENGINES)
async def test_an_application_that_does_not_read_holds_the_client_back(engine: str) -> None:
    read = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await read.wait()
        size = len(await apps.read_body(receive))
        await apps.start(send)
        await apps.write(send, b"%d" % size)

    async with serving(app, engine) as port, connected(port) as client:
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        size = 0
        try:
            while True:
                client.send(b"%x\r\n%b\r\n" % (100_000, b"x" * 100_000))
                size += 100_000
                async with asyncio.timeout(0.3):
                    await client.writer.drain()
        except TimeoutError:
            pass
        assert size < BUFFERS
        read.set()
        client.send(b"0\r\n\r\n")
        assert (await client.response()).body == b"%d" % size


async def test_large_bodies_both_ways() -> None:
    body = bytes(range(256)) * 20_000
    async with serving(apps.echo_while_reading) as port, connected(port) as client:
        client.send(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert (await client.response()).body == body
        client.send(POST + b"Content-Length: 3\r\n\r\nabc")
        assert (await client.response()).body == b"abc"


async def test_the_body_of_a_refused_request_is_read_and_thrown_away() -> None:
    async with serving(apps.answers(413, [], b"too large")) as port, connected(port) as client:
        size = 5_000_000
        client.send(POST + b"Content-Length: %d\r\n\r\n" % size)
        assert (await client.response()).status == 413
        client.send(b"x" * size)
        client.send(GET)
        assert (await client.response()).status == 413


async def test_a_last_response_arrives_although_the_client_is_still_sending() -> None:
    app = apps.answers(413, [(b"connection", b"close")], b"too large")
    async with serving(app) as port, connected(port) as client:
        client.send(POST + b"Content-Length: 50000000\r\n\r\n")
        response = await client.response()
        assert (response.status, response.body) == (413, b"too large")
        # The server reads on for a while: a reset would take the response away before the client has read it.
        client.send(b"x" * 1_000_000)
        assert await client.closed()


@pytest.mark.parametrize("engine", ENGINES)
async def test_what_follows_the_last_request_is_ignored(engine: str) -> None:
    last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    async with serving(apps.echo, engine) as port, connected(port) as client:
        client.send(last + GET + b"rubbish")
        assert (await client.response()).status == 200
        assert await client.closed()
