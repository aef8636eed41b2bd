"""Child processes: started in a session of their own, ready when they say so, stopped within a grace period."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..errors import PlugsmithError
from .readiness import Readiness

# How long a message may take that a child sent just before its end.
_LAST_MESSAGE_SECONDS = 0.05


class ChildExitedError(PlugsmithError):
    """A child process ended before it was ready; the text says how."""


class ChildProcess:
    """A child process; make it with `start`.

    It leads a process group of its own: Ctrl-C at a terminal reaches its parent alone, and what it has started can be
    killed with it.

    Args:
        process: the process.
        readiness: how it says that it is ready; None for ready at once.

    Attributes:
        ended: done when the process has ended.
        ready_value: what the child said when it was ready.
        served_seconds: how long it was ready, known when it has ended.
    """

    def __init__(self, process: Process, readiness: Readiness | None) -> None:
        loop = asyncio.get_running_loop()
        self._process = process
        self._readiness = readiness
        self._ready_at = None if readiness else time.monotonic()
        self.ready_value: Any = None
        self.served_seconds = 0.0
        # Begins to listen before the end of the child can be known.
        self._waiting = loop.create_task(readiness.wait(process)) if readiness else None
        self.ended = loop.create_task(self._wait())
        self._readying = loop.create_task(self._become_ready())
        self._closing = loop.create_task(self._close())

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        environ: Mapping[str, str] | None = None,
        readiness: Readiness | None = None,
        cwd: str | None = None,
        stdin: int | None = DEVNULL,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> ChildProcess:
        """Start a child process.

        Args:
            command: the program and its arguments.
            environ: its environment; that of this process when None.
            readiness: how it says that it is ready.
            cwd: its working folder.
            stdin: its standard input, as `subprocess` takes it.
            stdout: its standard output, unless the readiness reads it.
            stderr: its standard error.

        Raises:
            OSError: it cannot be started.
        """
        rule = readiness or Readiness()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=stdin,
                stdout=stdout if rule.stdout is None else rule.stdout,
                stderr=stderr,
                cwd=cwd,
                env={**(os.environ if environ is None else environ), **rule.environ},
                pass_fds=rule.pass_fds,
                start_new_session=True,
            )
        except BaseException:
            rule.close()
            raise
        finally:
            rule.spawned()
        return cls(process, readiness)

    @property
    def pid(self) -> int:
        """The id of the process, and of its process group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""
        return self._process.returncode

    @property
    def exit_reason(self) -> str:
        """How the process ended, in words."""
        code = self._process.returncode or 0
        return f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"

    @property
    def is_ready(self) -> bool:
        """Whether the child has said that it is ready; it may have ended since."""
        return self._ready_at is not None

    async def wait_ready(self, timeout_seconds: float | None = None) -> Any:
        """Wait until the child is ready.

        Args:
            timeout_seconds: how long to wait; None for as long as it takes.

        Returns:
            What the child said.

        Raises:
            ChildExitedError: it ended before.
            TimeoutError: it was not ready in time.
        """
        if not self.is_ready:
            async with asyncio.timeout(timeout_seconds):
                await asyncio.shield(self._readying)
        if not self.is_ready:
            raise ChildExitedError(f"process {self.pid} {self.exit_reason} before it was ready")
        return self.ready_value

    def terminate(self) -> None:
        """Ask the child to end (SIGTERM); nothing when it has ended. What it has started is its own to stop."""
        if self._process.returncode is None:
            self._process.terminate()

    def kill(self) -> None:
        """Kill the child and its process group (SIGKILL); nothing when it has ended."""
        if self._process.returncode is None:
            self._kill_group()

    async def stop(self, grace_seconds: float) -> None:
        """End the child: SIGTERM, and SIGKILL to its process group at the end of the grace period.

        Args:
            grace_seconds: how long it may take to end by itself.
        """
        self.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await asyncio.shield(self.ended)
        # The number of a process group is not given to another one while a process is in it.
        self._kill_group()
        await self.ended

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def _wait(self) -> None:
        await self._process.wait()
        if self._ready_at is not None:
            self.served_seconds = time.monotonic() - self._ready_at

    async def _become_ready(self) -> None:
        """Wait for the first of readiness and end."""
        if self._waiting is None:
            return
        await asyncio.wait({self._waiting, self.ended}, return_when=asyncio.FIRST_COMPLETED)
        # What it said just before its end counts.
        _, late = await asyncio.wait({self._waiting}, timeout=_LAST_MESSAGE_SECONDS if self.ended.done() else None)
        for task in late:
            task.cancel()
        try:
            self.ready_value = await self._waiting
            self._ready_at = time.monotonic()
        except (EOFError, asyncio.CancelledError):
            await asyncio.shield(self.ended)

    async def _close(self) -> None:
        await asyncio.wait({self.ended, self._readying})
        if self._readiness:
            self._readiness.close()
