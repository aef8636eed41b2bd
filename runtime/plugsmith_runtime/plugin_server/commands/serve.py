"""`serve`: answer a gateway's calls until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import signal
from typing import Any

from ...host.host import Host
from ...host.loader import add_plugin_dirs
from ...net.sockets import raise_file_limit
from ...process.worker_context import WorkerContext
from .. import options
from ..observability import Observability
from ..readiness import ReadinessOutput, ServerReady
from ..server import Server


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
        from ..workers import supervise

        return supervise(settings, output)
    add_plugin_dirs(file.plugin_dirs, path.parent)
    limits = settings.limits
    observability = Observability(settings)
    host = Host(
        file.plugins,
        settings.hook_timeout,
        limits.concurrent_hooks,
        limits.connections,
        settings.dev,
        observers=observability.observers,
        tracer=observability.tracer,
        metrics=observability.metrics,
    )

    def on_ready(endpoints: dict[str, list[str]]) -> None:
        server = ServerReady(host.names, endpoints)
        if worker:
            # Once the loop is free: clients come when they are told, and every worker is to take its share of them.
            asyncio.get_running_loop().call_soon(worker.ready, server.message)
        elif output:
            output.ready(server)

    async def main() -> None:
        listeners = worker.listeners(host.connections) if worker else None
        server = Server(host, settings, observability, on_ready, listeners)
        if worker:
            worker.watch(asyncio.get_running_loop(), server.stop, settings.grace)
        await server.run()
        # All is done: a signal that comes while the process ends must not turn its exit code into a failure.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    options.run_loop(main)
    return 0
