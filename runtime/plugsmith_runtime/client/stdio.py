"""A client of MCP over stdio: it runs the server's command and ends it."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from typing import Any

from ..errors import StartError
from ..exact_json import dumps, loads
from . import ClientTls
from .mcp import McpClient

_END_SECONDS = 10.0
_LINE_LIMIT = 1 << 30


class StdioClient(McpClient):
    """Sends calls to a child process; make it with `connect`."""

    def __init__(self, process: asyncio.subprocess.Process, timeout: float) -> None:
        super().__init__()
        self._process = process
        self._timeout = timeout
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reading = asyncio.get_running_loop().create_task(self._read())

    @classmethod
    async def connect(cls, endpoint: str, tls: ClientTls | None = None, timeout: float = 30.0) -> StdioClient:
        """Start a server and open a session; the server's standard error is that of this process.

        Args:
            endpoint: "stdio:" and the command, quoted as in a shell.
            tls: not used.
            timeout: seconds that a call, and the start, may take.

        Raises:
            StartError: the endpoint holds no command, or the command cannot be run.
            OSError: the server ended or did not answer.
        """
        try:
            command = shlex.split(endpoint.partition(":")[2])
        except ValueError as error:
            raise StartError(f"{endpoint}: {error}") from None
        if not command:
            raise StartError(f"{endpoint}: the command is missing; write it as 'stdio:python -m package serve'")
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=_LINE_LIMIT)
        except OSError as error:
            raise StartError(f"{command[0]}: cannot be run ({error.strerror})") from error
        client = cls(process, timeout)
        try:
            await client.handshake()
        except BaseException:
            await client.close()
            raise
        return client

    @property
    def usable(self) -> bool:
        """Whether the server runs."""
        return not self._reading.done()

    async def exchange(self, message: dict[str, Any]) -> Any:
        """Send a message, and return the decoded answer to it; None for a notification.

        Raises:
            ConnectionError: the server has ended.
            TimeoutError: it did not answer in time.
        """
        stdin = self._process.stdin
        assert stdin is not None
        request_id = message.get("id")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._reading.done():
            raise ConnectionError("the server has ended")
        if request_id is not None:
            self._waiting[request_id] = answer
        try:
            async with asyncio.timeout(self._timeout):
                stdin.write(dumps(message) + b"\n")
                await stdin.drain()
                return await answer if request_id is not None else None
        finally:
            self._waiting.pop(request_id or 0, None)

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

    async def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        while line := await stdout.readline():
            try:
                answer = loads(line)
            except ValueError:
                continue
            waiting = self._waiting.get(answer.get("id") or 0) if isinstance(answer, dict) else None
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the server has ended"))
