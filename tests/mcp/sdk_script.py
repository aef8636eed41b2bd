# mypy: ignore-errors
# It must run with both generations of the SDK, which the checker cannot have at once.
"""Drives a server with the official SDK; runs in an environment of its own and prints what it saw as JSON.

Arguments: the way ("http" or "stdio"), the mode ("session" or "discover"), and the endpoint or the command.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

LONG = 2**64 + 1


@asynccontextmanager
async def streams(way, target):
    if way == "stdio":
        command, *args = target
        async with stdio_client(StdioServerParameters(command=command, args=args)) as pair:
            yield pair
        return
    try:
        from mcp.client.streamable_http import streamable_http_client as client
    except ImportError:
        from mcp.client.streamable_http import streamablehttp_client as client
    async with client(target[0]) as found:
        yield found[:2]


async def main(way, mode, *target):
    seen = {"sdk": version("mcp")}
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession(*await stack.enter_async_context(streams(way, target))))
        if mode == "discover":
            from mcp.client._probe import negotiate_auto

            await negotiate_auto(session)
            seen["version"] = session.protocol_version
        else:
            found = await session.initialize()
            seen["version"] = getattr(found, "protocolVersion", None) or found.protocol_version
            await session.send_ping()
        seen["tools"] = [tool.name for tool in (await session.list_tools()).tools]
        arguments = {"hook_type": "tool_pre_invoke", "plugin_name": "Probe", "context": None}

        async def call(name, **args):
            payload = {"name": name, "args": args}
            result = await session.call_tool("invoke_hook", {**arguments, "payload": payload})
            is_error = result.isError if hasattr(result, "isError") else result.is_error
            return is_error, json.loads(result.content[0].text)

        seen["echo"] = await call("echo", text="h\u00e9", long=LONG)
        seen["nan"] = await call("nan")
        seen["many"] = [reply for _, reply in await asyncio.gather(*(call("echo", n=n) for n in range(20)))]
        try:
            await session.call_tool("no_such_tool", {})
        except Exception as error:
            seen["unknown"] = str(error)
        config = await session.call_tool("get_plugin_config", {"name": "PROBE"})
        seen["config"] = json.loads(config.content[0].text)
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
