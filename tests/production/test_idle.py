"""A thousand idle connections and a working one."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support import http2
from tests.support.conversations import connect, converse, http_request, json_rpc
from tests.support.rendering import RenderedPlugin
from tests.support.serving import serve_one

COUNT = 1000


# tests/wire has the same for the Unix socket.
@pytest.mark.parametrize("scheme", ["http", "http+unix", "grpc", "grpc+unix"])
def test_idle_connections_do_not_disturb(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, held: ExitStack, scheme: str
) -> None:
    with serve_one(rendered, scheme, short_path, "--config", str(config)) as served, held:
        idle = [held.enter_context(connect(served.endpoints[scheme])) for _ in range(COUNT)]
        if scheme.startswith("grpc"):
            for connection in idle:
                connection.sendall(http2.OPENING)
        with converse(served, scheme, pb) as line:
            for number in range(10):
                assert line.call("echo", n=number).args == {"n": number}
        for connection in (idle[0], idle[-1]):
            assert alive(connection, scheme)


def alive(connection: socket.socket, scheme: str) -> bool:
    """Whether an idle connection is still served."""
    if scheme.startswith("http"):
        connection.sendall(http_request(json_rpc("echo", {"n": 1}, 1)))
        return connection.recv(12) == b"HTTP/1.1 200"
    connection.sendall(http2.frame(http2.PING, 0, 0, b"are you?"))
    while (answer := http2.receive(connection))[0] != http2.PING:
        pass
    return answer[1:] == (http2.ACK, 0, b"are you?")
