"""SIGTERM while calls are in flight: all are answered, on every transport, by one process and by two."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.gates import Gate
from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, Served, serve_one
from tests.support.transport_clients import ConnectionLostError, connect_client, is_multiplexed
from tests.support.waiting import wait_until

CALLS = 200


def refused(served: Served, scheme: str, pb: Any) -> bool:
    """Whether a new conversation comes to nothing."""
    try:
        with connect_client(served, scheme, pb) as late:
            late.call("echo")
    except ConnectionLostError:
        return True
    return False


# tests/mcp does the same for HTTP on a port, where a request that is still arriving is answered too.
@pytest.mark.parametrize("scheme", ["http+unix", "stdio", "grpc", "grpc+unix", "unix"])
def test_calls_in_flight_are_answered(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, scheme: str
) -> None:
    gate = Gate(short_path)
    with (
        serve_one(rendered, scheme, short_path, "--config", str(config), "--grace", "20") as served,
        ExitStack() as stack,
    ):
        lines = [
            stack.enter_context(connect_client(served, scheme, pb))
            for _ in range(1 if is_multiplexed(scheme) else CALLS)
        ]
        calls = gate.hold(lines, CALLS)
        served.process.send_signal(signal.SIGTERM)
        if scheme != "stdio":
            wait_until(lambda: refused(served, scheme, pb))
        gate.open()
        assert [call().args["n"] for call in calls] == list(range(CALLS))
        assert served.process.wait(START_LIMIT) == 0, served.log


@pytest.mark.parametrize("workers", [1, 2])
def test_a_signal_that_comes_twice_at_once_loses_no_call(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, workers: int
) -> None:
    """As by `kill %1`: the shell signals the process group, and make passes the signal on."""
    gate = Gate(short_path)
    options = ("--config", str(config), "--grace", "20", "--workers", str(workers))
    with serve_one(rendered, "grpc", short_path, *options) as served, connect_client(served, "grpc", pb) as line:
        calls = gate.hold([line], 20)
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            served.process.send_signal(number)
        wait_until(lambda: refused(served, "grpc", pb))
        gate.open()
        assert [call().args["n"] for call in calls] == list(range(20))
        assert served.process.wait(START_LIMIT) == 0, served.log
