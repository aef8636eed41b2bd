"""`serve`: answer a gateway's calls until told to stop."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import Any

from ..host import Host
from ..loader import add_plugin_dirs
from ..server import Server
from ..sockets import raise_file_limit
from . import options

logger = logging.getLogger(__name__)


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("serve", help="answer a gateway's calls", description=__doc__)
    options.add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve; the exit code is 0 after a clean stop."""
    path, file, settings = options.load(arguments)
    add_plugin_dirs(file.plugin_dirs, path.parent)
    raise_file_limit()
    limits = settings.limits
    host = Host(file.plugins, settings.hook_timeout, limits.concurrent_hooks, limits.connections)

    def announce(transport: str, endpoints: list[str]) -> None:
        for endpoint in endpoints:
            line = f"serving {', '.join(host.names)} on {endpoint}"
            if transport == "stdio":
                # The client started this process and knows where it is.
                logger.info("%s", line)
            else:
                print(line, file=sys.stderr, flush=True)
        # Gateways' tools wait for this word; under stdio standard output belongs to the protocol.
        if transport == "unix" and "stdio" not in settings.transports:
            print("READY", flush=True)

    async def main() -> None:
        await Server(host, settings, announce).run()

    options.run_loop(main)
    return 0
