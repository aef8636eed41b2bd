"""The same bytes to the same application on our engine and on uvicorn: the responses must be the same."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile

import pytest
from plugsmith_runtime.http.config import HttpConfig
from plugsmith_runtime.http.responses import AsgiApp, Receive, Scope, Send
from plugsmith_runtime.http.server import HttpServer
from plugsmith_runtime.net.connections import ConnectionLimiter
from plugsmith_runtime.net.sockets import SocketProvider

from . import apps
from .servers import ENGINES, RawClient, Response, connected, conversation, serving

pytestmark = pytest.mark.asyncio

GET = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
PLAIN = (b"content-type", b"text/plain")


def essence(response: Response) -> tuple[object, ...]:
    """What a client sees of a response; how its body is framed is the server's choice."""
    varying = {"date", "transfer-encoding", "content-length"}
    headers = sorted(header for header in response.headers if header[0] not in varying)
    return response.status, headers, response.body, response.interim


async def both(
    app: AsgiApp, data: bytes, responses: int = 1, method: str = "GET"
) -> tuple[list[Response], list[Response]]:
    ours, theirs = [await conversation(app, engine, data, responses, method) for engine in ENGINES]
    assert [essence(response) for response in ours] == [essence(response) for response in theirs]
    return ours, theirs


@pytest.mark.parametrize(
    "data",
    [
        GET,
        POST + b"Content-Length: 5\r\n\r\nhello",
        POST + b"Content-Length: 0\r\n\r\n",
        CHUNKED + b"3\r\nabc\r\n2;name=value\r\nde\r\n0\r\n\r\n",
        CHUNKED + b"0\r\n\r\n",
        CHUNKED + b"3\r\nabc\r\n0\r\nTrailer: value\r\n\r\n",
        b"GET /%61%20b?c=%20d HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://localhost/whole?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"OPTIONS /a HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /a HTTP/1.0\r\n\r\n",
        b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        b"\r\n\r\n" + GET,
    ],
    ids=repr,
)
async def test_requests(data: bytes) -> None:
    await both(apps.echo, data)


async def test_many_pieces() -> None:
    data = POST + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000
    found = []
    for engine in ENGINES:
        async with serving(apps.echo, engine) as port, connected(port) as client:
            for byte in data:
                client.send(bytes([byte]))
                await client.writer.drain()
            found.append(essence(await client.response()))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "target",
    [b"/", b"/a%20b?x=1&y=%20", b"http://example.com/p?q", b"/?", b"/a?b?c", b"*"],
    ids=repr,
)
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_scopes(target: bytes, version: bytes) -> None:
    data = b"GET %b HTTP/%b\r\nHost: localhost\r\nX-One: 1\r\nX-One: 2\r\n\r\n" % (target, version)
    scopes: list[object] = []
    for engine in ENGINES:
        async with serving(apps.scope_as_json, engine) as port, connected(port) as client:
            client.send(data)
            response = await client.response()
            if response.status != 200:
                scopes.append(response.status)
                continue
            scope = json.loads(response.body)
            assert scope["server"] == ["127.0.0.1", port]
            assert scope["client"] == list(client.writer.get_extra_info("sockname"))
            scopes.append({key: value for key, value in scope.items() if key not in ("server", "client")})
    assert scopes[0] == scopes[1]


async def test_a_whole_address_without_a_path() -> None:
    # uvicorn refuses it; RFC 9112, 3.2.2 has clients of proxies send it to origin servers too.
    (response,) = await conversation(
        apps.scope_as_json, "ours", b"GET http://a.example HTTP/1.1\r\nHost: a.example\r\n\r\n"
    )
    assert json.loads(response.body)["path"] == "/"


async def test_the_scope_on_a_unix_socket() -> None:
    with tempfile.TemporaryDirectory(prefix="h-") as folder:
        path = f"{folder}/h.sock"
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(path)
        server = HttpServer(apps.scope_as_json, HttpConfig(ConnectionLimiter(1), root_path="/base"))
        await server.start(sock, SocketProvider())
        client = RawClient(*await asyncio.open_unix_connection(path))
        client.send(GET)
        scope = json.loads((await client.response()).body)
        client.writer.close()
        await server.stop(1.0)
    assert (scope["server"], scope["client"]) == ([path, None], None)
    assert (scope["root_path"], scope["path"], scope["raw_path"]) == ("/base", "/base/a", "/base/a")


