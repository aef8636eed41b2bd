"""The server of cpex 0.1.4 on the Unix socket: what deployed plugins run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.environments import environment
from tests.support.serving import START_LIMIT

OLD = "Old"
_SOURCE = """
import asyncio

from cpex.framework import Plugin, ToolPreInvokeResult


class Old(Plugin):
    async def tool_pre_invoke(self, payload, context):
        if payload.name == "sleep":
            await asyncio.sleep(payload.args["seconds"])
        return ToolPreInvokeResult(modified_payload=payload)
"""
_CONFIG = (
    "plugins: [{name: Old, kind: old_plugin.Old, hooks: [tool_pre_invoke], version: '1', author: a, mode: enforce}]\n"
)


@dataclass(frozen=True)
class CpexServer:
    """A running server; `endpoint` is where our clients find it."""

    endpoint: str


@contextmanager
def serve_cpex(folder: Path, path: Path | None = None) -> Iterator[CpexServer]:
    """Serve a plugin with cpex's own server; ends it at the end.

    Args:
        folder: where to write the plugin.
        path: the socket; in `folder` when None.
    """
    path = path or folder / "old.sock"
    (folder / "old_plugin.py").write_text(_SOURCE)
    (folder / "config.yaml").write_text(_CONFIG)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PLUGINS_", "UNIX_SOCKET_"))}
    settings = {
        "PYTHONPATH": str(folder),
        "PLUGINS_CONFIG_PATH": str(folder / "config.yaml"),
        "PLUGINS_UNIX_SOCKET_PATH": str(path),
        "PLUGINS_TRANSPORT": "unix",
        "PLUGINS_ENABLED": "true",
    }
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(
            [str(environment("cpex", ["cpex[grpc]==0.1.4"])), "-m", "cpex.framework.external.unix.server.runtime"],
            cwd=folder, env=clean | settings, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            # It says READY once it listens.
            if not any("READY" in line for line in process.stdout):
                raise RuntimeError("cpex's server did not start:\n" + (folder / "log").read_text())
            yield CpexServer(f"unix://{path}")
        finally:
            process.terminate()
            process.wait(START_LIMIT)
            if process.stdout is not None:
                process.stdout.close()
