"""The client side of MCP's stdio transport: it runs the server's command and ends it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import StartError
from ..exact_json import dumps, loads
from .client import Message, OnMessage
from .jsonrpc import RequestId

_END_SECONDS = 10.0
_LINE_LIMIT_BYTES = 1 << 30


class StdioClientTransport:
    """Exchanges messages with a child process; make it with `start`.

    Args:
        process: the child, with pipes for its input and output.

    Attributes:
        protocol_version: see ClientTransport.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._waiting: dict[RequestId, asyncio.Future[Any]] = {}
        self._on_message: OnMessage | None = None
        self._reading = asyncio.get_running_loop().create_task(self._read())
        self.protocol_version: str | None = None

    @classmethod
    async def start(cls, command: Sequence[str], env: Mapping[str, str] | None = None) -> StdioClientTransport:
        """Start a server; its standard error is that of this process.

        Args:
            command: the program and its arguments.
            env: its environment; that of this process when None.

        Raises:
            StartError: the command cannot be run.
        """
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=pipe, stdout=pipe, limit=_LINE_LIMIT_BYTES, env=env
            )
        except OSError as error:
            raise StartError(f"{command[0]}: cannot be run ({error.strerror})") from error
        return cls(process)

    @property
    def usable(self) -> bool:
        """Whether the server runs."""
        return not self._reading.done()

    async def request(self, message: Message, on_message: OnMessage) -> Any:
        """See ClientTransport.

        Raises:
            ConnectionError: the server has ended.
        """
        self._on_message = on_message
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[message["id"]] = answer
        try:
            await self.send(message)
            return await answer
        finally:
            del self._waiting[message["id"]]

    async def send(self, message: Message) -> None:
        """See ClientTransport.

        Raises:
            ConnectionError: the server has ended.
        """
        self._write(message)
        assert self._process.stdin is not None
        await self._process.stdin.drain()

    def cancel(self, message: Message) -> None:
        """See ClientTransport."""
        params = {"requestId": message["id"]}
        with contextlib.suppress(OSError):
            self._write({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})

    async def listen(self, on_open: Callable[[], None], on_message: OnMessage) -> None:
        """See ClientTransport. The server sends them unasked."""
        self._on_message = on_message
        on_open()
        await asyncio.shield(self._reading)

    async def close(self) -> None:
        """End the server by ending its input; one that does not end by itself is stopped."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading

    def _write(self, message: Message) -> None:
        assert self._process.stdin is not None
        if self._reading.done():
            raise ConnectionError("the server has ended")
        self._process.stdin.write(dumps(message) + b"\n")

    async def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        while line := await stdout.readline():
            try:
                message = loads(line)
            except ValueError:
                continue
            if isinstance(message, dict):
                self._take(message)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the server has ended"))

    def _take(self, message: Message) -> None:
        if "method" not in message:
            waiting = self._waiting.get(message.get("id") or 0)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
        elif self._on_message is not None:
            self._on_message(message)
