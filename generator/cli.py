"""The command line `plugsmith`: a registry of its commands."""

from collections.abc import Sequence

from plugsmith_runtime.cli import Commands, Program, run

from . import __version__

COMMANDS: Commands = {name: f"{__package__}.commands.{name}" for name in ("contract", "fleet", "new", "stubs")}

PROGRAM = Program(
    "plugsmith",
    "Turns a shared protobuf contract into plugin repositories.",
    COMMANDS,
    version=lambda: f"plugsmith {__version__}",
    error_prefix="plugsmith",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: the arguments; those of the process when None.

    Returns:
        The exit code: 0 for success, 1 for a check that found differences, 2 for an error that the caller can mend,
        130 after Ctrl-C.
    """
    return run(PROGRAM, argv)
