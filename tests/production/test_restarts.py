"""kill -9, and a new server on the same port or socket, while clients of the old one are still there."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.gates import Gate
from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, serve_one
from tests.support.transport_clients import ConnectionLostError, connect_client
from tests.support.waiting import wait_until

OPTION = {"http": "--port", "http+unix": "--uds", "grpc": "--grpc-port", "grpc+unix": "--grpc-uds", "unix": "--socket"}


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("scheme", list(OPTION))
def test_a_killed_server_is_started_again_in_its_place(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, held: ExitStack, scheme: str, workers: str
) -> None:
    gate = Gate(short_path)
    options = ["--config", str(config), "--workers", workers]
    if "unix" in scheme:
        options += [OPTION[scheme], str(short_path / "s.sock")]
    with held:
        with serve_one(rendered, scheme, short_path, *options) as served:
            if "unix" not in scheme:
                options += [OPTION[scheme], str(urlsplit(served.endpoints[scheme]).port)]
            lines = [held.enter_context(connect_client(served, scheme, pb)) for _ in range(3)]
            calls = gate.hold(lines, len(lines))
            served.process.kill()
            served.process.wait(START_LIMIT)
            if workers == "2":
                # Nobody killed the workers: they still answer.
                gate.open()
                assert all(call().error is None for call in calls)
            else:
                for call in calls:
                    with pytest.raises(ConnectionLostError):
                        call()
        with serve_one(rendered, scheme, short_path, *options) as again:
            assert again.endpoints[scheme] == served.endpoints[scheme]
            with connect_client(again, scheme, pb) as line:
                assert line.call("echo", n=1).args == {"n": 1}


@pytest.mark.parametrize("scheme", [scheme for scheme in OPTION if "unix" in scheme])
def test_a_server_that_drains_leaves_the_socket_of_its_successor_alone(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, held: ExitStack, scheme: str
) -> None:
    gate = Gate(short_path)
    options = ["--config", str(config), "--grace", "20", OPTION[scheme], str(short_path / "s.sock")]
    with serve_one(rendered, scheme, short_path, *options) as old, held:
        calls = gate.hold([held.enter_context(connect_client(old, scheme, pb))], 1)
        old.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not (short_path / "s.sock").exists())
        with serve_one(rendered, scheme, short_path, *options) as new:
            gate.open()
            assert calls[0]().error is None
            assert old.process.wait(START_LIMIT) == 0
            with connect_client(new, scheme, pb) as line:
                assert line.call("echo", n=1).args == {"n": 1}
