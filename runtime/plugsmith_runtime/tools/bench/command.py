"""`bench`: measure calls per second and latency on each transport, on this machine."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...cli.json_input import json_value
from ...errors import StartError
from ...host.loader import CALLS
from ...plugin_server import options
from ..demo.cases import load_cases
from ..subprocess_server import own_server

if TYPE_CHECKING:
    from .load import Figures, Load

_TRANSPORTS = "http,grpc,unix,stdio"


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("bench", help="measure how fast the plugin answers", description=__doc__)
    options.add_config_options(parser)
    option = parser.add_argument
    option("--transport", default=_TRANSPORTS, metavar="LIST", help="transports [default: %(default)s]")
    option("--hook", choices=CALLS, metavar="HOOK", help="the hook [default: the first call of the demo]")
    option("--payload", metavar="JSON", help="the payload; needs --hook")
    option("--seconds", type=float, default=2.0, help="seconds for each measurement [default: %(default)s]")
    option("--in-flight", type=int, default=8, metavar="N", help="calls at the same time [default: %(default)s]")
    option("--png", type=Path, metavar="FILE", help="draw a picture too")
    option("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure each transport, one after the other."""
    from .charts import draw, table
    from .load import Load, measure

    if not 0 < arguments.seconds < float("inf") or arguments.in_flight < 1:
        raise StartError("--seconds and --in-flight must be above 0")
    if arguments.png:
        _can_draw()
    path, file, settings = options.load(argparse.Namespace(**(vars(arguments) | {"transport": None})))
    hook, payload = _call(arguments)
    load = Load(file.plugins[0].name, hook, payload, arguments.seconds, arguments.in_flight)
    transports = [name.strip() for name in arguments.transport.split(",") if name.strip()]

    async def main() -> list[Figures]:
        async with own_server(settings.package, transports, str(path.absolute())) as endpoints:
            return [await measure(endpoint, load, settings.http.token) for endpoint in endpoints]

    figures = options.run_loop(main)
    title = _title(load)
    if arguments.json:
        print(json.dumps([asdict(item) for item in figures], indent=2))
    else:
        print("\n".join([title, "", *table(figures), ""]))
        print("Client and server share this machine, and the client is written in Python: compare transports by it.")
    if arguments.png:
        draw(figures, title, arguments.png)
        print(f"drawn in {arguments.png}", file=sys.stderr)
    return 0


def _title(load: Load) -> str:
    each = f"{load.seconds:g} s each, {os.cpu_count()} cores"
    return f"{load.plugin} at {load.hook}: calls/s with {load.in_flight} calls at a time, latency with one; {each}"


def _call(arguments: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The hook and the payload to call: those of the command line, or those of the demo's first case."""
    if arguments.payload and not arguments.hook:
        raise StartError("--payload is given without its hook; name it with --hook")
    if arguments.payload:
        return arguments.hook, json_value(arguments.payload, "the payload")
    cases = [case for case in load_cases(Path("resources/demo.yaml")) if arguments.hook in (None, case.hook)]
    if not cases:
        raise StartError(f"resources/demo.yaml has no call of {arguments.hook}; give its payload with --payload")
    return cases[0].hook, cases[0].payload


def _can_draw() -> None:
    """Find out before the measurements whether there will be a picture."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise StartError("--png needs the package matplotlib: install the extra 'bench'") from None
