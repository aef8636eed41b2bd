"""An MCP client: a session or requests without one, over any transport."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

from .jsonrpc import METHOD_NOT_FOUND, McpError, RequestId, read_result
from .protocol import (
    CLIENT_CAPABILITIES_KEY,
    CLIENT_INFO_KEY,
    HANDSHAKE_VERSIONS,
    LISTEN_METHOD,
    PROGRESS_TOKEN_KEY,
    PROTOCOL_VERSION_KEY,
    SERVER_INFO_KEY,
    STATELESS_VERSION,
    SUBSCRIPTION_ID_KEY,
    TOOLS_CHANGED_METHOD,
)
from .tools import Tool, ToolResult

Message = dict[str, Any]
OnMessage = Callable[[Message], None]

OnProgress = Callable[[float, float | None, str | None], None]
"""Is told the progress, the total when it is known, and what is being done."""

OnLog = Callable[[str, Any, str | None], None]
"""Is told the level, the message and the logger's name."""


class ClientTransport(Protocol):
    """Carries messages between a client and its server.

    Attributes:
        protocol_version: the revision that the client speaks from now on; None before that is agreed on.
    """

    protocol_version: str | None

    @property
    def usable(self) -> bool:
        """Whether a message may be sent, as far as is known without asking the server."""

    async def request(self, message: Message, on_message: OnMessage) -> Any:
        """Send a request.

        Args:
            message: the request.
            on_message: is given the server's other messages that come meanwhile.

        Returns:
            The decoded answer.
        """

    async def send(self, message: Message) -> None:
        """Send a message that has no answer."""

    def cancel(self, message: Message) -> None:
        """Tell the server that nobody waits for a request any more."""

    async def listen(self, on_open: Callable[[], None], on_message: OnMessage) -> None:
        """Receive messages that belong to no request, until the server ends that.

        Args:
            on_open: is called when the server sends them from now on.
            on_message: is given the messages.
        """

    async def close(self) -> None:
        """Close all connections."""


