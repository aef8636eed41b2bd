"""The engine's client: against the engine's server, and against servers on both generations of the official SDK."""

from __future__ import annotations

import asyncio
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from plugsmith_runtime.errors import PlugsmithError, StartError
from plugsmith_runtime.mcp.client import Client
from plugsmith_runtime.mcp.http_client import EventParser, HttpClientTransport, tcp_connector
from plugsmith_runtime.mcp.jsonrpc import McpError
from plugsmith_runtime.mcp.stdio_client import StdioClientTransport

from tests.support.environments import environment

from .conftest import everything_command
from .everything import FIRST_TOOLS
from .test_sdk_clients import GENERATIONS

LIMIT_SECONDS = 30.0
INFO = {"name": "tests", "version": "1"}
WAYS = ("json", "sse", "stdio")

Drive = Callable[[Client], Awaitable[None]]


@asynccontextmanager
async def client_of(target: str, stateless: bool | None = False, **more: Any) -> AsyncIterator[Client]:
    """A client of an endpoint, or of a command; it finds out for itself when it is not told how to open."""
    parts = urlsplit(target)
    transport: Any
    if parts.scheme == "http":
        assert parts.hostname is not None and parts.port is not None
        transport = HttpClientTransport(parts.netloc, parts.path, tcp_connector(parts.hostname, parts.port))
    else:
        transport = await StdioClientTransport.start(shlex.split(target))
    client = Client(transport, INFO, LIMIT_SECONDS, **more)
    try:
        if stateless is None:
            await client.connect()
        else:
            await (client.discover() if stateless else client.initialize())
        yield client
    finally:
        await client.close()


def run(target: str, drive: Drive, stateless: bool = False) -> None:
    async def main() -> None:
        async with asyncio.timeout(LIMIT_SECONDS), client_of(target, stateless) as client:
            await drive(client)

    asyncio.run(main())


class SdkServer(NamedTuple):
    """A server on the SDK: its generation, how it answers, and its endpoint or command."""

    generation: str
    way: str
    target: str


@pytest.fixture(scope="session", params=[f"{generation}-{way}" for generation in GENERATIONS for way in WAYS])
def sdk_server(request: pytest.FixtureRequest) -> Iterator[SdkServer]:
    """A server on each generation of the SDK that answers in each way."""
    generation, way = request.param.split("-")
    python = environment(f"mcp{generation}", [GENERATIONS[generation]])
    command = [str(python), str(Path(__file__).with_name("sdk_server.py")), way]
    if way == "stdio":
        yield SdkServer(generation, way, shlex.join(command))
        return
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield SdkServer(generation, way, process.stdout.readline().strip())
        process.terminate()


async def cancel_a_call(client: Client) -> None:
    running = asyncio.Event()
    call = asyncio.create_task(client.call_tool("wait", {}, on_progress=lambda *_: running.set()))
    await running.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await client.call_tool("cancelled", {"calls": 1})


async def watch_the_list(client: Client) -> None:
    async with client.watch_tools() as changes:
        await client.call_tool("grow", {"name": "grown"})
        await anext(changes)
    assert "grown" in [tool.name for tool in await client.list_tools()]


def test_sdk_servers(sdk_server: SdkServer) -> None:
    async def drive(client: Client) -> None:
        assert client.protocol_version == "2025-11-25"
        assert client.server_info["name"] == "sdk"
        assert client.instructions == "For tests."
        tools = {tool.name: tool for tool in await client.list_tools()}
        assert tools["add"].description == "Add numbers."
        assert tools["add"].output_schema is not None
        result = await client.call_tool("add", {"numbers": [1, 2.5]})
        assert result.structured == {"sum": 3.5}
        assert (await client.call_tool("fail", {})).is_error
        steps: list[Any] = []
        result = await client.call_tool("count", {"to": 3}, on_progress=lambda *step: steps.append(step))
        assert result.content[0]["text"] == "counted to 3"
        if sdk_server.way != "json":
            assert steps == [(number, 3, f"step {number}") for number in (1, 2, 3)]
            await cancel_a_call(client)
        await watch_the_list(client)

    run(sdk_server.target, drive)


