"""Where a request ends: offers to upgrade, bodies that look like requests, and lengths that contradict each other."""

from __future__ import annotations

import json

import pytest
from plugsmith_runtime.http.responses import Receive, Scope, Send

from . import apps
from .servers import ENGINES, connected, serving

pytestmark = pytest.mark.asyncio

POST = b"POST /outer HTTP/1.1\r\nHost: localhost\r\n"
INNER = b"GET /inner HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

OFFERS = {
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n",
    "websocket": b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    "several": b"Upgrade: h2c, foo/2\r\nUpgrade: bar\r\nConnection: keep-alive, upgrade\r\n",
}


class Recorder:
    """An application that knows which requests it got."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        body = await apps.read_body(receive)
        self.requests.append((scope["method"], scope["path"], body))
        await apps.start(send, 200, (b"content-length", b"2"))
        await apps.write(send, b"ok")


def framed(body: bytes, chunked: bool) -> tuple[bytes, bytes]:
    """The header that says where a body ends, and the body's bytes."""
    if chunked:
        return CHUNKED, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    return b"Content-Length: %d\r\n" % len(body), body


@pytest.mark.parametrize("offer", list(OFFERS))
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("pieces", ["one", "two", "bytes"])
async def test_an_offer_to_upgrade_is_ignored(offer: str, chunked: bool, pieces: str) -> None:
    app = Recorder()
    header, body = framed(INNER, chunked)
    head = POST + OFFERS[offer] + header + b"\r\n"
    async with serving(app) as port, connected(port) as client:
        parts = {"one": [head + body], "two": [head, body], "bytes": [bytes([byte]) for byte in head + body]}[pieces]
        for part in parts:
            client.send(part)
            await client.writer.drain()
        assert (await client.response()).status == 200
        # The connection goes on as it would without an offer.
        client.send(b"GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await client.response()).status == 200
    assert app.requests == [("POST", "/outer", INNER), ("GET", "/next", b"")]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PUT"])
async def test_offers_without_a_body(method: str) -> None:
    app = Recorder()
    async with serving(app) as port, connected(port) as client:
        request = b"%b /a?b=c HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % (method.encode(), OFFERS["h2c"])
        client.send(request * 3)
        for _ in range(3):
            assert (await client.response(method)).status == 200
    assert app.requests == [(method, "/a", b"")] * 3


async def test_the_other_headers_of_an_offer_stay() -> None:
    async with serving(apps.scope_as_json) as port, connected(port) as client:
        client.send(b"GET /a HTTP/1.1\r\nHost: localhost\r\nX-One: \xe9\r\n" + OFFERS["h2c"] + b"X-One: 2\r\n\r\n")
        headers = json.loads((await client.response()).body)["headers"]
    assert headers == [
        ["host", "localhost"],
        ["x-one", "\xe9"],
        ["connection", "Upgrade, HTTP2-Settings"],
        ["http2-settings", "AAEAAEAAAAIAAAAA"],
        ["x-one", "2"],
    ]


async def test_a_long_pipeline_of_offers() -> None:
    app = Recorder()
    header, body = framed(b"body", False)
    async with serving(app) as port, connected(port) as client:
        client.send((POST + OFFERS["websocket"] + header + b"\r\n" + body) * 500)
        for _ in range(500):
            assert (await client.response()).status == 200
    assert app.requests == [("POST", "/outer", b"body")] * 500


@pytest.mark.parametrize(
    "data",
    [
        POST + CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Content-Length: 4\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + INNER,
        POST + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello" + INNER,
        POST + b"Content-Length: 5, 0\r\n\r\nhello" + INNER,
        POST + b"Content-Length: +0\r\n\r\n" + INNER,
        POST + b"Content-Length: 0x0\r\n\r\n" + INNER,
        POST + b"Content-Length: -1\r\n\r\n" + INNER,
        POST + b"Content-Length: 99999999999999999999999\r\n\r\n" + INNER,
        POST + b"Content-Length : 0\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + INNER,
        POST + CHUNKED + b"\r\n5\r\nhelloX\r\n0\r\n\r\n" + INNER,
        POST + CHUNKED + b"\r\n5 \r\nhello\r\n0\r\n\r\n" + INNER,
        POST + CHUNKED + b"\r\n-1\r\n\r\n" + INNER,
        POST + CHUNKED + b"\r\nffffffffffffffffff\r\n\r\n" + INNER,
        POST + b"X: a\x00b\r\n\r\n" + INNER,
        POST + b"X: a\rb\r\n\r\n" + INNER,
        POST + b"X Y: a\r\n\r\n" + INNER,
        b"POST /outer HTTP/1.1 \r\nHost: localhost\r\n\r\n" + INNER,
        b"POST /ou ter HTTP/1.1\r\nHost: localhost\r\n\r\n" + INNER,
        b"POST /outer HTTP/9.1\r\nHost: localhost\r\n\r\n" + INNER,
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n" + INNER,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + INNER,
    ],
    ids=repr,
)
@pytest.mark.parametrize("offer", [False, True], ids=["plain", "offer"])
async def test_requests_without_a_clear_end_are_refused_and_nothing_after_them_counts(data: bytes, offer: bool) -> None:
    app = Recorder()
    if offer:
        data = data.replace(b"\r\nHost", b"\r\n" + OFFERS["h2c"] + b"Host", 1)
    async with serving(app) as port, connected(port) as client:
        client.send(data)
        received = await client.reader.read()
        assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert received.count(b"HTTP/1.1 ") == 1
    assert app.requests == []


@pytest.mark.parametrize("engine", ENGINES)
async def test_an_old_version_with_chunks_ends_the_connection(engine: str) -> None:
    # RFC 9112, 6.1: what stands between may have read the body in another way.
    async with serving(apps.echo, engine) as port, connected(port) as client:
        client.send(
            b"POST /a HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER
        )
        assert (await client.response()).header("connection") == "close"
        assert await client.closed()


async def test_a_stream_to_an_old_version_ends_with_the_connection() -> None:
    # uvicorn sends chunks, which such a client does not know.
    async with serving(apps.answers(200, [], b"one", b"two")) as port, connected(port) as client:
        client.send(b"GET /a HTTP/1.0\r\n\r\n")
        response = await client.response()
        assert (response.header("transfer-encoding"), response.header("content-length")) == (None, None)
        assert response.body == b"onetwo"


async def test_trailers_do_not_become_headers() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await apps.read_body(receive)
        await apps.scope_as_json(scope, receive, send)

    async with serving(app) as port, connected(port) as client:
        client.send(POST + CHUNKED + b"\r\n3\r\nabc\r\n0\r\nAuthorization: Bearer x\r\n\r\n")
        headers = json.loads((await client.response()).body)["headers"]
    assert headers == [["host", "localhost"], ["transfer-encoding", "chunked"]]
