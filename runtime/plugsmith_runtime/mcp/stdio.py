"""MCP's stdio transport: one JSON message a line, answered in the order in which the answers are ready."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from typing import Any

from .jsonrpc import INVALID_REQUEST, JsonRpcError, decode, error_message
from .protocol import PROTOCOL_VERSION_KEY, STATELESS_VERSION
from .server import Server
from .session import Session
from .stdio_streams import DescriptorReader, DescriptorWriter, LineSplitter, StandardStreams
from .tools import RequestContext

logger = logging.getLogger(__name__)

_IN_FLIGHT_LIMIT = 256


class StdioServer:
    """An MCP server on standard input and output.

    Args:
        streams: standard input and output, taken before anything else could use them; given back by `stop`.
        max_message_bytes: the longest line.
        limit_name: the setting behind that limit, for the error's text.

    Attributes:
        finished: set when the input has ended and all its messages are answered.
    """

    def __init__(self, streams: StandardStreams, max_message_bytes: int, limit_name: str = "") -> None:
        self._limit = max_message_bytes
        self._limit_name = limit_name
        self._lines = LineSplitter(max_message_bytes)
        self._streams = streams
        self._reader = DescriptorReader(streams.reader, self._on_data, self._on_end)
        self._writer = DescriptorWriter(streams.writer)
        self._unread: deque[Iterator[bytes | None]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._session = Session()
        self._watch: asyncio.Task[None] | None = None
        self._paused = False
        self._ended = False
        self.finished = asyncio.Event()

    async def start(self, server: Server) -> None:
        """Begin to read.

        Args:
            server: answers the messages; `stop` closes it.
        """
        self._server = server
        await self._writer.start()
        await self._reader.start()
        if server.list_changed:
            self._watch = asyncio.get_running_loop().create_task(self._tell_changes())

    async def stop(self, grace: float) -> None:
        """Read no more, let requests in flight finish, write their answers, and give the descriptors back.

        Args:
            grace: seconds that requests in flight and their answers get.
        """
        self._reader.close()
        self._end_streams()
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

    def _end_streams(self) -> None:
        self._server.close()
        if self._watch is not None:
            self._watch.cancel()

    def _on_data(self, data: bytes) -> None:
        self._unread.append(self._lines.feed(data))
        self._work()

    def _on_end(self) -> None:
        if not self._ended:
            self._ended = True
            self._unread.append(self._lines.rest())
            self._work()
            self._end_streams()

    def _work(self) -> None:
        """Begin with the lines that have come, as many at a time as may be in flight."""
        while self._unread and len(self._tasks) < _IN_FLIGHT_LIMIT:
            try:
                line = next(self._unread[0])
            except StopIteration:
                self._unread.popleft()
                continue
            self._begin(line)
        if bool(self._unread) != self._paused:
            self._paused = not self._paused
            (self._reader.pause if self._paused else self._reader.resume)()
        if self._ended and not self._unread and not self._tasks:
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
                name = f" ({self._limit_name})" if self._limit_name else ""
                raise JsonRpcError(INVALID_REQUEST, f"the message is larger than {self._limit} bytes{name}")
            message = decode(line)
            version = STATELESS_VERSION if _is_stateless(message) else self._session.version
            context = RequestContext(version, size=len(line), session=self._session, notify=self._write)
            _, reply = await self._server.answer(message, context)
        except JsonRpcError as error:
            reply = error_message(None, error)
        if reply is not None:
            await self._write(reply)

    async def _write(self, message: bytes) -> None:
        self._writer.write(message + b"\n")
        # A client that does not read keeps this task, and enough such tasks stop the reading.
        await self._writer.writable()

    async def _tell_changes(self) -> None:
        """Send the changes that belong to no request, which clients with a handshake get without asking."""
        await self._session.initialized.wait()
        await self._server.watch_tools(self._write)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("stdio: a message was not answered", exc_info=error)
        self._work()


def _is_stateless(message: Any) -> bool:
    """Whether a message names its version in `_meta`, as only the revision without sessions has it."""
    params = message.get("params") if type(message) is dict else None
    meta = params.get("_meta") if type(params) is dict else None
    return type(meta) is dict and PROTOCOL_VERSION_KEY in meta
