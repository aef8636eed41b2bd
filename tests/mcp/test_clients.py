"""The runtime's own MCP clients, and the ways to serve that only they can reach."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, command, run, serve

PAYLOAD = '{"name": "echo", "args": {"long": 18446744073709551617}}'


def call(plugin: RenderedPlugin, config: Path, endpoint: str) -> Any:
    options = ["--json", "--plugin", "probe", "--config", str(config), "--endpoint", endpoint]
    done = run(plugin, "call", "tool_pre_invoke", PAYLOAD, *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["result"]["modified_payload"]["args"]


def test_http(rendered: RenderedPlugin, probe_config: Path, probe_server: Served) -> None:
    assert call(rendered, probe_config, probe_server.endpoints["http"]) == {"long": 2**64 + 1}


def test_stdio(rendered: RenderedPlugin, probe_config: Path) -> None:
    server = command(rendered, "serve", "--transport", "stdio", "--config", str(probe_config))
    assert call(rendered, probe_config, f"stdio:{shlex.join(server)}") == {"long": 2**64 + 1}


def test_http_on_a_unix_socket(rendered: RenderedPlugin, probe_config: Path, short_path: Path) -> None:
    path = short_path / "h.sock"
    with serve(rendered, "http", "--config", str(probe_config), "--uds", str(path)) as served:
        assert served.endpoints == {"http+unix": f"http+unix://{path}"}
        assert path.stat().st_mode & 0o777 == 0o600
        assert call(rendered, probe_config, served.endpoints["http+unix"]) == {"long": 2**64 + 1}
    assert not path.exists()


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        ("http://127.0.0.1:1/mcp", "http://127.0.0.1:1/mcp: cannot reach the server"),
        ("http://127.0.0.1:x/mcp", "write it as http://host:port/mcp"),
        ("stdio:", "stdio:: the command is missing"),
        ("stdio:/no/such/program", "/no/such/program: cannot be run"),
        ("stdio:true", "stdio:true: cannot reach the server"),
    ],
)
def test_endpoints_that_nobody_serves(rendered: RenderedPlugin, probe_config: Path, endpoint: str, text: str) -> None:
    done = run(rendered, "call", "tool_pre_invoke", PAYLOAD, "--config", str(probe_config), "--endpoint", endpoint)
    assert done.returncode == 2
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_path_that_is_no_mcp(rendered: RenderedPlugin, probe_config: Path, probe_server: Served) -> None:
    endpoint = probe_server.endpoints["http"].replace("/mcp", "/health")
    done = run(rendered, "call", "tool_pre_invoke", PAYLOAD, "--config", str(probe_config), "--endpoint", endpoint)
    assert done.returncode == 2
    assert "initialize: /health takes GET" in done.stderr
