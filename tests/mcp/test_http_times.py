"""Times of HTTP: how long a request may take to arrive, and how long a connection may be idle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.serving import RunningServer

from . import wire
from .limits import HEAD, PING, answer, call, closed, connect, held, limited, request
from .wire import LIMIT

READ_TIME = "0.4"


def late(part: str) -> dict[str, str]:
    return {"error": f"the {part} did not arrive within {READ_TIME} s (PLUGINS_READ_TIMEOUT)"}


@pytest.fixture(scope="module")
def served(probe_in_place: Path) -> Iterator[RunningServer]:
    """A server that waits a short time for requests, and a long one between them."""
    with limited(probe_in_place, read_timeout=READ_TIME) as served:
        yield served


@pytest.fixture
def url(served: RunningServer) -> Iterator[str]:
    """Its endpoint; it must still answer when the test is over."""
    url = served.endpoints["http"]
    yield url
    assert wire.post(url, wire.hook_call("echo")).status == 200


@pytest.mark.parametrize("head", [b"P", b"POST /mcp HTTP/1.1\r\n", HEAD, HEAD + b"X-Half: "], ids=str)
def test_headers_that_do_not_arrive(url: str, head: bytes) -> None:
    with connect(url) as connection:
        connection.sendall(head)
        assert answer(connection) == (408, late("headers"))
        assert closed(connection)


@pytest.mark.parametrize("body", [b"", b"{"], ids=["none", "half"])
def test_a_body_that_does_not_arrive(url: str, body: bytes) -> None:
    with connect(url) as connection:
        connection.sendall(HEAD + b"Content-Length: 50\r\n\r\n" + body)
        assert answer(connection) == (408, late("body"))
        assert closed(connection)


def test_a_chunked_body_that_does_not_end(url: str) -> None:
    with connect(url) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
        assert answer(connection) == (408, late("body"))


def test_the_second_request_of_a_connection_is_timed_too(url: str) -> None:
    with connect(url) as connection:
        connection.sendall(request(PING))
        assert answer(connection)[0] == 200
        connection.sendall(HEAD)
        assert answer(connection) == (408, late("headers"))


def test_a_body_that_nobody_waits_for_is_not_waited_for(url: str) -> None:
    with connect(url) as connection:
        connection.sendall(b"GET /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n")
        assert answer(connection)[0] == 405
        assert closed(connection)


def test_an_empty_connection_and_an_idle_one_may_stay(url: str) -> None:
    with connect(url) as empty, connect(url) as idle:
        idle.sendall(request(PING))
        assert answer(idle)[0] == 200
        with connect(url) as slow:
            slow.sendall(HEAD)
            assert answer(slow)[0] == 408
        for connection in (empty, idle):
            connection.sendall(request(PING))
            assert answer(connection)[0] == 200


def test_a_request_may_wait_behind_a_slow_hook(url: str, tmp_path: Path) -> None:
    with connect(url) as connection:
        with held(url, tmp_path, connection):
            second = call("echo", n=2)
            connection.sendall(second[:20])
            # Another client's time passes meanwhile.
            with connect(url) as slow:
                slow.sendall(HEAD)
                assert answer(slow)[0] == 408
        assert answer(connection)[0] == 200
        connection.sendall(second[20:])
        status, message = answer(connection)
        assert (status, wire.hook_reply(message)["result"]["modified_payload"]["args"]) == (200, {"n": 2})


def test_idle_connections_are_closed(probe_in_place: Path) -> None:
    with limited(probe_in_place, idle_timeout="0.4") as served:
        url = served.endpoints["http"]
        with connect(url) as empty, connect(url) as used:
            used.sendall(request(PING))
            assert answer(used)[0] == 200
            for connection in (empty, used):
                connection.settimeout(LIMIT)
                assert connection.recv(1) == b""


def test_bytes_that_begin_no_request_do_not_keep_a_connection(probe_in_place: Path) -> None:
    times = {"idle_timeout": "0.4", "read_timeout": "0.4"}
    with (
        limited(probe_in_place, **times) as served,
        connect(served.endpoints["http"]) as connection,
    ):
        connection.sendall(request(PING))
        assert answer(connection)[0] == 200
        connection.sendall(b"\r\n")
        assert closed(connection)
