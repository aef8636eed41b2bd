"""Sends many inputs quickly, and knows when the server is done with them."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from typing import Any

import grpc

from tests.support.http2 import INVOKE
from tests.support.serving import Served
from tests.support.transport_clients import http_request, open_socket
from tests.support.unix_v1 import frame
from tests.support.unix_v2 import PREFACE

_AT_ONCE = 100
_LIMIT = 30.0


def on_connections(endpoint: str, inputs: Iterable[bytes]) -> None:
    """Send each input on a connection of its own, stop sending, and wait until the server has closed it."""
    for batch in _batches(inputs):
        with ExitStack() as stack:
            connections = [stack.enter_context(open_socket(endpoint)) for _ in batch]
            for connection, data in zip(connections, batch, strict=True):
                # The server may be gone before it has read everything.
                with suppress(ConnectionError, BrokenPipeError):
                    connection.sendall(data)
                    connection.shutdown(socket.SHUT_WR)
            for connection in connections:
                with suppress(ConnectionError):
                    while connection.recv(1 << 16):
                        pass


def on_http(endpoint: str, bodies: Sequence[bytes]) -> list[int]:
    """Post messages one behind the other on as few connections as the server allows; the statuses of the answers."""
    statuses: list[int] = []
    waiting = deque(bodies)
    while waiting:
        batch = [waiting.popleft() for _ in range(min(len(waiting), _AT_ONCE))]
        with open_socket(endpoint) as connection, connection.makefile("rb") as answers:
            connection.sendall(b"".join(map(http_request, batch)))
            answered = 0
            while answered < len(batch) and (line := answers.readline()):
                statuses.append(int(line.split()[1]))
                answered += 1
                size = 0
                while (header := answers.readline()) not in (b"\r\n", b""):
                    if header.lower().startswith(b"content-length:"):
                        size = int(header.partition(b":")[2])
                answers.read(size)
        assert answered
        waiting.extendleft(reversed(batch[answered:]))
    return statuses


def on_grpc(endpoint: str, messages: Iterable[bytes]) -> list[grpc.StatusCode]:
    """Call with any bytes as the message, by the gateways' own library; the statuses of the answers."""
    codes = []
    with grpc.insecure_channel(endpoint.partition("://")[2]) as channel:
        invoke: Any = channel.unary_unary(INVOKE, None, None)
        for batch in _batches(messages):
            futures = [invoke.future(message, timeout=_LIMIT) for message in batch]
            codes += [future.code() for future in futures]
    return codes


def on_unix(endpoint: str, messages: Iterable[bytes]) -> None:
    """Send each message in a frame of version 1."""
    on_connections(endpoint, map(frame, messages))


def on_stream(endpoint: str, messages: Iterable[bytes]) -> None:
    """Send each message in a frame of version 2."""
    on_connections(endpoint, (PREFACE + frame(message) for message in messages))


def on_stdio(served: Served, lines: Sequence[bytes]) -> None:
    """Send lines to a server on standard input, and wait for the answer to a call behind them."""
    stdin, stdout = served.process.stdin, served.process.stdout
    assert stdin is not None and stdout is not None
    text = b"".join(line.replace(b"\n", b" ") + b"\n" for line in lines)
    last = b'{"jsonrpc":"2.0","id":"the last","method":"ping"}\n'
    writer = threading.Thread(target=lambda: (stdin.buffer.write(text + last), stdin.buffer.flush()))  # type: ignore[attr-defined]
    writer.start()
    while b'"id":"the last"' not in stdout.buffer.readline():  # type: ignore[attr-defined]
        assert served.process.poll() is None
    writer.join()


def _batches(items: Iterable[bytes]) -> Iterator[list[bytes]]:
    remaining = iter(items)
    while batch := list(islice(remaining, _AT_ONCE)):
        yield batch
