"""Calls a plugin server with the external-plugin clients of cpex; runs in an environment that has cpex.

Takes a JSON object as its only argument: the client's block of the gateway's plugins file ("mcp", "grpc" or
"unix_socket"), and the name of the rendered plugin. Prints what the gateway would see as JSON.
"""

import asyncio
import json
import logging
import sys

from cpex.framework import GlobalContext, PluginConfig, PluginContext, PluginError, ToolHookType
from cpex.framework.hooks.tools import ToolPostInvokePayload, ToolPreInvokePayload


def client(name, block):
    config = PluginConfig(name=name, kind="external", hooks=["tool_pre_invoke", "tool_post_invoke"], **block)
    if "mcp" in block:
        from cpex.framework.external.mcp.client import ExternalPlugin as Client
    elif "grpc" in block:
        from cpex.framework.external.grpc.client import GrpcExternalPlugin as Client
    else:
        from cpex.framework.external.unix.client import UnixSocketExternalPlugin as Client
    return Client(config)


def context():
    shared = GlobalContext(request_id="r-1", user={"email": "a@example.com"}, tenant_id="t", metadata={"big": 2**53})
    return PluginContext(global_context=shared)


async def call(plugin, name, args, own=None):
    payload = ToolPreInvokePayload(name=name, args=args)
    try:
        result = await plugin.invoke_hook(ToolHookType.TOOL_PRE_INVOKE, payload, own or context())
    except PluginError as problem:
        return {"error": problem.error.model_dump(mode="json")}
    return result.model_dump(mode="json")


async def unknown(block):
    plugin = client("Nobody", block)
    try:
        await plugin.initialize()
        return await call(plugin, "echo", {})
    except PluginError as problem:
        return {"error": problem.error.model_dump(mode="json")}
    finally:
        await plugin.shutdown()


async def main(block, name):
    seen = {}
    guard, probe = client(name, block), client("Probe", block)
    try:
        await guard.initialize()
        await probe.initialize()
        seen["config"] = guard.config.model_dump(mode="json")
        seen["allowed"] = await call(guard, "search", {"query": "hello"})
        seen["modified"] = await call(guard, "search", {"query": "call tango now", "n": 5, "ratio": 0.5})
        seen["blocked"] = await call(guard, "search", {"query": "classified"})
        own = context()
        await call(probe, "echo", {}, own)
        await call(probe, "echo", {}, own)
        seen["state"] = {"own": own.state, "shared": own.global_context.state}
        payload = ToolPostInvokePayload(name="echo", result={"ok": True})
        seen["post"] = (await probe.invoke_hook(ToolHookType.TOOL_POST_INVOKE, payload, own)).metadata
        for behaviour in ("deliberate", "crash", "violation"):
            seen[behaviour] = await call(probe, behaviour, {})
    finally:
        # The last that was opened first: cpex's MCP client holds a task group, and those nest.
        await probe.shutdown()
        await guard.shutdown()
    seen["unknown"] = await unknown(block)
    print(json.dumps(seen))


logging.disable(logging.CRITICAL)
asyncio.run(main(**json.loads(sys.argv[1])))
