"""Waiting for something to become true."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LIMIT = 30.0


def until(condition: Callable[[], bool], limit: float = LIMIT) -> None:
    """Wait for a condition.

    Args:
        condition: asked again and again.
        limit: seconds after which the test fails.
    """
    end = time.monotonic() + limit
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, "the condition never came true"
        pause.wait(0.01)
