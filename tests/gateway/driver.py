"""Calls a plugin server with a framework's external-plugin clients; runs in an environment that has the framework.

Takes a JSON object as its only argument: the client's block of the gateway's plugins file ("mcp", "grpc" or
"unix_socket"), the name of the rendered plugin, and the framework's module. Prints what the gateway would see as JSON.
"""

import asyncio
import importlib
import json
import logging
import sys
from typing import Any


class Framework:
    """The names of a framework that a driver needs: cpex's, or those of the one inside gateway 1.0.0."""

    def __init__(self, module: str) -> None:
        root: Any = importlib.import_module(module)
        self.module = module
        self.error: type[Any] = root.PluginError
        self.root = root
        self.registry: Any = importlib.import_module(f"{module}.hooks.registry").get_hook_registry()

    def client(self, name: str, block: dict[str, Any]) -> Any:
        # What an entry leaves out, hooks for example, the client takes from the server.
        config = self.root.PluginConfig(name=name, kind="external", **block)
        if "mcp" in block:
            where, kind = "mcp", "ExternalPlugin"
        elif "grpc" in block:
            where, kind = "grpc", "GrpcExternalPlugin"
        else:
            where, kind = "unix", "UnixSocketExternalPlugin"
        return getattr(importlib.import_module(f"{self.module}.external.{where}.client"), kind)(config)

    def context(self, **metadata: Any) -> Any:
        user = {"email": "a@example.com"}
        metadata = {"big": 2**53, **metadata}
        shared = self.root.GlobalContext(request_id="r-1", user=user, tenant_id="t", metadata=metadata)
        return self.root.PluginContext(global_context=shared)

    async def call(self, plugin: Any, hook: str, payload: dict[str, Any], context: Any) -> dict[str, Any]:
        try:
            result = await plugin.invoke_hook(hook, self.registry.json_to_payload(hook, payload), context)
        except self.error as error:
            return self.told(error)
        data: dict[str, Any] = result.model_dump(mode="json")
        return data

    async def unknown(self, block: dict[str, Any]) -> dict[str, Any]:
        """Start a client for a plugin that the server does not have, and call it when that succeeds."""
        plugin = self.client("Nobody", block)
        try:
            await plugin.initialize()
            return await self.call(plugin, "tool_pre_invoke", {"name": "echo", "args": {}}, self.context())
        except self.error as error:
            return self.told(error)
        finally:
            await plugin.shutdown()

    def told(self, problem: Any) -> dict[str, Any]:
        """What an error of the framework tells the gateway."""
        return {"error": problem.error.model_dump(mode="json")}


async def main(block: dict[str, Any], name: str, framework: str = "cpex.framework") -> None:
    peer = Framework(framework)

    async def call(plugin: Any, tool: str, args: dict[str, Any], own: Any = None) -> dict[str, Any]:
        return await peer.call(plugin, "tool_pre_invoke", {"name": tool, "args": args}, own or peer.context())

    seen: dict[str, Any] = {}
    guard, probe = peer.client(name, block), peer.client("Probe", block)
    try:
        await guard.initialize()
        await probe.initialize()
        seen["config"] = guard.config.model_dump(mode="json")
        seen["allowed"] = await call(guard, "search", {"query": "hello"})
        seen["modified"] = await call(guard, "search", {"query": "call tango now", "n": 5, "ratio": 0.5})
        seen["blocked"] = await call(guard, "search", {"query": "classified"})
        own = peer.context()
        await call(probe, "echo", {}, own)
        await call(probe, "echo", {}, own)
        seen["state"] = {"own": own.state, "shared": own.global_context.state}
        post = await peer.call(probe, "tool_post_invoke", {"name": "echo", "result": {"ok": True}}, own)
        seen["post"] = post["metadata"]
        for behaviour in ("deliberate", "crash", "violation"):
            seen[behaviour] = await call(probe, behaviour, {})
    finally:
        # The last that was opened first: cpex's MCP client holds a task group, and those nest.
        await probe.shutdown()
        await guard.shutdown()
    seen["unknown"] = await peer.unknown(block)
    print(json.dumps(seen))


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main(**json.loads(sys.argv[1])))
