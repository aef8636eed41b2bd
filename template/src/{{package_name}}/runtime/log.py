"""Logging of a server: lines on standard error, so that standard output stays free for protocols."""

from __future__ import annotations

import logging
import sys


def set_up_logging(level: str) -> None:
    """Send all log records of this process to standard error.

    Args:
        level: the least level that is written, for example "INFO".
    """
    logging.basicConfig(
        level=level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
