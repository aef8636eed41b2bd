"""The command line of a plugin: `python -m <package> COMMAND`."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from .errors import StartError

COMMANDS = {
    "serve": "plugin_server.commands.serve",
    "dev": "tools.dev.command",
    "call": "tools.call",
    "check": "tools.check.command",
    "demo": "tools.demo.command",
    "bench": "tools.bench.command",
    "health": "plugin_server.commands.health",
    "gateway-config": "tools.gateway_config.command",
    "certs": "tools.certs.command",
}

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def main(argv: list[str] | None = None, *, package: str) -> int:
    """Run a command.

    Args:
        argv: the arguments after the program's name; those of the process when None.
        package: the plugin's package; commands find it as `arguments.package`.

    Returns:
        The exit code: 0 when all is well, 1 when the command's own check failed, 2 for something to put right.
    """
    arguments = _parsed(sys.argv[1:] if argv is None else argv, package)
    try:
        return int(arguments.run(arguments))
    except StartError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parsed(given: list[str], package: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {package}", description="Serve and try this gateway plugin.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    # One command does not wait for what the others import.
    for name in given[:1] if given[:1] and given[0] in COMMANDS else COMMANDS:
        import_module(f".{COMMANDS[name]}", __package__).add_parser(commands)
    return parser.parse_args(given, argparse.Namespace(package=package))
