"""The health check of the image against real servers: on each transport, with TLS, and against what is no server."""

from __future__ import annotations

import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, run, serve

TRANSPORTS = ["http", "grpc", "unix"]


def settings(served: Served) -> dict[str, str]:
    """The variables that a server with these endpoints would have been started with."""
    found = {"PLUGINS_TRANSPORT": ",".join(served.endpoints.keys() & set(TRANSPORTS))}
    for scheme, variable in (("http", "PLUGINS_SERVER_PORT"), ("https", "PLUGINS_SERVER_PORT"),
                             ("grpc", "PLUGINS_GRPC_SERVER_PORT"), ("grpcs", "PLUGINS_GRPC_SERVER_PORT")):  # fmt: skip
        if scheme in served.endpoints:
            found[variable] = served.endpoints[scheme].rpartition(":")[2].removesuffix("/mcp")
    if "unix" in served.endpoints:
        found["PLUGINS_UNIX_SOCKET_PATH"] = served.endpoints["unix"].removeprefix("unix://")
    return found


def check(plugin: RenderedPlugin, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the health check with these variables."""
    return run(plugin, "health", **variables)


def test_each_transport_is_asked(plugin: RenderedPlugin) -> None:
    with serve(plugin, "http,grpc,unix") as served:
        done = check(plugin, settings(served))
        assert done.returncode == 0, done.stderr
    for transport in TRANSPORTS:
        done = check(plugin, settings(served) | {"PLUGINS_TRANSPORT": transport})
        assert done.returncode == 1
        assert done.stderr.startswith(f"{transport}://") and ": not ready: " in done.stderr


def test_http_and_grpc_are_asked_on_their_sockets(plugin: RenderedPlugin, short_path: Path) -> None:
    http = str(short_path / "h.sock")
    with serve(plugin, "http,grpc", "--uds", http) as served:
        grpc = served.endpoints["grpc+unix"].removeprefix("grpc+unix://")
        places = {"PLUGINS_SERVER_UDS": http, "PLUGINS_GRPC_SERVER_UDS": grpc}
        done = check(plugin, places | {"PLUGINS_TRANSPORT": "http,grpc"})
        assert done.returncode == 0, done.stderr


def test_with_mutual_tls_half_a_handshake_is_enough(plugin: RenderedPlugin) -> None:
    with serve(plugin, "http,grpc", "--tls", "--grpc-uds", "") as served:
        on = {"PLUGINS_SERVER_SSL_ENABLED": "true", "PLUGINS_GRPC_SERVER_SSL_ENABLED": "true"}
        variables = settings(served) | on | {"PLUGINS_TRANSPORT": "http,grpc"}
        done = check(plugin, variables)
        assert done.returncode == 0, done.stderr
        # It leaves no trace: the log is for real clients that are refused.
        assert not [line for line in served.log if "plugsmith-runtime" not in line]
        # Without TLS it is no health, whatever the server says.
        assert check(plugin, settings(served) | {"PLUGINS_TRANSPORT": "http"}).returncode == 1
    assert check(plugin, variables).returncode == 1


def test_a_server_that_only_listens_is_not_healthy(plugin: RenderedPlugin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        places = {"http": "PLUGINS_SERVER_PORT", "grpc": "PLUGINS_GRPC_SERVER_PORT"}
        with ThreadPoolExecutor() as both:
            settings = [{"PLUGINS_TRANSPORT": name, variable: port} for name, variable in places.items()]
            for name, done in zip(places, both.map(lambda given: check(plugin, given), settings), strict=True):
                assert done.returncode == 1
                assert done.stderr.startswith(f"{name}://127.0.0.1:{port}")
