"""The command line of an application: the registry of commands, errors and exit codes, and what commands share.

Of the commands only the one that is asked for is imported.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, TextIO

from .errors import PlugsmithError, StartError

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

_COLOUR_CODES = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}


@dataclass(frozen=True, slots=True)
class Group:
    """Commands below a word of their own.

    Attributes:
        help: what they are for, in the list of commands.
        commands: the commands by name.
    """

    help: str
    commands: Commands


Commands = Mapping[str, str | Group]
"""A registry of commands by name: each a group, or a module with `add_parser(subparsers)`, which sets `run(arguments)`.

A module that is not installed here is left out: production images do without the tools."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program with commands.

    Attributes:
        name: how a person calls it, for example "python -m my_plugin".
        description: what it is for.
        commands: its commands.
        version: makes the text that --version prints.
        error_prefix: what stands before each problem that an error names.
    """

    name: str
    description: str
    commands: Commands
    version: Callable[[], str]
    error_prefix: str = "error"


def run(program: Program, argv: Sequence[str] | None = None, **values: Any) -> int:
    """Run a command.

    Args:
        program: the program.
        argv: the arguments after the program's name; those of the process when None.
        values: what commands find in their arguments beside what was parsed.

    Returns:
        The exit code: that of the command (0 when all is well, 1 when its own check failed), 2 for something to put
        right, 130 after Ctrl-C.
    """
    given = sys.argv[1:] if argv is None else list(argv)
    try:
        arguments = _parser(program, given).parse_args(given, argparse.Namespace(**values))
        code = int(arguments.run(arguments))
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except PlugsmithError as error:
        for problem in error.problems:
            print(f"{program.error_prefix}: {problem}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever reads has enough. What is left in the buffer must not complain when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


class Colours:
    """Colours for the text of one stream; none for files, pipes and those who set NO_COLOR.

    Args:
        stream: where the text will be written; only a terminal gets colours.
        environ: the environment, of which NO_COLOR and TERM count; that of the process when None.
    """

    def __init__(self, stream: TextIO, environ: Mapping[str, str] | None = None) -> None:
        variables = os.environ if environ is None else environ
        self.on = stream.isatty() and not variables.get("NO_COLOR") and variables.get("TERM") != "dumb"

    def __call__(self, text: str, *names: str) -> str:
        """Colour a text.

        Args:
            text: the text.
            names: red, green, yellow, cyan, bold, dim.
        """
        if not self.on or not names:
            return text
        return f"\x1b[{';'.join(_COLOUR_CODES[name] for name in names)}m{text}\x1b[0m"


def json_argument(text: str, what: str) -> Any:
    """The value of a JSON argument.

    Args:
        text: the JSON.
        what: what it is, for the error.

    Raises:
        StartError: it is no JSON.
    """
    import json

    try:
        return json.loads(text)
    except ValueError as error:
        raise StartError(f"{what} is not JSON: {error}") from error


def _parser(program: Program, given: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program.name,
        description=program.description,
        epilog=f"'{program.name} COMMAND --help' explains a command.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, const=program.version, help="print the version")
    _add_commands(parser, program.commands, given)
    return parser


class _Version(argparse.Action):
    """Makes the version, which takes time to find, prints it, and exits."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        make: Callable[[], str] = self.const
        print(make())
        parser.exit()


def _add_commands(parser: argparse.ArgumentParser, commands: Commands, given: Sequence[str]) -> None:
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    # One command does not wait for what the others import.
    wanted = given[0] if given and given[0] in commands else None
    if wanted is None or not _add_command(subparsers, wanted, commands[wanted], given[1:]):
        for name, command in commands.items():
            _add_command(subparsers, name, command, [])


def _add_command(subparsers: Any, name: str, command: str | Group, given: Sequence[str]) -> bool:
    """Add a command or a group; False when it is not installed."""
    if isinstance(command, Group):
        parser = subparsers.add_parser(name, help=command.help, description=command.help)
        _add_commands(parser, command.commands, given)
        return True
    module = _installed(command)
    if module is not None:
        module.add_parser(subparsers)
    return module is not None


def _installed(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if f"{name}.".startswith(f"{error.name}."):
            return None
        raise
