"""The commands of a plugin: `python -m <package> COMMAND`."""

from __future__ import annotations

from collections.abc import Sequence

from ._version import __version__
from .cli import Commands, Program, run

COMMANDS: Commands = {
    "serve": f"{__package__}.plugin_server.commands.serve",
    "dev": f"{__package__}.tools.dev",
    "call": f"{__package__}.tools.call",
    "check": f"{__package__}.tools.check",
    "demo": f"{__package__}.tools.demo",
    "bench": f"{__package__}.tools.bench",
    "health": f"{__package__}.plugin_server.commands.health",
    "gateway-config": f"{__package__}.tools.gateway_config",
    "certs": f"{__package__}.tools.certs.command",
}


def main(argv: Sequence[str] | None = None, *, package: str) -> int:
    """Run a command of a plugin.

    Args:
        argv: the arguments after the program's name; those of the process when None.
        package: the plugin's package; commands find it as `arguments.package`.

    Returns:
        The exit code: 0 when all is well, 1 when the command's own check failed, 2 for something to put right.
    """

    def version() -> str:
        from importlib import metadata

        try:
            installed = metadata.version(package)
        except metadata.PackageNotFoundError:
            installed = "(not installed)"
        return f"{package} {installed}, plugsmith-runtime {__version__}"

    program = Program(f"python -m {package}", "Serve and try this gateway plugin.", COMMANDS, version)
    return run(program, argv, package=package)
