"""Single calls to a server of any transport: they say when it answers, and that the answer is right."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from typing import Any

import grpc

from .inputs import MASK, Input
from .subjects import FLOOR, Subject

Caller = Callable[[Input], bytes]

START_LIMIT = 60.0
METHOD = "/cpex.PluginService/InvokeHook"
HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
_VERSION = "2025-06-18"


def first_answer(subject: Subject, process: subprocess.Popen[bytes], call: Input, calls: int = 1) -> list[float]:
    """Call a server as soon as it takes connections.

    Args:
        subject: the server.
        process: its process.
        call: the input.
        calls: how many calls, one after the other on one connection.

    Returns:
        The seconds that each call took.

    Raises:
        RuntimeError: the server has ended, does not answer in time, or answers wrongly.
    """
    if subject.transport != "stdio":
        _wait_for_listener(subject, process)
    seconds = []
    with _CALLERS[subject.transport](subject.address, process) as caller:
        for _ in range(calls):
            start = time.perf_counter()
            answer = caller(call)
            seconds.append(time.perf_counter() - start)
            if MASK not in answer and subject.name != FLOOR:
                raise RuntimeError(f"{subject.name}, {subject.transport}: a wrong answer: {answer[:500]!r}")
    return seconds


def open_session(port: str) -> dict[str, str]:
    """Start an MCP session and return the headers that its calls need; the floor has none."""
    with closing(http.client.HTTPConnection("127.0.0.1", int(port), timeout=START_LIMIT)) as connection:
        _, found = _post(connection, _initialize(), HEADERS)
        headers = HEADERS | {"MCP-Protocol-Version": _VERSION}
        if session := found.get("mcp-session-id"):
            headers["Mcp-Session-Id"] = session
        _post(connection, _initialized(), headers)
    return headers


@contextmanager
def _http(port: str, process: subprocess.Popen[bytes]) -> Iterator[Caller]:
    headers = open_session(port)
    numbers = count(1)
    with closing(http.client.HTTPConnection("127.0.0.1", int(port), timeout=START_LIMIT)) as connection:
        yield lambda call: _post(connection, call.json_rpc(str(next(numbers))), headers)[0]


@contextmanager
def _grpc(port: str, process: subprocess.Popen[bytes]) -> Iterator[Caller]:
    options = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        method: Callable[..., bytes] = channel.unary_unary(METHOD, None, None)
        yield lambda call: method(call.message, wait_for_ready=True, timeout=START_LIMIT)


@contextmanager
def _unix(path: str, process: subprocess.Popen[bytes]) -> Iterator[Caller]:
    with socket.socket(socket.AF_UNIX) as client, client.makefile("rb") as reader:
        client.settimeout(START_LIMIT)
        client.connect(path)

        def caller(call: Input) -> bytes:
            client.sendall(call.unix_frame)
            return reader.read(int.from_bytes(reader.read(4)))

        yield caller


@contextmanager
def _stdio(address: str, process: subprocess.Popen[bytes]) -> Iterator[Caller]:
    assert process.stdin is not None and process.stdout is not None
    stdin, stdout = process.stdin, process.stdout
    numbers = count(1)

    def send(line: str) -> None:
        stdin.write(line.encode() + b"\n")
        stdin.flush()

    def caller(call: Input) -> bytes:
        send(call.json_rpc(str(next(numbers))))
        return stdout.readline()

    send(_initialize())
    stdout.readline()
    send(_initialized())
    yield caller


def _post(connection: http.client.HTTPConnection, body: str, headers: dict[str, str]) -> tuple[bytes, Any]:
    connection.request("POST", "/mcp", body, headers)
    response = connection.getresponse()
    return response.read(), response.headers


_CALLERS = {"http": _http, "grpc": _grpc, "unix": _unix, "stdio": _stdio}


def _initialize() -> str:
    client = {"name": "bench", "version": "1"}
    params = {"protocolVersion": _VERSION, "capabilities": {}, "clientInfo": client}
    return json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})


def _initialized() -> str:
    return json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"})


def _wait_for_listener(subject: Subject, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + START_LIMIT
    while True:
        family = socket.AF_UNIX if subject.transport == "unix" else socket.AF_INET
        place: Any = subject.address if subject.transport == "unix" else ("127.0.0.1", int(subject.address))
        with socket.socket(family) as probe:
            try:
                return probe.connect(place)
            except OSError:
                if process.poll() is not None or time.monotonic() > limit:
                    raise RuntimeError(f"{subject.name}, {subject.transport}: the server did not start") from None
        time.sleep(0.005)
