"""`serve`: answer a gateway's calls until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import platform
import signal
from typing import Any

from ..._version import __version__
from ...host.host import Host
from ...host.loader import add_plugin_dirs
from ...net.sockets import raise_file_limit
from ...observability import logging as log
from ...process.worker_context import WorkerContext
from .. import options
from ..observability import Observability
from ..readiness import StandardOutput
from ..server import Server

logger = logging.getLogger(__name__)


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("serve", help="answer a gateway's calls", description=__doc__)
    options.add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve; the exit code is 0 after a clean stop."""
    path, file, settings = options.load(arguments)
    raise_file_limit()
    membership = WorkerContext.found()
    output = None if membership else StandardOutput(settings)
    if settings.workers > 1 and output:
        from ...process.supervisor import supervise

        return supervise(settings, lambda lines: publish(output, lines))
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

    def announce(endpoints: dict[str, list[str]]) -> None:
        # The client of stdio started this process and knows where it is.
        for endpoint in endpoints.pop("stdio", []):
            logger.info("serving %s on %s", ", ".join(host.names), endpoint)
        lines = [f"admin on {endpoint}" for endpoint in endpoints.pop("admin", [])]
        lines += [
            f"serving {', '.join(host.names)} on {endpoint}" for found in endpoints.values() for endpoint in found
        ]
        if membership:
            # Once the loop is free: with the lines come clients, and every worker is to take its share of them.
            asyncio.get_running_loop().call_soon(membership.serving, lines)
        elif output:
            publish(output, lines)

    async def main() -> None:
        listeners = membership.listeners(host.connections) if membership else None
        server = Server(host, settings, observability, announce, listeners)
        if membership:
            membership.watch(asyncio.get_running_loop(), server.stop, settings.grace)
        await server.run()
        # All is done: a signal that comes while the process ends must not turn its exit code into a failure.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    options.run_loop(main)
    return 0


def publish(output: StandardOutput, lines: list[str]) -> None:
    """Say that the server answers calls.

    Args:
        output: standard output, for the programs that start servers.
        lines: where it answers, one line for each endpoint.
    """
    logger.info("plugsmith-runtime %s, Python %s", __version__, platform.python_version())
    for line in lines:
        log.announce(line)
    output.serving(lines)
