"""What the tests of limits share: servers, held hooks, and connections byte by byte."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.in_process import serve_in_process
from tests.support.serving import RunningServer

from .wire import LIMIT, hook_call, rpc

PING = json.dumps(rpc("ping")).encode()
HEAD = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@contextmanager
def limited(config: Path, **settings: str) -> Iterator[RunningServer]:
    """Serve the probe plugin over HTTP in this process, with some limits.

    Args:
        config: the probe's configuration file, for the runtime in place.
        settings: limits, by the end of their variables' names.
    """
    extra = {f"PLUGINS_{name.upper()}": value for name, value in settings.items()}
    with serve_in_process(config, "http", **extra) as served:
        yield served


@contextmanager
def held(url: str, folder: Path, connection: socket.socket | None = None) -> Iterator[None]:
    """Keep a hook in flight; it ends with the block, and its answer can then be read from the connection."""
    pipe = folder / "gate"
    os.mkfifo(pipe)
    opened = connection or connect(url)
    opened.sendall(call("hold", pipe=str(pipe)))
    # Opens when the hook does.
    with pipe.open("w"):
        yield
    pipe.unlink()
    if connection is None:
        assert answer(opened)[0] == 200
        opened.close()


def connect(url: str) -> socket.socket:
    """Open a connection to a server on TCP or, with http+unix, on a Unix socket."""
    if url.startswith("http+unix://"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(LIMIT)
        connection.connect(url.removeprefix("http+unix://"))
        return connection
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port or 0), timeout=LIMIT)


def call(name: str, **args: Any) -> bytes:
    """A whole request that calls the probe's hook."""
    return request(json.dumps(hook_call(name, **args)).encode())


def request(body: bytes, *headers: bytes) -> bytes:
    """A whole request."""
    extra = b"".join(header + b"\r\n" for header in headers)
    return HEAD + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body


def answer(connection: socket.socket) -> tuple[int, Any]:
    """Read an answer: its status and its decoded body."""
    response = HTTPResponse(connection)
    response.begin()
    return response.status, json.loads(response.read())


def closed(connection: socket.socket) -> bool:
    """Wait until the server closes a connection, and throw away what still comes."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        pass
    return True
