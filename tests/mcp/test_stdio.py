"""MCP over standard input and output."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, command, environ

from .conftest import MAX_BYTES
from .wire import hook_call, hook_reply, rpc

Process = subprocess.Popen[bytes]


def start(
    plugin: RenderedPlugin,
    config: Path,
    stdin: Any = subprocess.PIPE,
    stdout: Any = subprocess.PIPE,
    **settings: str,
) -> Process:
    return subprocess.Popen(
        command(plugin, "serve", "--transport", "stdio", "--config", str(config)),
        cwd=plugin.root,
        env=environ(plugin, PLUGINS_MAX_MESSAGE_BYTES=str(MAX_BYTES), **settings),
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def server(rendered: RenderedPlugin, probe_config: Path) -> Iterator[Process]:
    """A server on pipes, which must still answer when the test is over, and end with its input."""
    with start(rendered, probe_config) as process:
        yield process
        if process.returncode is None:
            send(process, hook_call("echo", request_id="after", a=1))
            assert hook_reply(receive(process))["result"]["modified_payload"]["args"] == {"a": 1}
            _, log = process.communicate(timeout=START_LIMIT)
            assert process.returncode == 0, log


def send(process: Process, *messages: Any) -> None:
    assert process.stdin is not None
    for message in messages:
        process.stdin.write((message if isinstance(message, bytes) else json.dumps(message).encode()) + b"\n")
    process.stdin.flush()


def receive(process: Process) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def test_calls(server: Process) -> None:
    send(server, rpc("initialize", {"protocolVersion": "2025-06-18"}))
    assert receive(server)["result"]["protocolVersion"] == "2025-06-18"
    send(server, {"jsonrpc": "2.0", "method": "notifications/initialized"}, rpc("tools/list"))
    assert len(receive(server)["result"]["tools"]) == 3


def test_nothing_that_a_plugin_prints_reaches_the_client(server: Process) -> None:
    send(server, hook_call("print"))
    assert "result" in hook_reply(receive(server))
    out, log = server.communicate(timeout=START_LIMIT)
    assert out == b""
    for text in (b"while imported", b"by initialize", b"by a hook", b"by a child"):
        assert b"printed " + text in log


def test_answers_come_in_the_order_in_which_they_are_done(server: Process) -> None:
    send(server, hook_call("wait", request_id=1), hook_call("echo", request_id=2))
    assert receive(server)["id"] == 2
    send(server, hook_call("open", request_id=3))
    assert {receive(server)["id"] for _ in range(2)} == {1, 3}


def test_more_calls_at_once_than_may_be_in_flight(server: Process) -> None:
    numbers = set(range(1000))
    send(server, *(hook_call("echo", request_id=number) for number in numbers))
    assert {receive(server)["id"] for _ in numbers} == numbers


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        (b"{", -32700, "the message is not valid JSON: "),
        (b"\xff\xfe", -32700, "the message is not valid JSON: "),
        (b'{"a":"\\ud800"}', -32700, "the message is not valid JSON: "),
        (b'{"a":NaN}', -32700, "the message is not valid JSON: "),
        (b"5", -32600, "a message must be a JSON object"),
        (b'{"jsonrpc":"2.0","id":1,"method":"no"}', -32601, "unknown method 'no'"),
    ],
)
def test_bad_lines(server: Process, line: bytes, code: int, text: str) -> None:
    send(server, b"", b"  \r", line)
    error = receive(server)["error"]
    assert error["code"] == code
    assert error["message"].startswith(text)


def test_lines_of_any_length_up_to_the_limit(server: Process) -> None:
    line = json.dumps(rpc("ping")).encode()
    send(server, line.ljust(MAX_BYTES))
    assert receive(server)["result"] == {}
    for size in (MAX_BYTES + 1, 20 * MAX_BYTES):
        send(server, line.ljust(size))
        error = receive(server)["error"]
        assert error == {
            "code": -32600,
            "message": f"the message is larger than {MAX_BYTES} bytes (PLUGINS_MAX_MESSAGE_BYTES)",
        }


def test_large_answers(server: Process) -> None:
    send(server, hook_call("large", size=5_000_000))
    assert len(hook_reply(receive(server))["result"]["modified_payload"]["args"]["text"]) == 5_000_000


def test_batches_belong_to_one_version(server: Process) -> None:
    send(server, [rpc("ping")])
    error = receive(server)["error"]
    assert error == {"code": -32600, "message": "MCP 2025-11-25 has no batches: send one message at a time"}
    send(server, rpc("initialize", {"protocolVersion": "2025-03-26"}), [rpc("ping", request_id=2)])
    assert receive(server)["result"]["protocolVersion"] == "2025-03-26"
    assert receive(server) == [{"jsonrpc": "2.0", "id": 2, "result": {}}]


def test_without_a_session(server: Process) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    send(server, rpc("server/discover", {"_meta": meta}))
    assert "2026-07-28" in receive(server)["result"]["supportedVersions"]
    meta["io.modelcontextprotocol/protocolVersion"] = "2099-01-01"
    send(server, rpc("server/discover", {"_meta": meta}))
    assert receive(server)["error"]["code"] == -32022


def test_a_cancelled_call_is_not_answered(server: Process) -> None:
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    send(server, hook_call("wait", request_id=1), cancel, hook_call("open", request_id=2), hook_call("echo", 3))
    assert {receive(server)["id"] for _ in range(2)} == {2, 3}


def test_a_call_too_many_is_refused_at_once(rendered: RenderedPlugin, probe_config: Path) -> None:
    with start(rendered, probe_config, PLUGINS_MAX_CONCURRENT_HOOKS="1") as process:
        send(process, hook_call("wait", 1), hook_call("echo", 2), rpc("ping", request_id=3))
        answers = {answer["id"]: answer for answer in (receive(process), receive(process))}
        text = "1 hooks are running (PLUGINS_MAX_CONCURRENT_HOOKS); send the call again later"
        assert (answers[2]["error"]["code"], answers[2]["error"]["message"]) == (-32053, text)
        assert answers[3]["result"] == {}
        process.kill()


def test_the_end_of_the_input_lets_calls_finish(rendered: RenderedPlugin, probe_config: Path) -> None:
    with start(rendered, probe_config) as process:
        send(process, hook_call("wait", request_id=1), hook_call("open", request_id=2))
        out, log = process.communicate(timeout=START_LIMIT)
        assert process.returncode == 0, log
        assert {json.loads(line)["id"] for line in out.splitlines()} == {1, 2}


def test_a_last_line_without_its_end(rendered: RenderedPlugin, probe_config: Path) -> None:
    with start(rendered, probe_config) as process:
        out, _ = process.communicate(json.dumps(rpc("ping")).encode(), timeout=START_LIMIT)
        assert json.loads(out)["result"] == {}


def test_files_instead_of_pipes(rendered: RenderedPlugin, probe_config: Path, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.write_text("\n".join(json.dumps(hook_call("echo", request_id=number)) for number in range(500)))
    target = tmp_path / "out"
    with (
        source.open("rb") as stdin,
        target.open("wb") as stdout,
        start(rendered, probe_config, stdin, stdout) as process,
    ):
        assert process.wait(START_LIMIT) == 0
    lines = target.read_text().splitlines()
    assert {json.loads(line)["id"] for line in lines} == set(range(500))


def test_a_signal_ends_the_server(rendered: RenderedPlugin, probe_config: Path) -> None:
    with start(rendered, probe_config) as process:
        send(process, rpc("ping"))
        assert receive(process)["result"] == {}
        process.send_signal(signal.SIGTERM)
        assert process.wait(START_LIMIT) == 0


def test_a_client_that_reads_nothing_stops_being_read(rendered: RenderedPlugin, probe_config: Path) -> None:
    with start(rendered, probe_config) as process:
        try:
            # What a server takes before it waits is bounded: the calls in flight, a pipe and a chunk.
            assert fill(process, json.dumps(hook_call("large", size=50_000)).encode() + b"\n") < 10_000_000
        finally:
            process.kill()


def fill(process: Process, line: bytes) -> int:
    """Write lines until the process has taken nothing for a second, or far too much; the number of bytes it took."""
    assert process.stdin is not None
    pipe = process.stdin.fileno()
    os.set_blocking(pipe, False)
    written = 0
    while select.select([], [pipe], [], 1.0)[1] and written < 1 << 28:
        written += os.write(pipe, line * 100)
    return written