def test_sdk_servers_without_a_session(sdk_server: SdkServer) -> None:
    async def drive(client: Client) -> None:
        assert client.protocol_version == "2026-07-28"
        assert (await client.call_tool("add", {"numbers": [1, 2.5]})).structured == {"sum": 3.5}
        if sdk_server.way != "json":
            await cancel_a_call(client)
        await watch_the_list(client)

    if sdk_server.generation == "2":
        run(sdk_server.target, drive, stateless=True)
    else:
        with pytest.raises(McpError):
            run(sdk_server.target, drive, stateless=True)


@pytest.mark.parametrize("stateless", [False, True])
def test_own_server_over_http(everything: str, stateless: bool) -> None:
    run(everything, own_server, stateless)


@pytest.mark.parametrize("stateless", [False, True])
def test_own_server_over_stdio(stateless: bool) -> None:
    run(shlex.join(everything_command("stdio")), own_server, stateless)


async def own_server(client: Client) -> None:
    assert client.server_info["title"] == "Every kind of tool"
    assert client.capabilities == {"tools": {"listChanged": True}, "logging": {}}
    tools = await client.list_tools()
    first = [tool.name for tool in FIRST_TOOLS]
    assert [tool.name for tool in tools][: len(first)] == first
    assert tools[1] == FIRST_TOOLS[1]
    assert (await client.call_tool("add", {"numbers": [2**64, 1]})).structured == {"sum": 2**64 + 1}
    assert (await client.call_tool("caller", {}, meta={"traceparent": "t"})).structured["trace"] == {"traceparent": "t"}
    steps: list[Any] = []
    await client.call_tool("count", {"to": 300}, on_progress=lambda *step: steps.append(step[0]))
    assert steps == list(range(1, 301))
    await cancel_a_call(client)
    await watch_the_list(client)
    with pytest.raises(McpError, match="tools/call: unknown tool 'no'") as caught:
        await client.call_tool("no", {})
    assert caught.value.code == -32602
    assert issubclass(McpError, PlugsmithError)


def test_connect_speaks_the_newest_revision_that_the_server_speaks(sdk_server: SdkServer) -> None:
    async def main() -> str:
        async with client_of(sdk_server.target, None) as client:
            assert len(await client.list_tools()) >= 6
            return client.protocol_version

    assert asyncio.run(main()) == {"1": "2025-11-25", "2": "2026-07-28"}[sdk_server.generation]


def test_log_messages(everything: str) -> None:
    async def main(stateless: bool) -> list[str]:
        logs: list[str] = []
        async with client_of(everything, stateless, on_log=lambda level, *_: logs.append(level)) as client:
            meta = {"io.modelcontextprotocol/logLevel": "info"}
            if not stateless:
                await client.set_log_level("info")
            await client.call_tool("count", {"to": 1}, meta=meta if stateless else None)
            if stateless:
                await client.call_tool("count", {"to": 1})
        return logs

    for stateless in (False, True):
        assert asyncio.run(main(stateless)) == ["info"]


def test_a_call_that_takes_too_long_is_cancelled_on_the_server(everything: str) -> None:
    async def drive(client: Client) -> None:
        with pytest.raises(TimeoutError):
            await client.call_tool("wait", {}, timeout=0.1)
        await client.call_tool("cancelled", {"calls": 1})

    run(everything, drive)


def test_servers_that_are_none(everything: str) -> None:
    async def connect(target: str) -> None:
        async with client_of(target):
            pass

    with pytest.raises(ConnectionError):
        asyncio.run(connect("http://127.0.0.1:1/mcp"))
    with pytest.raises(StartError, match="/no/such/program: cannot be run"):
        asyncio.run(connect("/no/such/program"))
    with pytest.raises(ConnectionError, match="the server has ended"):
        asyncio.run(connect(f"{sys.executable} -c ''"))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_in_pieces_of_any_size(size: int) -> None:
    stream = b': comment\r\n\r\nevent: message\r\ndata: {"a":1}\r\n\r\nid: 5\ndata: one\ndata:two\n\ndata: last\n\n'
    parser = EventParser(100)
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [data for piece in pieces for data in parser.feed(piece)] == [b'{"a":1}', b"one\ntwo", b"last"]


def test_an_event_may_not_be_larger_than_the_limit() -> None:
    parser = EventParser(100)
    for _ in range(3):
        assert list(parser.feed(b"data: " + b"x" * 80 + b"\n\n")) == [b"x" * 80]
    with pytest.raises(McpError, match="more than 100 bytes"):
        list(parser.feed(b"data: " + b"x" * 200))
