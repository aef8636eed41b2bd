"""Readiness of child processes: the rules by which a child says that it is ready, and the child's side of one."""

from __future__ import annotations

import asyncio
import json
import os
import re
from asyncio.subprocess import PIPE, Process
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


class ReadyPipe(Readiness):
    """Ready by one line of JSON on a pipe that only this line uses, as `ReadyNotifier` writes it.

    Args:
        variable: the environment variable that tells the child its descriptor.
    """

    def __init__(self, variable: str) -> None:
        reading, self._writing = os.pipe()
        self._pipe = os.fdopen(reading, "rb", buffering=0)
        self.environ = {variable: str(self._writing)}
        self.pass_fds = [self._writing]

    def spawned(self) -> None:
        """See Readiness."""
        os.close(self._writing)

    async def wait(self, process: Process) -> Any:
        """See Readiness; returns the decoded line."""
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, self._pipe)
        try:
            line = await reader.readline()
        finally:
            transport.close()
        if not line.endswith(b"\n"):
            raise EOFError("the child closed its readiness pipe")
        return json.loads(line)

    def close(self) -> None:
        """See Readiness."""
        self._pipe.close()


class ReadyLine(Readiness):
    """Ready by a line on standard output, for example "PORT=8080" or "READY".

    Args:
        pattern: a regular expression that matches the whole line.
        on_line: told each other line; None drops them.
    """

    stdout = PIPE

    def __init__(self, pattern: str, on_line: Callable[[str], None] | None = None) -> None:
        self._pattern = re.compile(pattern)
        self._on_line = on_line
        self._reading: asyncio.Task[None] | None = None

    async def wait(self, process: Process) -> Any:
        """See Readiness; returns the match."""
        ready: asyncio.Future[re.Match[str]] = asyncio.get_running_loop().create_future()
        # Read to the end: a child whose output nobody takes stands still when the pipe is full.
        self._reading = asyncio.get_running_loop().create_task(self._read(process, ready))
        return await ready

    def close(self) -> None:
        """See Readiness."""

    async def _read(self, process: Process, ready: asyncio.Future[re.Match[str]]) -> None:
        assert process.stdout is not None
        rest = b""
        while chunk := await process.stdout.read(_CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                text = line.decode(errors="replace").rstrip("\r")
                if not ready.done() and (found := self._pattern.fullmatch(text)):
                    ready.set_result(found)
                elif self._on_line:
                    self._on_line(text)
            # A line without an end is none of ours.
            rest = rest[:_CHUNK_BYTES]
        if not ready.done():
            ready.set_exception(EOFError("the child closed its standard output"))


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
        with suppress(OSError):
            os.write(self._descriptor, json.dumps(message).encode() + b"\n")
        os.close(self._descriptor)
