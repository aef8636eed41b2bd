"""Limits of HTTP: hooks at a time, connections, headers, users, and clients that do not read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.logs import logged
from tests.support.processes import resident
from tests.support.rendering import RenderedPlugin
from tests.support.serving import RunningServer, serve
from tests.support.waiting import wait_until

from . import wire
from .limits import HEAD, PING, answer, call, closed, connect, held, limited, request

HEADER_BYTES = 4096
TOO_LARGE = {"error": f"the headers are larger than {HEADER_BYTES} bytes (PLUGINS_MAX_HEADER_BYTES)"}


@pytest.fixture(scope="module")
def served(probe_in_place: Path) -> Iterator[RunningServer]:
    """A server that runs one hook at a time, and takes small headers only."""
    limits = {"max_concurrent_hooks": "1", "max_header_bytes": str(HEADER_BYTES)}
    with limited(probe_in_place, **limits) as served:
        yield served


@pytest.fixture
def url(served: RunningServer) -> Iterator[str]:
    """Its endpoint; it must still answer when the test is over."""
    url = served.endpoints["http"]
    yield url
    wait_until(lambda: wire.post(url, wire.hook_call("echo")).status == 200)


def answers(url: str) -> bool:
    """Whether a new connection is served; one that is refused may be reset while the request is still being sent."""
    try:
        return wire.post(url, wire.rpc("ping")).status == 200
    except ConnectionError:
        return False


def test_a_call_too_many_is_refused_at_once(url: str, tmp_path: Path) -> None:
    with held(url, tmp_path):
        reply = wire.post(url, wire.hook_call("echo", request_id=7))
        assert reply.status == 503
        assert reply.headers["retry-after"] == "1"
        assert reply.json["id"] == 7
        text = "1 hooks are running (PLUGINS_MAX_CONCURRENT_HOOKS); send the call again later"
        assert reply.error == (-32053, text)
        assert reply.json["error"]["data"]["code"] == "OVERLOADED"
        # What runs no hook is answered.
        assert wire.post(url, wire.rpc("ping")).status == 200
        assert wire.request(url, "GET", "/ready").status == 200


def test_calls_of_dockers_gateway_are_refused_alike(url: str, tmp_path: Path) -> None:
    message = {"method": "tool_pre_invoke", "params": {"payload": {"name": "echo"}}}
    with held(url, tmp_path):
        reply = wire.request(url, "POST", "/call", json.dumps(message).encode(), wire.HEADERS)
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert reply.body.startswith(b"OVERLOADED: 1 hooks are running ")


def test_in_a_batch_only_that_member_is_refused(url: str, tmp_path: Path) -> None:
    pipe = tmp_path / "gate"
    os.mkfifo(pipe)
    batch = [wire.hook_call("hold", 1, pipe=str(pipe)), wire.hook_call("echo", 2), wire.rpc("ping", request_id=3)]
    with connect(url) as connection:
        connection.sendall(request(json.dumps(batch).encode(), b"MCP-Protocol-Version: 2025-03-26"))
        pipe.open("w").close()
        status, (first, second, third) = answer(connection)
    assert status == 200
    assert wire.hook_reply(first)["plugin_name"] == "Probe"
    assert (second["id"], second["error"]["code"]) == (2, -32053)
    assert third == {"jsonrpc": "2.0", "id": 3, "result": {}}


def test_headers_up_to_the_limit_are_read(url: str) -> None:
    with connect(url) as connection:
        for _ in range(2):
            connection.sendall(request(PING, b"X-Filler: " + b"x" * (HEADER_BYTES - 300)))
            assert answer(connection) == (200, {"jsonrpc": "2.0", "id": 1, "result": {}})


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"X-Filler: " + b"x" * HEADER_BYTES + b"\r\n",
        HEAD + b"".join(b"X-%d: y\r\n" % number for number in range(HEADER_BYTES // 8)),
        b"POST /mcp?" + b"x" * HEADER_BYTES + b" HTTP/1.1\r\nHost: localhost\r\n",
    ],
    ids=["one", "many", "url"],
)
@pytest.mark.parametrize("end", [b"\r\n", b"X-Filler: "], ids=["whole", "endless"])
def test_larger_headers_are_refused(url: str, head: bytes, end: bytes) -> None:
    with connect(url) as connection:
        connection.sendall(head + end)
        assert answer(connection) == (431, TOO_LARGE)
        assert closed(connection)


def test_headers_in_small_pieces_are_counted_together(url: str) -> None:
    with connect(url) as connection:
        connection.sendall(HEAD)
        for _ in range(HEADER_BYTES // 8):
            connection.sendall(b"X-A: b\r\n")
        assert answer(connection) == (431, TOO_LARGE)


def test_a_body_is_no_header(url: str) -> None:
    with connect(url) as connection:
        connection.sendall(request(PING.ljust(20 * HEADER_BYTES)))
        assert answer(connection)[0] == 200


@pytest.mark.parametrize("tail", [b"X-A: b\r\n", b"X-A: " + b"b" * HEADER_BYTES], ids=["many", "one"])
def test_trailers_without_end_are_refused(url: str, tail: bytes) -> None:
    with connect(url) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n" % (len(PING), PING))
        try:
            for _ in range(20_000):
                connection.sendall(tail)
        except ConnectionError:
            return  # refused, and the answer went by while we wrote
        assert answer(connection)[0] in (400, 431)


def test_a_connection_too_many_is_refused(probe_in_place: Path) -> None:
    with limited(probe_in_place, max_connections="2") as served, ExitStack() as stack:
        url = served.endpoints["http"]
        first, second = (stack.enter_context(connect(url)) for _ in range(2))
        for connection in (first, second):
            connection.sendall(request(PING))
            assert answer(connection)[0] == 200
        third = stack.enter_context(connect(url))
        text = "2 connections are open (PLUGINS_MAX_CONNECTIONS); try again later"
        assert answer(third) == (503, {"error": text})
        assert closed(third)
        first.close()
        wait_until(lambda: answers(url))
        assert logged(served, "further ones are refused (PLUGINS_MAX_CONNECTIONS)")


@pytest.mark.parametrize("allowed", [True, False])
def test_users_are_told_apart_on_a_unix_socket(probe_in_place: Path, short_path: Path, allowed: bool) -> None:
    # A Python of another user is not to be had everywhere: the server is told to expect one.
    uids = str(os.getuid() + (not allowed))
    limits = {"server_uds": str(short_path / "h.sock"), "allowed_uids": uids}
    server = limited(probe_in_place, **limits)
    with server as served, connect(served.endpoints["http+unix"]) as connection:
        if allowed:
            connection.sendall(call("echo"))
            assert answer(connection)[0] == 200
        else:
            assert answer(connection) == (403, {"error": "this user may not call (PLUGINS_ALLOWED_UIDS)"})
            assert closed(connection)
    refusals = [line for line in served.log if "is refused: not in PLUGINS_ALLOWED_UIDS" in line]
    assert bool(refusals) is not allowed


def test_who_does_not_read_is_not_read(rendered: RenderedPlugin, probe_config: Path) -> None:
    limits = {"PLUGINS_MAX_CONNECTIONS": "2", "PLUGINS_IDLE_TIMEOUT": "3"}
    with serve(rendered, "http", "--config", str(probe_config), **limits) as served, ExitStack() as stack:
        url = served.endpoints["http"]
        assert wire.post(url, wire.hook_call("large", size=4_000_000)).status == 200
        before = resident(served.process.pid)
        for _ in range(2):
            greedy = stack.enter_context(connect(url))
            greedy.sendall(call("large", size=4_000_000) * 100)
        # 800 MB of answers are asked for. Both connections are given up when nothing of them is taken.
        wait_until(lambda: answers(url))
        assert resident(served.process.pid) - before < 100_000_000


def test_uids_are_checked_on_sockets_only(rendered: RenderedPlugin, probe_config: Path) -> None:
    with serve(rendered, "http", "--config", str(probe_config), PLUGINS_ALLOWED_UIDS="12345") as served:
        assert wire.post(served.endpoints["http"], wire.rpc("ping")).status == 200
