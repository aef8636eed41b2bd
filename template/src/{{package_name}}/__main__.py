"""The command line: `python -m <package> --help` lists the commands."""

import gc
import sys

_EACH_GENERATION = gc.get_threshold()
# Modules stay until the end: to look through all of them for garbage, again and again while they come, only costs time.
# What they leave behind at once is worth having back: 0.5 MB.
gc.set_threshold(5_000, 10, 1_000_000)

from .runtime import commands  # noqa: E402

gc.freeze()
gc.set_threshold(*_EACH_GENERATION)


def main() -> int:
    """The commands of this plugin; the exit code is 0 when all is well."""
    return commands.main(package=__package__)


if __name__ == "__main__":
    sys.exit(main())
