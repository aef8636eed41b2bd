"""A worker as its supervisor sees it: a child process that asks for shared sockets and says when it serves."""

from __future__ import annotations

import asyncio
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import StartError
from .channel import WORKER_FD_ENV, WORKER_ID_ENV, Channel
from .child import ChildProcess
from .readiness import Readiness
from .shared_sockets import SharedSockets


def own_command() -> list[str]:
    """The command line of this process, to run in a worker."""
    return [sys.executable, *sys.orig_argv[1:]]


async def start_worker(
    number: int, sockets: SharedSockets, command: Sequence[str], environ: Mapping[str, str]
) -> ChildProcess:
    """Start a worker.

    Args:
        number: its number, from 1 on.
        sockets: what it may ask for.
        command: what it runs.
        environ: its environment.

    Returns:
        The child process; its `ready_value` is what `WorkerContext.ready` told.

    Raises:
        OSError: no process can be started.
    """
    return await ChildProcess.start(command, environ=environ, readiness=_WorkerLink(number, sockets))


class _WorkerLink(Readiness):
    """The supervisor's end of a worker's channel."""

    def __init__(self, number: int, sockets: SharedSockets) -> None:
        self._number = number
        self._sockets = sockets
        ours, self._theirs = socket.socketpair()
        self._channel = Channel(ours)
        self._ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._reading = False
        self.environ = {WORKER_ID_ENV: str(number), WORKER_FD_ENV: str(self._theirs.fileno())}
        self.pass_fds = [self._theirs.fileno()]

    def spawned(self) -> None:
        """See Readiness."""
        self._theirs.close()

    async def wait(self, process: Process) -> Any:
        """See Readiness."""
        asyncio.get_running_loop().add_reader(self._channel.fileno(), self._read)
        self._reading = True
        return await self._ready

    def close(self) -> None:
        """See Readiness."""
        self._sockets.counts.remove(self._number)
        self._stop_reading()
        self._channel.close()

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            asyncio.get_running_loop().remove_reader(self._channel.fileno())

    def _read(self) -> None:
        try:
            messages, _ = self._channel.receive()
        except EOFError as error:
            self._stop_reading()
            if not self._ready.done():
                self._ready.set_exception(error)
            return
        for message in messages:
            if "ask" in message:
                self._answer(message["ask"])
            elif not self._ready.done():
                self._ready.set_result(message["ready"])

    def _answer(self, question: dict[str, Any]) -> None:
        try:
            self._channel.send({}, self._sockets.get(**question))
        except StartError as error:
            self._channel.send({"error": str(error)})
        except OSError:
            # The worker is gone; its end is waited for elsewhere.
            return
