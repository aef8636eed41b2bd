"""SIGTERM while calls are in flight: all are answered, on every transport, by one process and by two."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.conversations import Conversation, Gone, converse
from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, Served, serve_one
from tests.support.waiting import until

CALLS = 200


def refused(served: Served, scheme: str, pb: Any) -> bool:
    """Whether a new conversation comes to nothing."""
    try:
        with converse(served, scheme, pb) as late:
            late.call("echo")
    except Gone:
        return True
    return False


def waiting(conversations: list[Conversation]) -> int:
    """The calls that the server's processes are holding."""
    counts = {}
    for conversation in conversations:
        counts[conversation.call("process").args["process"]] = conversation.call("count").args["waiting"]
    return sum(counts.values())


# tests/mcp does the same for HTTP on a port, where a request that is still arriving is answered too.
@pytest.mark.parametrize("scheme", ["http+unix", "stdio", "grpc", "grpc+unix", "unix"])
def test_calls_in_flight_are_answered(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, scheme: str
) -> None:
    gate = short_path / "gate"
    os.mkfifo(gate)
    with (
        serve_one(rendered, scheme, short_path, "--config", str(config), "--grace", "20") as served,
        ExitStack() as stack,
    ):
        # gRPC carries many calls on a connection, standard input too, the others one.
        shared = scheme == "stdio" or scheme.startswith("grpc")
        lines = [stack.enter_context(converse(served, scheme, pb)) for _ in range(1 if shared else CALLS)]
        calls = [lines[number % len(lines)].send("wait", {"pipe": str(gate), "n": number}) for number in range(CALLS)]
        asking = lines[0] if shared else stack.enter_context(converse(served, scheme, pb))
        until(lambda: asking.call("count").args["waiting"] == CALLS)
        served.process.send_signal(signal.SIGTERM)
        if scheme != "stdio":
            until(lambda: refused(served, scheme, pb))
        gate.open("w").close()
        assert [call().args["n"] for call in calls] == list(range(CALLS))
        assert served.process.wait(START_LIMIT) == 0, served.log
