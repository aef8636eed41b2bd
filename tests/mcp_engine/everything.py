"""A server with tools of every kind, over HTTP or stdio; runs as a process of its own.

Argument: "stdio", or "http" (on our host) or "uvicorn", which print their endpoint when they listen, on a free port.
The tools named test_* and the first one are what the protocol's conformance suite asks for.
"""

from __future__ import annotations

import asyncio
import base64
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

from plugsmith_runtime.http.requests import JsonRequestReader
from plugsmith_runtime.http.security import CHECKED, OriginCheck
from plugsmith_runtime.mcp.protocol import MCP_HEADERS
from plugsmith_runtime.mcp.server import Server
from plugsmith_runtime.mcp.stdio import StdioServer
from plugsmith_runtime.mcp.stdio_streams import StandardStreams
from plugsmith_runtime.mcp.streamable_http import StreamableHttp
from plugsmith_runtime.mcp.tools import Tool, ToolCall, ToolResult, UnknownToolError, text_content

MAX_BYTES = 1_000_000
PAGE_SIZE_TOOLS = 9
_GRACE_SECONDS = 2
_OBJECT = {"type": "object"}
_PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
_SUM_SCHEMA = {"type": "object", "properties": {"sum": {"type": "number"}}, "required": ["sum"]}
_SCHEMA_2020_12 = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": {"type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
    "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}},
    "additionalProperties": False,
}
BLOCKS: dict[str, dict[str, Any]] = {
    "text": text_content("text"),
    "image": {"type": "image", "data": _PIXEL, "mimeType": "image/png"},
    "audio": {"type": "audio", "data": _PIXEL, "mimeType": "audio/wav"},
    "resource": {
        "type": "resource",
        "resource": {"uri": "file:///a.txt", "mimeType": "text/plain", "text": "a"},
    },
    "link": {"type": "resource_link", "name": "notes", "uri": "file:///notes.txt"},
}
_CONFORMANCE = {
    "test_simple_text": ["text"],
    "test_image_content": ["image"],
    "test_audio_content": ["audio"],
    "test_embedded_resource": ["resource"],
    "test_multiple_content_types": ["text", "image", "resource"],
}
FIRST_TOOLS = (
    Tool("json_schema_2020_12_tool", _SCHEMA_2020_12, "Tool with JSON Schema 2020-12 features."),
    Tool("add", _OBJECT, "Add numbers.", "Addition", _SUM_SCHEMA, {"readOnlyHint": True}),
    Tool("list", _OBJECT, "A structured result that is a list.", output_schema={"type": "array"}),
    Tool("fail", _OBJECT, "An error of the tool."),
    Tool("crash", _OBJECT, "An error that nobody meant."),
    Tool("nan", _OBJECT, "A result without a JSON form."),
    Tool("blocks", _OBJECT, "Content of every type."),
    Tool("count", _OBJECT, "Progress and log messages up to the argument `to`."),
    Tool("wait", _OBJECT, "Sends progress once, and waits until it is cancelled."),
    Tool("cancelled", _OBJECT, "Waits until so many calls of `wait` were cancelled as the argument `calls` says."),
    Tool("running", _OBJECT, "Waits until no call of `wait` or `count` runs."),
    Tool("grow", _OBJECT, "Adds a tool named by the argument `name`."),
    Tool("caller", _OBJECT, "What is known of the caller."),
    Tool("test_error_handling", _OBJECT, "An error of the tool."),
    Tool("test_tool_with_logging", _OBJECT, "Log messages."),
    Tool("test_tool_with_progress", _OBJECT, "Progress."),
    *(Tool(name, _OBJECT, f"Content: {', '.join(blocks)}.") for name, blocks in _CONFORMANCE.items()),
)


