"""The command line: `python -m <package> --help` lists the commands."""

import gc
import sys

_EACH_GENERATION = gc.get_threshold()
# Modules stay until the end: to look through all of them for garbage, again and again while they come, only costs time.
# What they leave behind at once is worth having back: 0.5 MB.
gc.set_threshold(5_000, 10, 1_000_000)

from .runtime.commands import main  # noqa: E402

gc.freeze()
gc.set_threshold(*_EACH_GENERATION)

if __name__ == "__main__":
    sys.exit(main())
