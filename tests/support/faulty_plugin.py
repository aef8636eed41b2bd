"""A plugin that does on request what a server must survive and a gateway must see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .rendering import RenderedPlugin
from .serving import config_file

SECRET = "the-secret-of-the-probe"

SOURCE = """
import asyncio
import datetime
import os
import time
import warnings

from {runtime} import (
    Plugin, PluginError, PluginErrorModel, PluginViolation, ToolPostInvokeResult, ToolPreInvokeResult
)


class Probe(Plugin):
    async def initialize(self):
        self.gate = None

    async def tool_pre_invoke(self, payload, context):
        context.set_state("calls", context.get_state("calls", 0) + 1)
        context.global_context.state["seen"] = payload.name
        self.context = context
        return await getattr(self, payload.name)(payload)

    async def tool_post_invoke(self, payload, context):
        return ToolPostInvokeResult(metadata={{"state": dict(context.state), "seen": context.global_context.state}})

    def answer(self, payload, args):
        return ToolPreInvokeResult(modified_payload=payload.model_copy(update={{"args": args}}))

    async def echo(self, payload):
        return self.answer(payload, payload.args)

    async def sleep(self, payload):
        await asyncio.sleep(payload.args["seconds"])
        return self.answer(payload, payload.args)

    async def stubborn(self, payload):
        end = time.monotonic() + payload.args["seconds"]
        while (left := end - time.monotonic()) > 0:
            try:
                await asyncio.sleep(left)
            except asyncio.CancelledError:
                pass
        return self.answer(payload, payload.args)

    async def wait(self, payload):
        # Until the test opens the named pipe: in a thread, since that may take any time.
        pipe, number = payload.args["pipe"], payload.args["n"]
        if self.gate is None:
            self.gate = asyncio.get_running_loop().run_in_executor(None, lambda: open(pipe).close())
        open(f"{{pipe}}.{{number:.0f}}", "w").close()
        await asyncio.shield(self.gate)
        return self.answer(payload, payload.args)

    async def fall_ill(self, payload):
        self.report_unhealthy("the model is gone")
        return self.answer(payload, payload.args)

    async def recover(self, payload):
        self.report_healthy()
        return self.answer(payload, payload.args)

    async def process(self, payload):
        return self.answer(payload, {{"process": os.getpid()}})

    async def until_cancelled(self, payload):
        # Tells the test that it has begun, and later that it was cancelled.
        with open(payload.args["pipe"], "w") as pipe:
            pipe.write("b")
            pipe.flush()
            try:
                await asyncio.sleep(60)
            finally:
                pipe.write("c")

    async def seen(self, payload):
        return self.answer(payload, self.context.model_dump(mode="json"))

    async def block(self, payload):
        # Tells the test that the loop stands still from now on.
        with open(payload.args["pipe"], "w") as pipe:
            pipe.write("x")
        time.sleep(payload.args["seconds"])
        return self.answer(payload, payload.args)

    async def large(self, payload):
        return self.answer(payload, {{"text": "x" * payload.args["size"]}})

    async def crash(self, payload):
        raise RuntimeError("{secret}")

    async def forget(self, payload):
        # A task that fails when nobody looks, and a warning.
        async def fail(args):
            raise RuntimeError("{secret}")

        task = asyncio.create_task(fail(payload.args))
        await asyncio.sleep(0)
        del task
        warnings.warn("this is old", stacklevel=1)
        return self.answer(payload, payload.args)

    async def deliberate(self, payload):
        details = {{"tries": 3}}
        raise PluginError(PluginErrorModel(
            message="upstream is down", plugin_name="Probe", code="UPSTREAM", details=details, mcp_error_code=-32050
        ))

    async def violation(self, payload):
        violation = PluginViolation(reason="No", description="Not at all", code="NO", details={{"at": [1, "two"]}})
        return ToolPreInvokeResult(
            continue_processing=False, violation=violation, denial_metadata={{"n": 2**60, "f": 2.0, "b": True}}
        )

    async def integer(self, payload):
        return self.answer(payload, {{"deep": [1, {{"n": 2**53 + 1}}]}})

    async def nan(self, payload):
        return self.answer(payload, {{"deep": [1, {{"x": float("nan")}}]}})

    async def surrogate(self, payload):
        return self.answer(payload, {{"text": "\\ud800"}})

    async def broken_error(self, payload):
        raise PluginError(PluginErrorModel(message="no", plugin_name="Probe", details={{"thing": object()}}))

    async def json_like(self, payload):
        moment = datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc)
        return self.answer(payload, {{"when": moment, "tags": {{"one"}}, 7: ("a", b"b"), "violation": PluginViolation(
            reason="r", description="d", code="c"
        )}})

    async def foreign(self, payload):
        return self.answer(payload, {{"thing": object()}})

    async def deep(self, payload):
        args = {{}}
        for _ in range(60):
            args = {{"a": args}}
        return self.answer(payload, args)
"""


def write_config(folder: Path, plugin: RenderedPlugin) -> Path:
    """Write the plugin, and a configuration that serves it beside the rendered one.

    Args:
        folder: where to write.
        plugin: the rendered plugin.

    Returns:
        The configuration file.
    """
    return _write(folder, f"{plugin.package}.runtime", yaml.safe_load(config_file(plugin).read_text()))


def write_config_in_place(folder: Path) -> Path:
    """Write the plugin, and a configuration that serves it with the runtime of the checkout (`serve_in_process`).

    Args:
        folder: where to write.

    Returns:
        The configuration file.
    """
    return _write(folder, "plugsmith_runtime", {"plugins": []})


def _write(folder: Path, runtime: str, config: dict[str, Any]) -> Path:
    (folder / "faulty_plugin.py").write_text(SOURCE.format(runtime=runtime, secret=SECRET))
    hooks = ["tool_pre_invoke", "tool_post_invoke"]
    config["plugin_dirs"] = [str(folder)]
    config["plugins"].append({"name": "Probe", "kind": "faulty_plugin.Probe", "version": "1.2.3", "hooks": hooks})
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return path
