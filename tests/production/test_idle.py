"""A thousand idle connections and a working one."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.http2 import Http2Peer
from tests.support.rendering import RenderedPlugin
from tests.support.serving import serve_one
from tests.support.transport_clients import connect_client, http_request, json_rpc, open_socket

COUNT = 1000


# tests/unix_stream has the same for the Unix socket.
@pytest.mark.parametrize("scheme", ["http", "http+unix", "grpc", "grpc+unix"])
def test_idle_connections_do_not_disturb(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, held: ExitStack, scheme: str
) -> None:
    with serve_one(rendered, scheme, short_path, "--config", str(config)) as served, held:
        place = served.endpoints[scheme]
        idle: list[Any] = [
            held.enter_context(Http2Peer(place) if scheme.startswith("grpc") else open_socket(place))
            for _ in range(COUNT)
        ]
        with connect_client(served, scheme, pb) as line:
            for number in range(10):
                assert line.call("echo", n=number).args == {"n": number}
        for other in (idle[0], idle[-1]):
            if scheme.startswith("grpc"):
                assert other.call().status == 0
            else:
                other.sendall(http_request(json_rpc("echo", {"n": 1}, 1)))
                assert other.recv(12) == b"HTTP/1.1 200"
