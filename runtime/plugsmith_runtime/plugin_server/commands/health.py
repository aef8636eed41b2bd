"""`health`: ask the running server whether it is ready; for health checks of containers and for scripts."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from .. import options
from ..endpoints import own_endpoint, reachable
from ..healthcheck import NotReadyError, check_health
from ..settings import ServerSettings


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("health", help="ask the running server whether it is ready", description=__doc__)
    parser.add_argument(
        "--endpoint",
        metavar="URL",
        help="the server [default: the admin listener if there is one, else each transport of the configuration]",
    )
    parser.add_argument("--plugin", default="", metavar="NAME", help="ask for one plugin [default: for the server]")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS", help="how long to wait [default: 5]")
    options.add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask; the exit code is 0 when all is ready, and 1 when something is not, which standard error then names."""
    endpoints = [arguments.endpoint] if arguments.endpoint else _endpoints(options.load(arguments)[2])
    for endpoint in endpoints:
        try:
            check_health(endpoint, arguments.plugin, arguments.timeout)
        except NotReadyError as error:
            print(f"{endpoint}: not ready: {error}", file=sys.stderr)
            return 1
    return 0


def _endpoints(settings: ServerSettings) -> list[str]:
    if settings.admin:
        return [f"http://{reachable(settings.admin.host, settings.admin.port)}"]
    return [own_endpoint(settings, name) for name in settings.transports if name != "stdio"]