@pytest.mark.parametrize(
    ("app", "method"),
    [
        (apps.answers(200, [PLAIN, (b"content-length", b"3")], b"abc"), "GET"),
        (apps.answers(200, [PLAIN, (b"content-length", b"3")], b"abc"), "HEAD"),
        (apps.answers(200, [(b"content-length", b"6")], b"abc", b"", b"def"), "GET"),
        (apps.answers(200, [], b"abc", b"def"), "GET"),
        (apps.answers(200, [], b"abc", b"def"), "HEAD"),
        (apps.answers(200, [], b"abc"), "GET"),
        (apps.answers(200, [], b""), "GET"),
        (apps.answers(204, [], b""), "GET"),
        (apps.answers(304, [(b"etag", b'"x"')], b""), "GET"),
        (apps.answers(404, [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")], b"no"), "GET"),
        (apps.answers(299, [], b"x"), "GET"),
        (apps.answers(200, [(b"connection", b"close")], b"x"), "GET"),
    ],
)
async def test_responses(app: AsgiApp, method: str) -> None:
    # Twice: what is wrong with the end of the first response shows in the second.
    data = b"%b /a HTTP/1.1\r\nHost: localhost\r\n\r\n" % method.encode()
    for engine in ENGINES:
        async with serving(app, engine) as port, connected(port) as client:
            client.send(data)
            first = await client.response(method)
            if first.header("connection") == "close":
                assert await client.closed()
            else:
                client.send(data)
                assert essence(await client.response(method)) == essence(first)
    await both(app, data, method=method)


async def test_a_stream_comes_as_it_is_written() -> None:
    for engine in ENGINES:
        go_on = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send, go_on: asyncio.Event = go_on) -> None:
            assert scope["type"] == "http"
            await apps.start(send)
            await apps.write(send, b"first", True)
            await go_on.wait()
            await apps.write(send, b"second", True)
            await apps.write(send, b"")

        async with serving(app, engine) as port, connected(port) as client:
            client.send(GET)
            received = b""
            while b"first" not in received:
                received += await client.reader.read(1000)
            assert received.count(b"HTTP/1.1") == 1
            go_on.set()
            while b"0\r\n\r\n" not in received:
                received += await client.reader.read(1000)
            head, _, body = received.partition(b"\r\n\r\n")
            assert b"transfer-encoding: chunked" in head
            assert body == b"5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n"


@pytest.mark.parametrize("engine", ENGINES)
async def test_an_application_that_reads_while_it_writes(engine: str) -> None:
    async with serving(apps.echo_while_reading, engine) as port, connected(port) as client:
        client.send(CHUNKED)
        received = b""
        for number in range(5):
            piece = b"piece %d" % number
            client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            while not received.endswith(piece + b"\r\n"):
                received += await client.reader.read(1000)
        client.send(b"0\r\n\r\n")
        while not received.endswith(b"\r\n0\r\n\r\n"):
            received += await client.reader.read(1000)
        assert received.count(b"HTTP/1.1 200") == 1


async def test_pipelines() -> None:
    requests = [POST + b"Content-Length: %d\r\n\r\n" % n + b"x" * n for n in range(50)]
    ours, _ = await both(apps.echo, b"".join(requests), len(requests))
    assert [len(response.body) for response in ours] == [len("POST /a ") + n for n in range(50)]


async def test_a_pipeline_of_streams() -> None:
    await both(apps.answers(200, [], b"a", b"b"), GET * 10, 10)


@pytest.mark.parametrize("size", [10, 100_000])
async def test_100_continue(size: int) -> None:
    found = []
    for engine in ENGINES:
        async with serving(apps.echo, engine) as port, connected(port) as client:
            client.send(POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % size)
            assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.send(b"x" * size)
            found.append(essence(await client.response()))
    assert found[0] == found[1]


async def test_100_continue_is_not_sent_where_nobody_reads() -> None:
    data = POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    ours, _ = await both(apps.answers(403, [], b"no"), data)
    assert ours[0].interim == []


async def _raises(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        raise RuntimeError("only http here")
    raise RuntimeError("broken")


async def _raises_in_the_middle(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    await apps.start(send)
    await apps.write(send, b"begun", True)
    raise RuntimeError("broken")


async def _sends_nothing(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"


async def _sends_half(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    await apps.start(send, 200, (b"content-length", b"10"))
    await apps.write(send, b"half", True)


@pytest.mark.parametrize("app", [_raises, _sends_nothing], ids=lambda app: app.__name__)
async def test_applications_that_fail_at_once(app: AsgiApp) -> None:
    for engine in ENGINES:
        (response,) = await conversation(app, engine, GET)
        assert response.status == 500
        assert b"broken" not in response.body


@pytest.mark.parametrize(
    "app",
    [
        _raises_in_the_middle,
        _sends_half,
        apps.answers(200, [(b"content-length", b"10")], b"half", b""),
        apps.answers(200, [(b"content-length", b"3")], b"abc", b"def"),
    ],
)
async def test_applications_that_fail_in_the_middle(app: AsgiApp) -> None:
    for engine in ENGINES:
        async with serving(app, engine) as port, connected(port) as client:
            client.send(GET)
            received = await client.reader.read()
            assert received.count(b"HTTP/1.1 200") == 1
            # Nobody can take what came for the whole.
            assert not received.endswith(b"0\r\n\r\n")
            assert b"def" not in received


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "app",
    [
        apps.answers(200, [(b"x-split", b"a\r\nx-injected: b")], b"x"),
        apps.answers(200, [(b"x-split: a\r\nx-injected", b"b")], b"x"),
    ],
)
async def test_headers_cannot_be_split(app: AsgiApp, engine: str) -> None:
    async with serving(app, engine) as port, connected(port) as client:
        client.send(GET)
        assert b"x-injected: b" not in await client.reader.read(10_000)
