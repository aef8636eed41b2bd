"""The command line: `python -m <package> --help` lists the commands."""

import gc
import sys

# Modules stay until the end: to look for garbage among them, again and again while they come, only costs time.
gc.disable()

from .runtime.commands import main  # noqa: E402

gc.freeze()
gc.enable()

if __name__ == "__main__":
    sys.exit(main())
