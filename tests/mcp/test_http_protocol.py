"""HTTP/1.1 itself: methods, versions, pipelines, and what clients may write in odd ways."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path

import pytest

from generator import __version__
from tests.support.serving import RunningServer

from . import wire
from .limits import HEAD, PING, answer, call, closed, connect, limited, request

PONG = {"jsonrpc": "2.0", "id": 1, "result": {}}
TYPE = b"Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def served(probe_in_place: Path) -> Iterator[RunningServer]:
    """A server of the probe plugin."""
    with limited(probe_in_place, read_timeout="0.5") as served:
        yield served


@pytest.fixture
def connection(served: RunningServer) -> Iterator[socket.socket]:
    """A connection to it; the server must still answer when the test is over, and must not have failed within."""
    url = served.endpoints["http"]
    with connect(url) as connection:
        yield connection
    assert wire.post(url, wire.rpc("ping")).status == 200
    assert not [line for line in served.log if "Traceback" in line]


def response(connection: socket.socket, method: str = "GET") -> HTTPResponse:
    found = HTTPResponse(connection, method=method)
    found.begin()
    return found


def test_head_has_the_length_and_no_body(connection: socket.socket) -> None:
    for _ in range(2):
        connection.sendall(b"HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        found = response(connection, "HEAD")
        page = f'{{"status":"alive","runtime":"{__version__}"}}'
        assert (found.status, found.getheader("content-length"), found.read()) == (200, str(len(page)), b"")


def test_a_body_is_sent_when_the_server_says_so(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(PING))
    assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(PING)
    assert answer(connection) == (200, PONG)


def test_a_refused_body_is_never_asked_for(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 999999999\r\n\r\n")
    assert answer(connection)[0] == 413


@pytest.mark.parametrize(
    "start", [b"POST /mcp HTTP/1.0\r\n", b"POST /mcp HTTP/1.1\r\nConnection: close\r\n"], ids=["1.0", "close"]
)
def test_connections_that_end_with_their_request(connection: socket.socket, start: bytes) -> None:
    connection.sendall(start + b"Host: localhost\r\n" + TYPE + b"Content-Length: %d\r\n\r\n" % len(PING) + PING)
    found = response(connection, "POST")
    assert (found.status, found.getheader("connection"), json.loads(found.read())) == (200, "close", PONG)
    assert closed(connection)


@pytest.mark.parametrize(
    "target", [b"/mcp?a=b", b"/%6dcp", b"/mcp/", b"http://localhost/mcp", b"http://localhost/mcp?a=b"], ids=repr
)
def test_ways_to_write_the_path(connection: socket.socket, target: bytes) -> None:
    connection.sendall(request(PING).replace(b" /mcp ", b" " + target + b" "))
    assert answer(connection) == (200, PONG)


def test_query_strings_reach_the_pages(connection: socket.socket) -> None:
    connection.sendall(b"GET /ready?plugin=nobody HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer(connection)[0] == 404


def test_an_upgrade_is_not_made(connection: socket.socket) -> None:
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert answer(connection) == (200, {"status": "alive", "runtime": __version__})


def test_a_long_pipeline_is_answered_in_order(connection: socket.socket) -> None:
    sent = [call("echo", n=number) for number in range(300)]
    connection.sendall(b"".join(sent))
    received = b""
    while received.count(b"HTTP/1.1 200 OK") < 300 or not received.endswith(b"}}"):
        received += connection.recv(65536)
    bodies = [json.loads(part.partition(b"\r\n\r\n")[2]) for part in received.split(b"HTTP/1.1 200 OK")[1:]]
    args = [wire.hook_reply(body)["result"]["modified_payload"]["args"] for body in bodies]
    assert args == [{"n": number} for number in range(300)]


def test_a_pipeline_whose_last_request_comes_in_pieces(connection: socket.socket) -> None:
    last = call("echo", text="x" * 60_000)
    connection.sendall(call("echo", n=1) + last[:30_000])
    assert answer(connection)[0] == 200
    connection.sendall(last[30_000:])
    status, message = answer(connection)
    assert (status, len(wire.hook_reply(message)["result"]["modified_payload"]["args"]["text"])) == (200, 60_000)


def test_a_body_of_many_small_chunks(connection: socket.socket) -> None:
    body = json.dumps(wire.rpc("ping")).encode().ljust(20_000)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert answer(connection) == (200, PONG)


@pytest.mark.parametrize(
    "data",
    [
        b"POST /m\xc3\xb6p HTTP/1.1\r\nHost: localhost\r\n\r\n",
        HEAD + b"Content-Length: ten\r\n\r\n",
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=repr,
)
def test_what_is_no_http_is_refused(connection: socket.socket, data: bytes) -> None:
    connection.sendall(data)
    assert response(connection, "POST").status == 400
    connection.shutdown(socket.SHUT_WR)
    assert closed(connection)
