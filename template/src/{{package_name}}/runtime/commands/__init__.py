"""The command line: `python -m <package> COMMAND`."""

from __future__ import annotations

import argparse
import sys

from ..errors import StartError
from . import call, certs, demo, dev, gateway_config, serve

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the arguments after the program's name; those of the process when None.

    Returns:
        The exit code: 0 when all is well, 1 when the command's own check failed, 2 for something to put right.
    """
    package = __name__.split(".")[0]
    parser = argparse.ArgumentParser(prog=f"python -m {package}", description="Serve and try this gateway plugin.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (serve, dev, call, demo, gateway_config, certs):
        module.add_parser(commands)
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except StartError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
