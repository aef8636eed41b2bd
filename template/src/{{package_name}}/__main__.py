"""The command line: `python -m <package> --help` lists the commands."""

import sys

from .runtime.commands import main

if __name__ == "__main__":
    sys.exit(main())