class Everything:
    """The provider of these tools."""

    long_running = True

    def __init__(self) -> None:
        self.tools: Sequence[Tool] = FIRST_TOOLS
        self.server = Server(
            self,
            {"name": "everything", "title": "Every kind of tool", "version": "1.0"},
            instructions="For tests.",
            list_changed=True,
            logging=True,
            page_size=PAGE_SIZE_TOOLS,
        )
        self._running_calls = 0
        self._waits_ended = 0
        self._ended = asyncio.Condition()

    async def call_tool(self, call: ToolCall) -> ToolResult | bytes:
        """Call one."""
        if call.name not in {tool.name for tool in self.tools}:
            raise UnknownToolError(call.name)
        if call.name in _CONFORMANCE:
            return ToolResult([BLOCKS[name] for name in _CONFORMANCE[call.name]])
        method = getattr(self, f"_{call.name}", None)
        result: ToolResult = await method(call) if method else ToolResult([text_content(f"I am {call.name}")])
        return result

    async def _test_error_handling(self, call: ToolCall) -> ToolResult:
        return await self._fail(call)

    async def _test_tool_with_logging(self, call: ToolCall) -> ToolResult:
        call.arguments["to"] = 3
        return await self._count(call)

    async def _test_tool_with_progress(self, call: ToolCall) -> ToolResult:
        call.arguments["to"] = 3
        return await self._count(call)

    async def _add(self, call: ToolCall) -> ToolResult:
        return ToolResult(structured={"sum": sum(call.arguments["numbers"])}, meta={"example.com/cost": 1})

    async def _list(self, call: ToolCall) -> ToolResult:
        return ToolResult(structured=[1, 2, 2**64 + 1])

    async def _fail(self, call: ToolCall) -> ToolResult:
        return ToolResult([text_content("it failed")], is_error=True)

    async def _crash(self, call: ToolCall) -> ToolResult:
        raise RuntimeError("secret")

    async def _nan(self, call: ToolCall) -> ToolResult:
        return ToolResult(structured={"deep": [float("nan")]})

    async def _blocks(self, call: ToolCall) -> ToolResult:
        return ToolResult(list(BLOCKS.values()))

    async def _count(self, call: ToolCall) -> ToolResult:
        to = call.arguments["to"]
        self._running_calls += 1
        try:
            for number in range(1, to + 1):
                await call.progress(number, to, f"step {number}")
                await call.log("info", f"counted {number}", "counter")
                await call.log("debug", {"number": number})
        finally:
            await self._end()
        return ToolResult([text_content(f"counted to {to}; progress wanted: {call.wants_progress}")])

    async def _wait(self, call: ToolCall) -> ToolResult:
        self._running_calls += 1
        try:
            await call.progress(1)
            await asyncio.Event().wait()
        finally:
            self._waits_ended += 1
            await self._end()
        return ToolResult()

    async def _end(self) -> None:
        async with self._ended:
            self._running_calls -= 1
            self._ended.notify_all()

    async def _running(self, call: ToolCall) -> ToolResult:
        async with self._ended:
            await self._ended.wait_for(lambda: not self._running_calls)
        return ToolResult(structured={"running": self._running_calls})

    async def _cancelled(self, call: ToolCall) -> ToolResult:
        async with self._ended:
            await self._ended.wait_for(lambda: self._waits_ended >= call.arguments["calls"])
        return ToolResult()

    async def _grow(self, call: ToolCall) -> ToolResult:
        self.tools = [*self.tools, Tool(call.arguments["name"], _OBJECT)]
        self.server.tools_changed()
        return ToolResult()

    async def _caller(self, call: ToolCall) -> ToolResult:
        headers = {name.decode(): value.decode() for name, value in call.context.headers}
        return ToolResult(structured={"version": call.context.version, "headers": headers, "trace": call.trace})


async def serve_stdio() -> None:
    """Serve on standard input and output until the input ends."""
    stdio = StdioServer(StandardStreams(), MAX_BYTES)
    await stdio.start(Everything().server)
    await stdio.finished.wait()
    await stdio.stop(5.0)


async def serve_http(by: str) -> None:
    """Serve over HTTP until a signal comes; open streams end then, and calls get a moment."""
    server = Everything().server
    checks = [OriginCheck("127.0.0.1", "its address")]
    app = StreamableHttp(server, JsonRequestReader(MAX_BYTES, checks, CHECKED | MCP_HEADERS))
    listening = socket.create_server(("127.0.0.1", 0))
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    print(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp", flush=True)
    if by == "uvicorn":
        await _serve_uvicorn(app, listening, stopped, server)
    else:
        await _serve_own(app, listening, stopped, server)


async def _serve_own(app: StreamableHttp, listening: socket.socket, stopped: asyncio.Event, server: Server) -> None:
    from plugsmith_runtime.http.config import HttpConfig
    from plugsmith_runtime.http.server import HttpServer
    from plugsmith_runtime.net.connections import ConnectionLimiter
    from plugsmith_runtime.net.sockets import SocketProvider

    listening.setblocking(False)
    host = HttpServer(app, HttpConfig(ConnectionLimiter(100), lifespan="off"))
    await host.start(listening, SocketProvider())
    await stopped.wait()
    server.close()
    await host.stop(_GRACE_SECONDS)


async def _serve_uvicorn(app: StreamableHttp, listening: socket.socket, stopped: asyncio.Event, server: Server) -> None:
    import uvicorn

    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=_GRACE_SECONDS)
    host = uvicorn.Server(config)
    host.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(host._serve([listening]))
    await stopped.wait()
    server.close()
    host.should_exit = True
    await serving


if __name__ == "__main__":
    asyncio.run(serve_stdio() if sys.argv[1] == "stdio" else serve_http(sys.argv[1]))
