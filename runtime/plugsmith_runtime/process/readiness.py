"""Readiness of child processes: the rules by which a child says that it is ready, and the child's side of one.

Most servers are not asked for it: json comes when it is needed.
"""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

_CHUNK_BYTES = 65_536


class Readiness:
    """A rule by which one child says that it is ready.

    Attributes:
        environ: variables that the child needs for it.
        pass_fds: descriptors that the child inherits.
        stdout: where the child's standard output must go; None where it does not matter.
    """

    environ: Mapping[str, str] = {}
    pass_fds: Sequence[int] = ()
    stdout: int | None = None

    def spawned(self) -> None:
        """The child is started, or could not be: close what is only its own."""

    async def wait(self, process: Process) -> Any:
        """Wait until the child is ready, and return what it said.

        Raises:
            EOFError: it will not say so any more.
        """
        raise NotImplementedError

    def close(self) -> None:
        """The child has ended: close what is left."""


class _PipeReadiness(Readiness):
    """A rule that reads a pipe, to which the child has the other end.

    The pipe is none of asyncio's own, which take a process for running as long as anybody holds one of them open.
    """

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        self._pipe = os.fdopen(reading, "rb", buffering=0)

    def spawned(self) -> None:
        """See Readiness."""
        os.close(self._writing)

    def close(self) -> None:
        """See Readiness."""
        self._pipe.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, self._pipe)
        return reader, transport


class ReadyPipe(_PipeReadiness):
    """Ready by one line of JSON on a pipe that only this line uses, as `ReadyNotifier` writes it.

    Args:
        variable: the environment variable that tells the child its descriptor.
    """

    def __init__(self, variable: str) -> None:
        super().__init__()
        self.environ = {variable: str(self._writing)}
        self.pass_fds = [self._writing]

    async def wait(self, process: Process) -> Any:
        """See Readiness; returns the decoded line."""
        import json

        reader, transport = await self._open()
        try:
            line = await reader.readline()
        finally:
            transport.close()
        if not line.endswith(b"\n"):
            raise EOFError("the child closed its readiness pipe")
        return json.loads(line)


class ReadyLine(_PipeReadiness):
    """Ready by a line on standard output, for example "PORT=8080" or "READY".

    Args:
        pattern: a regular expression that matches the whole line.
        on_line: told each other line; None drops them.
    """

    def __init__(self, pattern: str, on_line: Callable[[str], None] | None = None) -> None:
        super().__init__()
        self._pattern = re.compile(pattern)
        self._on_line = on_line
        self._reading: asyncio.Task[None] | None = None
        self.stdout = self._writing

    async def wait(self, process: Process) -> Any:
        """See Readiness; returns the match."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[re.Match[str]] = loop.create_future()
        # Read to the end: a child whose output nobody takes stands still when the pipe is full.
        self._reading = loop.create_task(self._read(ready))
        return await ready

    def close(self) -> None:
        """See Readiness: the task that reads closes the pipe, when what the child has started has closed it too."""
        if self._reading is None:
            super().close()

    async def _read(self, ready: asyncio.Future[re.Match[str]]) -> None:
        reader, transport = await self._open()
        rest = b""
        try:
            while chunk := await reader.read(_CHUNK_BYTES):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._take(line.decode(errors="replace").rstrip("\r"), ready)
                # The beginning of a line that is too long for any rule.
                rest = rest[:_CHUNK_BYTES]
        finally:
            transport.close()
        if not ready.done():
            ready.set_exception(EOFError("the child closed its standard output"))

    def _take(self, line: str, ready: asyncio.Future[re.Match[str]]) -> None:
        if not ready.done() and (found := self._pattern.fullmatch(line)):
            ready.set_result(found)
        elif self._on_line:
            self._on_line(line)


class ReadyNotifier:
    """The child's side of a `ReadyPipe`.

    Args:
        descriptor: the pipe.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def from_environ(cls, variable: str) -> ReadyNotifier | None:
        """The notifier that the parent asks for; None when it does not.

        Args:
            variable: the environment variable with the descriptor; it is removed, since it is for no other process.
        """
        descriptor = os.environ.pop(variable, None)
        if descriptor is None:
            return None
        os.set_inheritable(int(descriptor), False)
        return cls(int(descriptor))

    def send(self, message: Mapping[str, Any]) -> None:
        """Say that this process is ready, once; a parent that is gone does not matter."""
        import json

        with suppress(OSError):
            os.write(self._descriptor, json.dumps(message).encode() + b"\n")
        os.close(self._descriptor)
