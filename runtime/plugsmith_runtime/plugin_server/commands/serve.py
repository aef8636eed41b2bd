"""`serve`: answer a gateway's calls until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import gc
from contextlib import nullcontext
from typing import Any

from ...errors import StartError
from ...host.loader import add_plugin_dirs
from ...net.sockets import raise_file_limit
from ...process.worker_context import WorkerContext
from .. import options
from ..readiness import ReadinessOutput, ServerReady
from ..server import Server
from ..settings import ServerSettings


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("serve", help="answer a gateway's calls", description=__doc__)
    options.add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve; the exit code is 0 after a clean stop."""
    path, file, settings = options.load(arguments)
    raise_file_limit()
    worker = WorkerContext.from_environ()
    output = None if worker else ReadinessOutput(settings)
    if settings.workers > 1 and output:
        return _supervise(settings, output)
    add_plugin_dirs(file.plugin_dirs, path.parent)

    def on_ready(ready: ServerReady) -> None:
        if output:
            output.ready(ready)
        loop = asyncio.get_running_loop()
        if worker:
            # Once the loop is free: clients come when they are told, and every worker is to take its share of them.
            loop.call_soon(worker.ready, ready.message)
        loop.call_soon(_freeze)

    async def main() -> None:
        server = Server(file.plugins, settings, on_ready, worker.listeners if worker else None)
        if worker:
            worker.watch(asyncio.get_running_loop(), server.stop, settings.grace)
        with server.signals():
            await server.run()

    options.run_event_loop(main)
    return 0


def _supervise(settings: ServerSettings, output: ReadinessOutput) -> int:
    """Serve with several workers, which run the command line of this process.

    Args:
        settings: how many, and what they serve.
        output: told once, when all of them serve.

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

    from ...observability.metrics import MetricsFolder
    from ...process.supervisor import Supervisor

    def on_ready(message: Any) -> None:
        output.ready(ServerReady.from_message(message))

    with MetricsFolder() if settings.metrics else nullcontext() as metrics:
        supervisor = Supervisor(
            settings.workers,
            settings.grace,
            on_ready,
            on_exit=metrics.forget if metrics else None,
            environ=metrics.environ if metrics else None,
        )
        return asyncio.run(supervisor.run())


def _freeze() -> None:
    # What lives when a server is ready lives as long as the process: the collector need not walk it again and again.
    gc.collect()
    gc.freeze()
