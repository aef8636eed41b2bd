"""What a server logged."""

from __future__ import annotations

import threading
import time

from tests.support.serving import Served

LIMIT = 10.0


def logged(served: Served, text: str) -> bool:
    """Whether a server's log holds a text; waits for it, since a line may come after the answer that it is about."""
    end = time.monotonic() + LIMIT
    pause = threading.Event()
    while not any(text in line for line in served.log):
        if time.monotonic() > end:
            return False
        pause.wait(0.01)
    return True
