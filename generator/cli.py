"""The command line `plugsmith`: each module of commands/ is one subcommand."""

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence

from . import __version__, commands
from .errors import PlugsmithError

USAGE_ERROR, INTERRUPTED = 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one subcommand.

    Args:
        argv: the arguments; those of the process when None.

    Returns:
        The exit code: 0 for success, 1 for a check that found differences, 2 for an error that the caller can mend,
        130 after Ctrl-C.
    """
    try:
        args = _parser().parse_args(argv)
        return int(args.run(args))
    except PlugsmithError as error:
        for problem in error.problems:
            print(f"plugsmith: {problem}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has enough; what is left in the buffer must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="plugsmith",
        description="Turns a shared protobuf contract into plugin repositories.",
        epilog="'plugsmith COMMAND --help' explains a command.",
    )
    parser.add_argument("--version", action="version", version=f"plugsmith {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for entry in sorted(pkgutil.iter_modules(commands.__path__), key=lambda entry: entry.name):
        importlib.import_module(f".{entry.name}", commands.__name__).add_parser(subparsers)
    return parser
