"""The engine's Streamable HTTP byte by byte, on our host and on uvicorn."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.mcp.wire import Reply, request

from .conftest import everything_command
from .everything import MAX_BYTES

BOTH = "application/json, text/event-stream"
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
NEWEST = {"mcp-protocol-version": "2026-07-28"}


def rpc(method: str, request_id: Any = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def post(endpoint: str, message: Any, **headers: str) -> Reply:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return request(endpoint, "POST", "/mcp", body, {"content-type": "application/json", "accept": BOTH, **names})


def events(body: bytes) -> list[Any]:
    return [json.loads(line[5:]) for line in body.splitlines() if line.startswith(b"data:")]


class Stream:
    """A request whose response is read event by event."""

    def __init__(self, endpoint: str, method: str, message: Any = None, **headers: str) -> None:
        parts = urlsplit(endpoint)
        assert parts.hostname is not None and parts.port is not None
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=20.0)
        body = b"" if message is None else json.dumps(message).encode()
        names = {"host": parts.netloc, "accept": BOTH, "content-type": "application/json", **headers}
        lines = [f"{method} /mcp HTTP/1.1", f"content-length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in names.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(": ")
            self.headers[name.lower()] = value

    def event(self) -> Any:
        """The next event; None at the response's end."""
        while line := self.file.readline():
            if line.startswith(b"data:"):
                return json.loads(line[5:])
            if line == b"0\r\n":
                return None
        return None

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@pytest.fixture
def session(everything: str) -> str:
    """The id of a new session."""
    answer = post(everything, rpc("initialize", protocolVersion="2025-11-25"))
    assert answer.status == 200
    return answer.headers["mcp-session-id"]


def test_an_answer_is_json_unless_the_tool_sends_something_before(everything: str) -> None:
    answer = post(everything, rpc("tools/call", name="add", arguments={"numbers": [1]}))
    assert answer.headers["content-type"] == "application/json"
    answer = post(everything, rpc("tools/call", 5, name="count", arguments={"to": 2}, _meta={"progressToken": "t"}))
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
    *between, last = events(answer.body)
    assert [message["method"] for message in between] == [
        "notifications/progress", "notifications/message", "notifications/message",
    ] * 2  # fmt: skip
    assert (last["id"], last["result"]["content"][0]["text"]) == (5, "counted to 2; progress wanted: True")


def test_a_client_that_takes_no_events_gets_json(everything: str) -> None:
    message = rpc("tools/call", name="count", arguments={"to": 2}, _meta={"progressToken": "t"})
    answer = post(everything, message, accept="application/json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["result"]["content"][0]["text"] == "counted to 2; progress wanted: False"
    listen = rpc("subscriptions/listen", notifications={}, _meta=META)
    answer = post(everything, listen, accept="application/json", mcp_method="subscriptions/listen", **NEWEST)
    assert answer.status == 406


def test_the_stream_of_a_session(everything: str, session: str) -> None:
    stream = Stream(everything, "GET", mcp_session_id=session)
    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream")
    assert request(everything, "GET", "/mcp", headers={"mcp-session-id": session, "accept": BOTH}).status == 409
    post(everything, rpc("tools/call", name="grow", arguments={"name": "streamed"}))
    assert stream.event() == {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
    stream.close()
    deadline = time.monotonic() + 10.0
    while True:
        again = Stream(everything, "GET", mcp_session_id=session)
        again.close()
        if again.status == 200:
            break
        assert again.status == 409 and time.monotonic() < deadline


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"accept": "application/json"}, 406),
        ({"accept": BOTH}, 400),
        ({"accept": BOTH, "mcp-session-id": "x" * 200}, 400),
        ({"accept": BOTH, "mcp-session-id": "x", **NEWEST}, 405),
        ({"accept": BOTH, "mcp-session-id": "x", "host": "example.com"}, 421),
    ],
)
def test_streams_that_are_refused(everything: str, headers: dict[str, str], status: int) -> None:
    assert request(everything, "GET", "/mcp", headers=headers).status == status


def test_other_methods(everything: str) -> None:
    for method in ("DELETE", "PUT", "OPTIONS"):
        answer = request(everything, method, "/mcp")
        assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


def test_a_body_may_have_a_limit(everything: str) -> None:
    assert post(everything, json.dumps(rpc("ping")).encode().ljust(MAX_BYTES)).status == 200
    assert post(everything, json.dumps(rpc("ping")).encode().ljust(MAX_BYTES + 1)).status == 413


@pytest.mark.parametrize("newest", [False, True])
def test_a_client_that_disconnects_cancels_its_call(everything: str, newest: bool) -> None:
    meta = {"progressToken": 1, **(META if newest else {})}
    headers = {"mcp-method": "tools/call", "mcp-name": "wait", **NEWEST} if newest else {}
    stream = Stream(everything, "POST", rpc("tools/call", name="wait", _meta=meta), **headers)
    assert stream.event()["method"] == "notifications/progress"
    stream.close()
    began = time.monotonic()
    # Calls of other tests were cancelled as well; that this one was is what no test but it waits for.
    answer = post(everything, rpc("tools/call", name="running"))
    assert answer.json["result"]["content"][0]["text"] == '{"running":0}'
    assert time.monotonic() - began < 5.0


def test_a_tool_that_sends_much_waits_for_its_client_and_for_nobody_after_it(everything: str) -> None:
    message = rpc("tools/call", name="count", arguments={"to": 10**9}, _meta={"progressToken": 1})
    with closing(Stream(everything, "POST", message)) as stream:
        assert stream.event()["params"]["progress"] == 1
        # The server stays there for others, while the client reads and while it does not.
        for _ in range(1000):
            assert stream.event() is not None
        assert post(everything, rpc("ping")).status == 200
    assert post(everything, rpc("tools/call", name="running")).json["result"]["isError"] is False


def test_a_cancelled_call_of_a_session_has_no_answer(everything: str, session: str) -> None:
    message = rpc("tools/call", 7, name="wait", _meta={"progressToken": 1})
    stream = Stream(everything, "POST", message, mcp_session_id=session)
    assert stream.event()["method"] == "notifications/progress"
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
    assert post(everything, cancel).status == 202
    assert post(everything, cancel, mcp_session_id="another").status == 202
    assert post(everything, cancel, mcp_session_id=session).status == 202
    assert stream.event() is None
    stream.close()


@pytest.fixture(params=["http", "uvicorn"])
def stopped(request: pytest.FixtureRequest) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server that the test stops."""
    with subprocess.Popen(everything_command(request.param), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
        process.kill()


def test_open_streams_end_with_the_server(stopped: tuple[str, subprocess.Popen[str]]) -> None:
    endpoint, process = stopped
    session = post(endpoint, rpc("initialize", protocolVersion="2025-11-25")).headers["mcp-session-id"]
    listen = rpc("subscriptions/listen", "s", notifications={"toolsListChanged": True}, _meta=META)
    with (
        closing(Stream(endpoint, "GET", mcp_session_id=session)) as stream,
        closing(Stream(endpoint, "POST", listen, mcp_method="subscriptions/listen", **NEWEST)) as listening,
    ):
        assert listening.event()["method"] == "notifications/subscriptions/acknowledged"
        process.terminate()
        assert stream.event() is None
        assert listening.event()["id"] == "s"
        assert listening.event() is None
    assert process.wait(10.0) == 0
