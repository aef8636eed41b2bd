"""Stopping a server over HTTP while calls are in flight."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.rendering import RenderedPlugin
from tests.support.serving import serve
from tests.support.waiting import wait_until

from .wire import LIMIT, hook_call, hook_reply, post

CALLS = 200
STOPPED = 0


@contextmanager
def sent(url: str, message: Any, keep_back: int = 0) -> Iterator[tuple[socket.socket, bytes]]:
    """Send a request, all but its last bytes; yields the connection and those bytes."""
    parts = urlsplit(url)
    body = json.dumps(message).encode()
    head = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    data = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=LIMIT) as connection:
        connection.sendall(data[: len(data) - keep_back])
        yield connection, data[len(data) - keep_back :]


def answer(connection: socket.socket) -> Any:
    response = HTTPResponse(connection)
    response.begin()
    assert response.status == 200
    return hook_reply(json.loads(response.read()))


def refused(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port or 0), timeout=LIMIT).close()
    except ConnectionError:
        return True
    return False


def waiting(url: str) -> int:
    args = hook_reply(post(url, hook_call("count")).json)["result"]["modified_payload"]["args"]
    return int(args["waiting"])


def test_calls_in_flight_are_answered(rendered: RenderedPlugin, probe_config: Path) -> None:
    with serve(rendered, "http", "--config", str(probe_config), "--grace", "20") as served, ExitStack() as stack:
        url = served.endpoints["http"]
        calls = [stack.enter_context(sent(url, hook_call("wait"))) for _ in range(CALLS)]
        opener, rest = stack.enter_context(sent(url, hook_call("open"), keep_back=1))
        wait_until(lambda: waiting(url) == CALLS)
        served.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refused(url))
        opener.sendall(rest)
        assert "result" in answer(opener)
        assert all("result" in answer(connection) for connection, _ in calls)
        assert served.process.wait(LIMIT) == STOPPED


def test_a_call_that_never_ends_is_given_up_after_the_grace(rendered: RenderedPlugin, probe_config: Path) -> None:
    with serve(rendered, "http", "--config", str(probe_config), "--grace", "0.2") as served:
        url = served.endpoints["http"]
        with sent(url, hook_call("wait")):
            wait_until(lambda: waiting(url) == 1)
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait(LIMIT) == STOPPED
