"""The gateways' clients: how they are told where a server is, and the process that drives them."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.support.rendering import ROOT, RenderedPlugin
from tests.support.serving import Served, command, environ

LIMIT = 240.0
SETTINGS = {"PLUGINS_ENABLED": "true", "PLUGINS_SSRF_PROTECTION_ENABLED": "false"}


def client_block(transport: str, plugin: RenderedPlugin, config: Path, served: Served) -> dict[str, Any]:
    """The client's part of an entry in the gateway's plugins file.

    Args:
        transport: one of releases.TRANSPORTS.
        plugin: the rendered plugin, which the stdio client starts itself.
        config: the configuration file that it serves.
        served: a server of the other transports.
    """
    if transport == "stdio":
        start = command(plugin, "serve", "--transport", "stdio", "--config", str(config))
        return {"mcp": {"proto": "STDIO", "cmd": start, "env": environ(plugin), "cwd": str(plugin.root)}}
    if transport == "http":
        return {"mcp": {"proto": "STREAMABLEHTTP", "url": served.endpoints[transport]}}
    address = served.endpoints[transport].partition("://")[2]
    if transport == "unix":
        return {"unix_socket": {"path": address}}
    return {"grpc": {"uds" if transport == "grpc+unix" else "target": address}}


def drive(python: Path, driver: str, job: dict[str, Any], *python_path: Path) -> dict[str, Any]:
    """Run a driver to its end and return what it saw.

    Args:
        python: the Python of a release's environment.
        driver: the name of a module of this folder.
        job: the module's argument.
        python_path: further folders to import from.
    """
    seen: dict[str, Any] = drive_module(python, f"{__package__}.{driver}", job, *python_path)
    return seen


def drive_module(python: Path, module: str, job: dict[str, Any], *python_path: Path) -> Any:
    """Run a module that takes a job as JSON to its end, and return what it printed in its last line."""
    # The gateway's framework writes into the folder that it is started in.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, "-m", module, json.dumps(job)],
            env=os.environ | SETTINGS | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, *python_path)))},
            cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])
