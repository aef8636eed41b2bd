"""The command line of an application: a registry of commands, of which only the one that is asked for is imported."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from ..errors import PlugsmithError

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


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
