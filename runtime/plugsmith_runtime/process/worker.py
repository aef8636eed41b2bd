"""One worker as its supervisor sees it."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from typing import Any

from ..errors import StartError
from .channel import Channel
from .names import NUMBER, VARIABLE
from .shared_sockets import SharedSockets


class WorkerProcess:
    """A process with the same command line as this one.

    Args:
        number: its number.
        process: the process.
        channel: leads to it.
        sockets: what it may ask for.

    Attributes:
        ended: done when the process has ended.
        ready: done when it answers calls or has ended.
        lines: what a server that stands alone would print; empty until it answers calls.
        served: how many seconds it answered calls, known when it has ended.
    """

    def __init__(self, number: int, process: Process, channel: Channel, sockets: SharedSockets) -> None:
        loop = asyncio.get_running_loop()
        self._number = number
        self._process = process
        self._channel = channel
        self._sockets = sockets
        self._since: float | None = None
        self.served = 0.0
        self.lines: list[str] = []
        self.ready: asyncio.Future[None] = loop.create_future()
        self.ended = loop.create_task(self._wait())
        loop.add_reader(channel.fileno(), self._read)

    @classmethod
    async def start(cls, number: int, sockets: SharedSockets, environ: dict[str, str]) -> WorkerProcess:
        """Start a worker.

        Args:
            number: its number.
            sockets: what it may ask for.
            environ: its environment.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            descriptor = theirs.fileno()
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *sys.orig_argv[1:],
                stdin=DEVNULL,
                pass_fds=[descriptor],
                env=environ | {NUMBER: str(number), VARIABLE: str(descriptor)},
                # Ctrl-C at a terminal reaches a whole process group: the supervisor alone shall hear it.
                process_group=0,
            )
        return cls(number, process, Channel(ours), sockets)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""
        return self._process.returncode

    @property
    def end(self) -> str:
        """How the process ended, in words."""
        code = self._process.returncode or 0
        return f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing when the process has ended."""
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def _wait(self) -> None:
        await self._process.wait()
        if self._since is not None:
            self.served = time.monotonic() - self._since
        self._sockets.loads.forget(self._number)
        if not self.ready.done():
            self.ready.set_result(None)
        asyncio.get_running_loop().remove_reader(self._channel.fileno())
        self._channel.close()

    def _read(self) -> None:
        try:
            messages, _ = self._channel.receive()
        except EOFError:
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            return
        for message in messages:
            if "ask" in message:
                self._answer(message["ask"])
            elif not self.ready.done():
                self.lines = message["serving"]
                self._since = time.monotonic()
                self.ready.set_result(None)

    def _answer(self, question: dict[str, Any]) -> None:
        try:
            self._channel.send({}, self._sockets.get(**question))
        except StartError as error:
            self._channel.send({"error": str(error)})
        except OSError:
            # The worker is gone; its end is waited for elsewhere.
            return
