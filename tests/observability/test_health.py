"""The command `health`, against real servers. Its defaults are tested with the health check of the image."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import run, serve, serve_one
from tests.support.transport_clients import connect_client

SCHEMES = ["http", "http+unix", "grpc", "grpc+unix", "unix"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_server_and_its_plugins(
    rendered: RenderedPlugin, config: str, pb: Any, short_path: Path, scheme: str
) -> None:
    with serve_one(rendered, scheme, short_path, "--config", config) as served:
        endpoint = served.endpoints[scheme]

        def ask(*options: str) -> tuple[int, str]:
            done = run(rendered, "health", "--endpoint", endpoint, *options)
            assert done.stdout == ""
            return done.returncode, done.stderr

        assert ask() == (0, "")
        assert ask("--plugin", "Probe") == (0, "")
        code, text = ask("--plugin", "nobody")
        assert code == 1 and text.startswith(f"{endpoint}: not ready: ")
        if scheme == "http+unix":
            return
        with connect_client(served, scheme, pb) as line:
            line.call("fall_ill")
        # The other plugin can do its work still.
        assert ask() == (0, "")
        code, text = ask("--plugin", "Probe")
        assert code == 1 and text.startswith(f"{endpoint}: not ready: ")
    code, text = ask()
    assert code == 1 and text.startswith(f"{endpoint}: not ready: ")


def test_the_admin_listener_is_asked_when_there_is_one(rendered: RenderedPlugin, config: str) -> None:
    with serve(rendered, "unix", "--config", config, PLUGINS_ADMIN_PORT="0") as served:
        port = served.endpoints["admin"].rpartition(":")[2]
        # Nobody listens on these transports; the admin listener knows about all of its server's.
        elsewhere = {"PLUGINS_TRANSPORT": "grpc,unix", "PLUGINS_UNIX_SOCKET_PATH": "/nowhere"}
        done = run(rendered, "health", "--config", config, PLUGINS_ADMIN_PORT=port, **elsewhere)
        assert (done.returncode, done.stderr) == (0, "")
    done = run(rendered, "health", "--config", config, PLUGINS_ADMIN_PORT=port, **elsewhere)
    assert done.returncode == 1
    assert done.stderr.startswith(f"http://127.0.0.1:{port}: not ready: ")


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_a_server_that_does_not_answer(rendered: RenderedPlugin, scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}"
        done = run(rendered, "health", "--endpoint", endpoint, "--timeout", "0.2")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{endpoint}: not ready: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--endpoint", "ftp://x"], "ftp://x: cannot be asked for health; the endpoint starts with one of http, "),
        (
            ["--endpoint", "https://x", "--plugin", "P"],
            "https://x: a plugin cannot be asked for through TLS; set PLUGINS",
        ),
    ],
)
def test_what_cannot_be_asked(rendered: RenderedPlugin, arguments: list[str], message: str) -> None:
    done = run(rendered, "health", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {message}")
