"""A plugin that does on request what a server must survive."""

from __future__ import annotations

from pathlib import Path

SOURCE = """
import asyncio
import os
import pathlib

from {runtime} import Plugin, ToolPreInvokeResult

print("printed while imported", flush=True)


class Probe(Plugin):
    async def initialize(self):
        print("printed by initialize", flush=True)
        self.gate = asyncio.Event()
        self.waiting = 0

    async def tool_pre_invoke(self, payload, context):
        match payload.name:
            case "nan":
                args = {{"deep": [1, {{"x": float("nan")}}]}}
            case "null":
                args = {{"deep": [None, 1.5, True]}}
            case "surrogate":
                args = {{"text": "\\ud800"}}
            case "long":
                args = {{"numbers": [2**70, -(2**64), 2**64 - 1]}}
            case "large":
                args = {{"text": "x" * payload.args["size"]}}
            case "print":
                print("printed by a hook", flush=True)
                os.system("echo printed by a child")
                args = {{}}
            case "wait":
                self.waiting += 1
                await self.gate.wait()
                args = {{}}
            case "hold":
                # Until the test, which opens the named pipe to learn that this runs, closes it.
                await asyncio.to_thread(pathlib.Path(payload.args["pipe"]).read_text)
                args = {{}}
            case "count":
                args = {{"waiting": self.waiting}}
            case "open":
                self.gate.set()
                args = {{}}
            case _:
                args = payload.args
        return ToolPreInvokeResult(modified_payload=payload.model_copy(update={{"args": args}}))
"""

CONFIG = """
plugin_dirs: [.]
plugins:
  - {name: Probe, kind: probe.Probe, version: "1.2.3", hooks: [tool_pre_invoke]}
"""


def write_probe(folder: Path, runtime: str) -> Path:
    """Write the plugin and its configuration.

    Args:
        folder: where to write.
        runtime: the package from which the plugin imports the runtime.

    Returns:
        The configuration file.
    """
    (folder / "probe.py").write_text(SOURCE.format(runtime=runtime))
    config = folder / "config.yaml"
    config.write_text(CONFIG)
    return config
