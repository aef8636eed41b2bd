"""Answers the messages on standard input, several at a time and in the order in which they are done."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from typing import Any

from ...host.host import Host
from ...mcp import INVALID_REQUEST, JsonRpcError, McpEndpoint, Sender, decode, error_message
from ...mcp.stdio.descriptors import StandardStreams
from ...mcp.stdio.lines import LineSplitter
from ...mcp.stdio.pipes import Reader, Writer
from ...mcp.versions import HANDSHAKE_VERSIONS, PROTOCOL_VERSION_KEY, STATELESS_VERSION, negotiate
from ...net.listeners import SocketProvider
from ..settings import ServerSettings

logger = logging.getLogger(__name__)

_MOST_IN_FLIGHT = 256


class StdioTransport:
    """MCP over standard input and output.

    It takes both when it is made: make it before the plugins are loaded, and nothing that they print, not even while
    they are imported, can reach the client.

    Args:
        host: runs the hooks.
        settings: the largest message.
        listeners: not used: the client brings the streams.
    """

    name = "stdio"

    def __init__(self, host: Host, settings: ServerSettings, listeners: SocketProvider) -> None:
        self._host = host
        self._package = settings.package
        self._limit = settings.limits.message_bytes
        self._lines = LineSplitter(self._limit)
        self._streams = StandardStreams()
        self._reader = Reader(self._streams.reader, self._on_data, self._on_end)
        self._writer = Writer(self._streams.writer)
        self._unread: deque[Iterator[bytes | None]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._version = HANDSHAKE_VERSIONS[-1]
        self._paused = False
        self._ended = False
        self.finished: asyncio.Event | None = asyncio.Event()

    async def start(self) -> list[str]:
        """Begin to read; `finished` is set when the input has ended and all its messages are answered."""
        self._endpoint = McpEndpoint(self._host, self.name, self._package)
        await self._writer.start()
        await self._reader.start()
        return ["stdio:"]

    async def stop(self, grace: float) -> None:
        """Read no more, let calls in flight finish, write their answers, and give the descriptors back.

        Args:
            grace: seconds that calls in flight and their answers get.
        """
        self._reader.close()
        try:
            async with asyncio.timeout(grace):
                while self._tasks:
                    await asyncio.wait(self._tasks)
                await self._writer.close()
        except TimeoutError:
            logger.error("stdio: %d calls were not answered within the grace of %g s", len(self._tasks), grace)
            for task in self._tasks:
                task.cancel()
            self._writer.abort()
        self._streams.release()

    def _on_data(self, data: bytes) -> None:
        self._unread.append(self._lines.feed(data))
        self._work()

    def _on_end(self) -> None:
        if not self._ended:
            self._ended = True
            self._unread.append(self._lines.rest())
            self._work()

    def _work(self) -> None:
        """Begin with the lines that have come, as many at a time as may be in flight."""
        while self._unread and len(self._tasks) < _MOST_IN_FLIGHT:
            try:
                line = next(self._unread[0])
            except StopIteration:
                self._unread.popleft()
                continue
            self._begin(line)
        if bool(self._unread) != self._paused:
            self._paused = not self._paused
            (self._reader.pause if self._paused else self._reader.resume)()
        if self._ended and not self._unread and not self._tasks and self.finished is not None:
            self.finished.set()

    def _begin(self, line: bytes | None) -> None:
        if line is not None and (not line or line.isspace()):
            return
        task = asyncio.get_running_loop().create_task(self._answer(line))
        self._tasks.add(task)
        task.add_done_callback(self._on_done)

    async def _answer(self, line: bytes | None) -> None:
        try:
            if line is None:
                text = f"the message is larger than {self._limit} bytes (PLUGINS_MAX_MESSAGE_BYTES)"
                raise JsonRpcError(INVALID_REQUEST, text)
            message = decode(line)
            _, reply = await self._endpoint.answer(message, Sender(self._speaks(message), size=len(line)))
        except JsonRpcError as refusal:
            reply = error_message(None, refusal)
        if reply is not None:
            self._writer.write(reply + b"\n")
            # A client that does not read keeps this task, and enough such tasks stop the reading.
            await self._writer.writable()

    def _speaks(self, message: Any) -> str:
        """The version of a message: what its `_meta` names, else what `initialize` agreed on."""
        params = message.get("params") if type(message) is dict else None
        if type(params) is dict:
            meta = params.get("_meta")
            if type(meta) is dict and PROTOCOL_VERSION_KEY in meta:
                return STATELESS_VERSION
            if message.get("method") == "initialize" and type(params.get("protocolVersion")) is str:
                self._version = negotiate(params["protocolVersion"])
        return self._version

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            logger.error("stdio: a message was not answered", exc_info=problem)
        self._work()
