"""`python -m generator`: the command line from a checkout, without installing it."""

import sys

from .cli import main

sys.exit(main())
