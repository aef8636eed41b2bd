"""A client that asks for much and reads nothing: it stops being served, and costs little."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support import http2
from tests.support.http2 import Http2Peer
from tests.support.processes import resident
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve_one
from tests.support.transport_clients import connect_client, http_request, json_rpc, open_socket

SIZE = 200_000
REQUESTS = 3000
MEMORY = 40_000_000
"""What the server may grow by: the answers to the requests of one read. All of them would be 600 MB."""

WIDE = (1 << 31) - 1


# tests/unix_stream has the same for the Unix socket, tests/mcp for standard output.
@pytest.mark.parametrize(
    ("scheme", "wide"),
    [("http", False), ("http+unix", False), ("grpc", False), ("grpc+unix", False), ("grpc", True), ("grpc+unix", True)],
)
def test_a_client_that_never_reads(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, held: ExitStack, scheme: str, wide: bool
) -> None:
    with serve_one(rendered, scheme, short_path, "--config", str(config)) as served, held:
        line = held.enter_context(connect_client(served, scheme, pb))
        assert line.call("large", size=SIZE).error is None
        before = resident(served.process.pid)
        if scheme.startswith("http"):
            greedy = held.enter_context(open_socket(served.endpoints[scheme]))
            stuff(greedy, (http_request(json_rpc("large", {"size": SIZE}, n)) for n in range(REQUESTS)))
        else:
            ask_by_grpc(served, scheme, held, pb, wide)
        grown = resident(served.process.pid) - before
        assert grown < MEMORY, f"{grown / 1e6:.0f} MB"
        assert line.call("echo", n=1).args == {"n": 1}


def ask_by_grpc(served: Served, scheme: str, held: ExitStack, pb: Any, wide: bool) -> None:
    """Ask by gRPC; with wide windows nothing but the socket holds the answers back."""
    peer = held.enter_context(Http2Peer(served.endpoints[scheme]))
    if wide:
        # SETTINGS_INITIAL_WINDOW_SIZE for each call, and as much for the connection.
        peer.send(http2.frame(http2.SETTINGS, 0, 0, b"\0\4" + WIDE.to_bytes(4, "big")))
        peer.send(http2.frame(http2.WINDOW_UPDATE, 0, 0, (WIDE - 65535).to_bytes(4, "big")))
    call = pb.InvokeHookRequest(hook_type="tool_pre_invoke", plugin_name="Probe")
    call.payload.update({"name": "large", "args": {"size": SIZE}})
    message = http2.message(call.SerializeToString())

    def requests() -> Iterator[bytes]:
        for _ in range(REQUESTS):
            stream, head = peer.head()
            yield head + http2.frame(http2.DATA, http2.END_STREAM, stream, message)

    stuff(peer.socket, requests())


def stuff(connection: socket.socket, requests: Iterator[bytes]) -> None:
    """Send until the server has taken nothing for a second, or everything."""
    connection.setblocking(False)
    for request in requests:
        while request:
            if not select.select([], [connection], [], 1.0)[1]:
                return
            request = request[connection.send(request) :]
    # Whatever it still wants to do with what it has read: a second without growth will show.
    select.select([], [], [], 1.0)
