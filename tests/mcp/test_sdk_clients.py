"""The official Python SDK, both generations, against a rendered plugin in another process."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import environment
from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, Served, command, environ

SCRIPT = Path(__file__).with_name("sdk_script.py")
GENERATIONS = {"1": "mcp>=1.20,<2", "2": "mcp>=2,<3"}


def drive(generation: str, *arguments: str, env: dict[str, str] | None = None) -> Any:
    python = environment(f"mcp{generation}", [GENERATIONS[generation]])
    clean = {**os.environ, **(env or {})}
    done = subprocess.run(
        [str(python), str(SCRIPT), *arguments],
        capture_output=True, text=True, timeout=2 * START_LIMIT, check=False, env=clean,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(seen: Any, generation: str, version: str) -> None:
    assert seen["sdk"].startswith(f"{generation}.")
    assert seen["version"] == version
    assert seen["tools"] == ["get_plugin_configs", "get_plugin_config", "invoke_hook"]
    failed, reply = seen["echo"]
    assert not failed
    assert reply["result"]["modified_payload"]["args"] == {"text": "h\u00e9", "long": 2**64 + 1}
    failed, reply = seen["nan"]
    assert failed
    assert reply["error"]["code"] == "UNREPRESENTABLE"
    assert [reply["result"]["modified_payload"]["args"]["n"] for reply in seen["many"]] == list(range(20))
    assert "unknown tool 'no_such_tool'" in seen["unknown"]
    assert seen["config"]["name"] == "Probe"


CASES = [("1", "session", "2025-11-25"), ("2", "session", "2025-11-25"), ("2", "discover", "2026-07-28")]


@pytest.mark.parametrize(("generation", "mode", "version"), CASES)
def test_http(probe_server: Served, generation: str, mode: str, version: str) -> None:
    check(drive(generation, "http", mode, probe_server.endpoints["http"]), generation, version)


@pytest.mark.parametrize(("generation", "mode", "version"), CASES)
def test_stdio(rendered: RenderedPlugin, probe_config: Path, generation: str, mode: str, version: str) -> None:
    # The SDK starts servers with few variables of its own environment, so that they come by env(1).
    variables = [f"{name}={value}" for name, value in environ(rendered).items() if name in ("PATH", "PYTHONPATH")]
    serve = command(rendered, "serve", "--transport", "stdio", "--config", str(probe_config))
    check(drive(generation, "stdio", mode, "env", *variables, *serve), generation, version)