class Client:
    """A client of one MCP server.

    Call `connect`, `initialize` or `discover` before anything else.

    Args:
        transport: carries the messages.
        info: name and version of the client, and what else the protocol's `Implementation` may hold.
        timeout: seconds that a request may take, unless it says otherwise.
        on_log: is given the server's log messages.

    Attributes:
        protocol_version: the revision that is spoken.
        server_info: name and version of the server.
        capabilities: the server's capabilities.
        instructions: what the server says about itself for a model.
    """

    def __init__(
        self, transport: ClientTransport, info: dict[str, Any], timeout: float = 30.0, on_log: OnLog | None = None
    ) -> None:
        self._transport = transport
        self._info = info
        self._timeout = timeout
        self._on_log = on_log
        self._ids = itertools.count(1)
        self._progress: dict[RequestId, OnProgress] = {}
        self._acknowledged: dict[RequestId, Callable[[], None]] = {}
        self._changes: set[asyncio.Event] = set()
        self._replies: set[asyncio.Task[None]] = set()
        self.protocol_version = HANDSHAKE_VERSIONS[-1]
        self.server_info: dict[str, Any] = {}
        self.capabilities: dict[str, Any] = {}
        self.instructions: str | None = None

    @property
    def usable(self) -> bool:
        """Whether a request may be made, as far as is known without asking the server."""
        return self._transport.usable

    async def connect(self) -> None:
        """Speak the newest revision that the server speaks, without a session when it can.

        Raises:
            McpError: it is no MCP server.
        """
        try:
            await self.discover()
        except McpError:
            self.protocol_version, self._transport.protocol_version = HANDSHAKE_VERSIONS[-1], None
            await self.initialize()

    async def initialize(self) -> None:
        """Open a session: agree on a version.

        Raises:
            McpError: the server refuses, or it is no MCP server.
        """
        params = {"protocolVersion": self.protocol_version, "capabilities": {}, "clientInfo": self._info}
        result = await self.request("initialize", params)
        self._know(result, str(result.get("protocolVersion")), result.get("serverInfo"))
        await self._transport.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def discover(self) -> None:
        """Speak the revision without sessions.

        Raises:
            McpError: the server does not speak it, or it is no MCP server.
        """
        self.protocol_version = self._transport.protocol_version = STATELESS_VERSION
        result = await self.request("server/discover", {})
        versions = result.get("supportedVersions") or []
        if STATELESS_VERSION not in versions:
            raise McpError(f"server/discover: the server speaks {', '.join(map(str, versions)) or 'no version'}")
        meta = result.get("_meta") or {}
        self._know(result, STATELESS_VERSION, meta.get(SERVER_INFO_KEY))

    async def request(
        self,
        method: str,
        params: dict[str, Any],
        *,
        on_progress: OnProgress | None = None,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Make a request and return its result; when the task is cancelled, so is the request.

        Args:
            method: the method.
            params: the params; what the revision wants in `_meta` is added.
            on_progress: is told how the request gets on.
            timeout: seconds that it may take; those of the client when None.

        Raises:
            McpError: the server answers with an error.
            OSError: the server cannot be reached, or does not answer in time.
        """
        request_id = next(self._ids)
        if on_progress is not None:
            self._progress[request_id] = on_progress
            params = _with_meta(params, {PROGRESS_TOKEN_KEY: request_id})
        return await self._request(request_id, method, params, timeout or self._timeout)

    async def list_tools(self) -> list[Tool]:
        """All tools of the server, from all pages."""
        tools: list[Tool] = []
        params: dict[str, Any] = {}
        while True:
            result = await self.request("tools/list", params)
            tools += [Tool.from_json(item) for item in result["tools"]]
            cursor = result.get("nextCursor")
            if not cursor:
                return tools
            params = {"cursor": cursor}

    async def call_tool(
        self,
        name: str,
        arguments: dict[str, Any],
        *,
        on_progress: OnProgress | None = None,
        meta: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> ToolResult:
        """Call a tool.

        Args:
            name: the tool's name.
            arguments: its arguments.
            on_progress: is told how the call gets on.
            meta: the request's `_meta`.
            timeout: seconds that it may take; those of the client when None.

        Raises:
            McpError: the server answers with a protocol error; an error of the tool is a result.
            OSError: the server cannot be reached, or does not answer in time.
        """
        params = {"name": name, "arguments": arguments}
        if meta:
            params = _with_meta(params, meta)
        result = await self.request("tools/call", params, on_progress=on_progress, timeout=timeout)
        return ToolResult(
            result.get("content") or [],
            result.get("structuredContent"),
            bool(result.get("isError")),
            result.get("_meta"),
        )

    async def set_log_level(self, level: str) -> None:
        """Say which log messages are wanted, in a session; without one, `_meta` of each call says it.

        Args:
            level: the least severe of them.
        """
        await self.request("logging/setLevel", {"level": level})

    @contextlib.asynccontextmanager
    async def watch_tools(self) -> AsyncIterator[AsyncIterator[None]]:
        """Watch the list of tools: inside the block, what it gives yields after each change, until the server ends.

        Raises:
            McpError: the server does not tell changes.
            OSError: the server cannot be reached.
        """
        changed = asyncio.Event()
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def on_open() -> None:
            if not opened.done():
                opened.set_result(None)

        self._changes.add(changed)
        listening = asyncio.get_running_loop().create_task(self._listen(on_open))
        try:
            await asyncio.wait({listening, opened}, return_when=asyncio.FIRST_COMPLETED, timeout=self._timeout)
            if not opened.done():
                if not listening.done():
                    raise TimeoutError("the server did not open the stream of changes in time")
                listening.result()
            yield _until_done(changed, listening)
        finally:
            self._changes.discard(changed)
            listening.cancel()
            await asyncio.wait({listening})

    async def close(self) -> None:
        """Close the connection."""
        await self._transport.close()

    async def _request(
        self, request_id: RequestId, method: str, params: dict[str, Any], timeout: float | None
    ) -> dict[str, Any]:
        if self.protocol_version == STATELESS_VERSION:
            meta = {
                PROTOCOL_VERSION_KEY: STATELESS_VERSION,
                CLIENT_CAPABILITIES_KEY: {},
                CLIENT_INFO_KEY: self._info,
            }
            params = _with_meta(params, meta)
        message = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        try:
            async with asyncio.timeout(timeout):
                answer = await self._transport.request(message, self._on_message)
        except (TimeoutError, asyncio.CancelledError):
            if method != "initialize":
                self._transport.cancel(message)
            raise
        finally:
            self._progress.pop(request_id, None)
        return read_result(method, answer)

    async def _listen(self, on_open: Callable[[], None]) -> None:
        if self.protocol_version != STATELESS_VERSION:
            await self._transport.listen(on_open, self._on_message)
            return
        request_id = next(self._ids)
        self._acknowledged[request_id] = on_open
        try:
            await self._request(request_id, LISTEN_METHOD, {"notifications": {"toolsListChanged": True}}, None)
        finally:
            del self._acknowledged[request_id]

    def _know(self, result: dict[str, Any], version: str, server_info: Any) -> None:
        self.protocol_version = self._transport.protocol_version = version
        self.server_info = server_info or {}
        self.capabilities = result.get("capabilities") or {}
        self.instructions = result.get("instructions")

    def _on_message(self, message: Message) -> None:
        """Take what the server sends beside answers."""
        method, params = message.get("method"), message.get("params") or {}
        if "id" in message:
            self._reply(message)
        elif method == "notifications/progress":
            on_progress = self._progress.get(params.get(PROGRESS_TOKEN_KEY, ""))
            if on_progress is not None:
                on_progress(params["progress"], params.get("total"), params.get("message"))
        elif method == "notifications/message" and self._on_log is not None:
            self._on_log(params["level"], params.get("data"), params.get("logger"))
        elif method == TOOLS_CHANGED_METHOD:
            for changed in self._changes:
                changed.set()
        elif method == "notifications/subscriptions/acknowledged":
            meta = params.get("_meta") or {}
            if on_open := self._acknowledged.get(meta.get(SUBSCRIPTION_ID_KEY, "")):
                on_open()

    def _reply(self, message: Message) -> None:
        """Answer a request of the server; this client has nothing to offer but its presence."""
        reply: Message = {"jsonrpc": "2.0", "id": message["id"]}
        if message.get("method") == "ping":
            reply["result"] = {}
        else:
            reply["error"] = {"code": METHOD_NOT_FOUND, "message": f"unknown method {message.get('method')!r}"}
        task = asyncio.get_running_loop().create_task(self._transport.send(reply))
        self._replies.add(task)
        task.add_done_callback(self._replies.discard)


def _with_meta(params: dict[str, Any], meta: Mapping[str, Any]) -> dict[str, Any]:
    return {**params, "_meta": {**(params.get("_meta") or {}), **meta}}


async def _until_done(changed: asyncio.Event, listening: asyncio.Task[None]) -> AsyncIterator[None]:
    listening.add_done_callback(lambda _: changed.set())
    while True:
        await changed.wait()
        if listening.done():
            listening.result()
            return
        changed.clear()
        yield
