"""Waiting for a condition."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LIMIT = 30.0


def becomes_true(condition: Callable[[], bool], limit: float = LIMIT, pause: float = 0.01) -> bool:
    """Wait for a condition; whether it came true in time.

    Args:
        condition: asked again and again; what it raises ends the waiting.
        limit: seconds to wait.
        pause: seconds between two questions.
    """
    end = time.monotonic() + limit
    waiting = threading.Event()
    while not condition():
        if time.monotonic() >= end:
            return False
        waiting.wait(pause)
    return True


def wait_until(
    condition: Callable[[], bool],
    limit: float = LIMIT,
    otherwise: Callable[[], str] = lambda: "the condition never came true",
    pause: float = 0.01,
) -> None:
    """Wait for a condition; the test fails when it does not come true in time.

    Args:
        condition: asked again and again; what it raises ends the waiting.
        limit: seconds to wait.
        otherwise: says what the test fails with.
        pause: seconds between two questions.
    """
    assert becomes_true(condition, limit, pause), otherwise()
