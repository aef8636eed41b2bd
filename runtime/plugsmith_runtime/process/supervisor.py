"""A supervisor of workers: starts them, starts again the ones that die, and stops them together."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ..errors import StartError
from .backoff import Backoff, keep_running
from .channel import KILL_AFTER_GRACE_SECONDS, WORKER_FD_ENV, WORKER_ID_ENV, Channel
from .child import ChildExitedError, ChildProcess
from .readiness import Readiness
from .shared_sockets import SharedSockets
from .stop_signals import stop_signals

logger = logging.getLogger(__name__)

_START_ERROR_EXIT_CODE = 2
_FIRST_RESTART_SECONDS = 0.1
_MAX_RESTART_SECONDS = 30.0
# A worker that has served for so long was healthy: its death has nothing to do with those before.
_HEALTHY_SECONDS = 30.0


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


class Supervisor:
    """Keeps a number of workers serving.

    Args:
        count: how many.
        grace_seconds: how long calls in flight may take at the end.
        on_ready: told once, when all workers serve, what the first one has told.
        on_exit: told the number and the process of each worker that has died.
        command: what a worker runs; the command line of this process when None.
        environ: variables for workers, beside those of this process.
    """

    def __init__(
        self,
        count: int,
        grace_seconds: float,
        on_ready: Callable[[Any], None],
        on_exit: Callable[[int, int], None] | None = None,
        command: Sequence[str] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._count = count
        self._grace = grace_seconds
        self._on_ready = on_ready
        self._on_exit = on_exit
        self._command = command or own_command()
        self._environ = {**os.environ, **(environ or {})}
        self._sockets = SharedSockets()
        self._workers: dict[int, ChildProcess] = {}
        self._stop = asyncio.Event()
        self._exit_code = 0

    async def run(self) -> int:
        """Serve until a signal comes.

        Returns:
            The exit code: 0 when all workers have stopped as they should, 1 when one failed or had to be killed, that
            of a signal when a second one came; that of the first worker when it cannot start and has said why.

        Raises:
            StartError: the first worker died before it served, or no process can be started.
        """
        with stop_signals(self._on_stop_signal, self._on_second_signal):
            return await self._run()

    async def _run(self) -> int:
        try:
            # Alone, so that what is wrong for all of them is said once.
            first = await self._start(1)
            try:
                await first.wait_ready()
            except ChildExitedError:
                if not self._stop.is_set():
                    if first.exit_code == _START_ERROR_EXIT_CODE:
                        return _START_ERROR_EXIT_CODE
                    reason = f"the first worker {first.exit_reason} before it served; see what it wrote above"
                    raise StartError(reason) from None
            workers = [first]
            while len(workers) < self._count and not self._stop.is_set():
                workers.append(await self._start(len(workers) + 1))
            keepers = [self._keep(number, worker) for number, worker in enumerate(workers, 1)]
            await asyncio.gather(self._tell_ready(workers), *keepers)
            return self._exit_code
        finally:
            self._sockets.close()

    async def _start(self, number: int) -> ChildProcess:
        try:
            worker = await start_worker(number, self._sockets, self._command, self._environ)
        except OSError as error:
            raise StartError(f"worker {number} cannot be started: {error}") from error
        self._workers[number] = worker
        if self._stop.is_set():
            worker.terminate()
        return worker

    async def _tell_ready(self, workers: list[ChildProcess]) -> None:
        # Whoever is told may connect for long: by then every worker shall be there to take its share.
        await asyncio.gather(*(worker.wait_ready() for worker in workers), return_exceptions=True)
        if not self._stop.is_set():
            self._on_ready(workers[0].ready_value)

    async def _keep(self, number: int, worker: ChildProcess) -> None:
        """Keep one worker alive until all are stopped."""

        def on_exit(dead: ChildProcess) -> None:
            if self._on_exit:
                self._on_exit(number, dead.pid)

        def on_delay(reason: str, delay: float) -> None:
            logger.warning("worker %d: %s; it is started again in %g s", number, reason, delay)

        last = await keep_running(
            worker,
            partial(self._start, number),
            Backoff(_FIRST_RESTART_SECONDS, _MAX_RESTART_SECONDS),
            _HEALTHY_SECONDS,
            self._stop,
            on_delay,
            on_exit,
        )
        # One that was still starting had no handler for the signal yet.
        if last and last.exit_code and last.is_ready:
            self._exit_code = self._exit_code or 1

    def _on_second_signal(self, number: signal.Signals) -> None:
        logger.warning("second signal: leaving at once")
        self._exit_code = 128 + number
        self._kill()

    def _on_stop_signal(self, number: signal.Signals) -> None:
        self._stop.set()
        self._sockets.close()
        for worker in self._workers.values():
            worker.terminate()
        asyncio.get_running_loop().call_later(self._grace + KILL_AFTER_GRACE_SECONDS, self._kill_late)

    def _kill_late(self) -> None:
        self._exit_code = 1
        logger.error("workers have not stopped %g s after the grace; they are killed", KILL_AFTER_GRACE_SECONDS)
        self._kill()

    def _kill(self) -> None:
        for worker in self._workers.values():
            worker.kill()
