"""Waiting for something to become true."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LIMIT = 30.0


def until(
    condition: Callable[[], bool],
    limit: float = LIMIT,
    otherwise: Callable[[], str] = lambda: "the condition never came true",
    pause: float = 0.01,
) -> None:
    """Wait for a condition.

    Args:
        condition: asked again and again; what it raises ends the waiting.
        limit: seconds after which the test fails.
        otherwise: says what the test fails with.
        pause: seconds between two questions.
    """
    end = time.monotonic() + limit
    waiting = threading.Event()
    while not condition():
        assert time.monotonic() < end, otherwise()
        waiting.wait(pause)
