"""Starts the workers, starts again the ones that die, and stops them together. It loads no plugin and no transport."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from contextlib import nullcontext

from ..errors import StartError
from ..observability.metrics.multiprocess import MetricsFolder
from ..plugin_server.settings import ServerSettings
from .backoff import Backoff
from .names import LEAVING
from .shared_sockets import SharedSockets
from .worker import WorkerProcess

logger = logging.getLogger(__name__)

_EXIT_START = 2
_FIRST_RESTART_SECONDS = 0.1
_MAX_RESTART_SECONDS = 30.0
# A worker that has served for so long was healthy: its death has nothing to do with those before.
_HEALTHY_SECONDS = 30.0


class Supervisor:
    """Keeps a number of workers serving.

    Args:
        count: how many.
        grace: seconds that calls in flight get at the end.
        announce: told once, when all workers serve, what a server that stands alone would print.
        metrics: where workers leave what they count; None when nobody can read it.
    """

    def __init__(
        self, count: int, grace: float, announce: Callable[[list[str]], None], metrics: MetricsFolder | None
    ) -> None:
        self._count = count
        self._grace = grace
        self._announce = announce
        self._metrics = metrics
        self._environ = os.environ | (metrics.environ if metrics else {})
        self._sockets = SharedSockets()
        self._workers: dict[int, WorkerProcess] = {}
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
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal, number)
        try:
            # Alone, so that what is wrong for all of them is said once.
            first = await self._start(1)
            await first.ready
            if not first.lines and not self._stop.is_set():
                await first.ended
                if first.exit_code == _EXIT_START:
                    return _EXIT_START
                raise StartError(f"the first worker {first.end} before it served; see what it wrote above")
            workers = [first]
            while len(workers) < self._count and not self._stop.is_set():
                workers.append(await self._start(len(workers) + 1))
            keepers = [self._keep(number, worker) for number, worker in enumerate(workers, 1)]
            await asyncio.gather(self._announce_all(workers), *keepers)
            return self._exit_code
        finally:
            self._sockets.close()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def _start(self, number: int) -> WorkerProcess:
        try:
            worker = await WorkerProcess.start(number, self._sockets, self._environ)
        except OSError as error:
            raise StartError(f"worker {number} cannot be started: {error}") from error
        self._workers[number] = worker
        if self._stop.is_set():
            worker.send_signal(signal.SIGTERM)
        return worker

    async def _announce_all(self, workers: list[WorkerProcess]) -> None:
        # Whoever reads the lines may connect for long: by then every worker shall be there to take its share.
        await asyncio.gather(*(worker.ready for worker in workers))
        if not self._stop.is_set():
            self._announce(workers[0].lines)

    async def _keep(self, number: int, worker: WorkerProcess) -> None:
        """Keep one worker alive until all are stopped."""
        backoff = Backoff(_FIRST_RESTART_SECONDS, _MAX_RESTART_SECONDS)
        while True:
            await worker.ended
            if self._stop.is_set():
                # One that was still starting had no handler for the signal yet.
                if worker.exit_code and worker.lines:
                    self._exit_code = self._exit_code or 1
                return
            if self._metrics:
                self._metrics.forget(number, worker.pid)
            reason = f"process {worker.pid} {worker.end}"
            if worker.served >= _HEALTHY_SECONDS:
                backoff.reset()
            while True:
                delay = backoff.next_delay()
                logger.warning("worker %d: %s; it is started again in %g s", number, reason, delay)
                if await self._stopped_within(delay):
                    return
                try:
                    worker = await self._start(number)
                    break
                except StartError as error:
                    reason = str(error)

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return False
        return True

    def _on_signal(self, number: int) -> None:
        if self._stop.is_set():
            logger.warning("second signal: leaving at once")
            self._exit_code = 128 + number
            self._kill()
            return
        self._stop.set()
        self._sockets.close()
        for worker in self._workers.values():
            worker.send_signal(signal.SIGTERM)
        asyncio.get_running_loop().call_later(self._grace + LEAVING, self._kill_late)

    def _kill_late(self) -> None:
        self._exit_code = 1
        logger.error("workers have not stopped %g s after the grace; they are killed", LEAVING)
        self._kill()

    def _kill(self) -> None:
        for worker in self._workers.values():
            worker.send_signal(signal.SIGKILL)


def supervise(settings: ServerSettings, announce: Callable[[list[str]], None]) -> int:
    """Serve with several workers, which run the command line of this process.

    Args:
        settings: how many, and what they serve.
        announce: told once, when all of them serve, what a server that stands alone would print.

    Returns:
        The exit code.

    Raises:
        StartError: a transport cannot be shared, or the first worker cannot start.
    """
    if "stdio" in settings.transports:
        raise StartError(
            f"{settings.workers} workers (--workers, PLUGINS_WORKERS) cannot share standard input and output; serve "
            "stdio with one"
        )
    with MetricsFolder() if settings.metrics else nullcontext() as metrics:
        return asyncio.run(Supervisor(settings.workers, settings.grace, announce, metrics).run())
