# mypy: ignore-errors
# It must run with both generations of the SDK, which the checker cannot have at once.
"""A server on the official SDK with a few tools; runs in an environment of its own.

Argument: "stdio", "json" or "sse"; the last two print the endpoint of Streamable HTTP that answers in that way.
"""

import asyncio
import socket
import sys

try:
    from mcp.server.mcpserver import Context
    from mcp.server.mcpserver import MCPServer as Sdk
except ImportError:
    from mcp.server.fastmcp import Context
    from mcp.server.fastmcp import FastMCP as Sdk

server = Sdk("sdk", instructions="For tests.")


@server.tool()
def add(numbers: list[float]) -> dict[str, float]:
    """Add numbers."""
    return {"sum": sum(numbers)}


@server.tool()
def fail() -> str:
    """An error of the tool."""
    raise ValueError("it failed")


@server.tool()
async def count(to: int, ctx: Context) -> str:
    """Progress up to a number."""
    for number in range(1, to + 1):
        await ctx.report_progress(number, to, f"step {number}")
    return f"counted to {to}"


waiting = {"ended": 0}


@server.tool()
async def wait(ctx: Context) -> str:
    """Sends progress once, and waits until it is cancelled."""
    await ctx.report_progress(1)
    try:
        await asyncio.Event().wait()
    finally:
        waiting["ended"] += 1


@server.tool()
async def cancelled(calls: int) -> str:
    """Waits until so many calls of `wait` were cancelled."""
    while waiting["ended"] < calls:
        await asyncio.sleep(0.01)
    return "yes"


@server.tool()
async def grow(name: str, ctx: Context) -> str:
    """Adds a tool."""
    server.add_tool(lambda: name, name=name, description="new")
    if hasattr(ctx, "notify_tools_changed"):
        await ctx.notify_tools_changed()
    await ctx.session.send_tool_list_changed()
    return "grown"


def main(way):
    if way == "stdio":
        server.run("stdio")
        return
    import uvicorn

    listening = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp", flush=True)
    if hasattr(server, "settings") and hasattr(server.settings, "json_response"):
        server.settings.json_response = way == "json"
        app = server.streamable_http_app()
    else:
        app = server.streamable_http_app(json_response=way == "json")
    uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)).run([listening])


main(sys.argv[1])
