"""Sizes, pieces and broken connections."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

from .conftest import MAX_BYTES
from .wire import HEADERS, LIMIT, hook_call, post, raw, rpc

TOO_LARGE = {"error": f"the body is larger than {MAX_BYTES} bytes (PLUGINS_MAX_MESSAGE_BYTES)"}
HEAD = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def connect(endpoint: str) -> HTTPConnection:
    parts = urlsplit(endpoint)
    assert parts.hostname is not None
    return HTTPConnection(parts.hostname, parts.port, timeout=LIMIT)


def test_the_largest_body(endpoint: str) -> None:
    message = json.dumps(rpc("ping")).encode()
    assert post(endpoint, message.ljust(MAX_BYTES)).status == 200
    answer = post(endpoint, message.ljust(MAX_BYTES + 1))
    assert (answer.status, answer.json) == (413, TOO_LARGE)


def test_a_length_that_is_too_large_is_refused_before_any_of_the_body_is_sent(endpoint: str) -> None:
    answer = raw(endpoint, HEAD + b"Content-Length: 10000000000\r\n\r\n", enough=b"}")
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_without_a_length_is_refused_once_it_is_too_large(endpoint: str) -> None:
    connection = connect(endpoint)
    pieces: Iterator[bytes] = (b" " * 10_000 for _ in range(11))
    connection.request("POST", "/mcp", pieces, HEADERS, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (413, TOO_LARGE)
    connection.close()


def test_a_body_in_pieces(endpoint: str) -> None:
    connection = connect(endpoint)
    pieces = (bytes([byte]) for byte in json.dumps(rpc("ping")).encode())
    connection.request("POST", "/mcp", pieces, HEADERS, encode_chunked=True)
    assert json.loads(connection.getresponse().read())["result"] == {}
    connection.close()


def test_a_connection_outlives_its_errors(endpoint: str) -> None:
    connection = connect(endpoint)
    for body, status in ((b"{", 400), (b" " * (MAX_BYTES + 1), 413), (json.dumps(rpc("ping")).encode(), 200)):
        connection.request("POST", "/mcp", body, HEADERS)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    connection.close()


def test_a_connection_that_ends_in_the_middle(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    for data in (b"POST /mcp HT", HEAD, HEAD + b"Content-Length: 50\r\n\r\n{"):
        with socket.create_connection((parts.hostname, parts.port or 0), timeout=LIMIT) as connection:
            connection.sendall(data)


def test_bytes_that_are_no_http(endpoint: str) -> None:
    assert raw(endpoint, b"\x16\x03\x01\x02\x00\x01" * 20).startswith(b"HTTP/1.1 400 ")


def test_two_requests_at_once_on_one_connection_are_answered_in_order(endpoint: str) -> None:
    both = b""
    for number in (1, 2):
        body = json.dumps(rpc("ping", request_id=number)).encode()
        both += HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    answer = raw(endpoint, both, enough=b'"id":2')
    assert answer.index(b'"id":1') < answer.index(b'"id":2')


def test_a_header_that_stands_twice(endpoint: str) -> None:
    answer = raw(endpoint, HEAD + b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", enough=b"}")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"header content-type stands more than once" in answer


def test_an_answer_larger_than_any_buffer(endpoint: str) -> None:
    answer = post(endpoint, hook_call("large", size=5_000_000))
    assert len(answer.body) > 5_000_000
