"""What a server logged."""

from __future__ import annotations

from .serving import RunningServer
from .waiting import becomes_true

LIMIT = 10.0


def logged(served: RunningServer, text: str) -> bool:
    """Whether a server's log holds a text; waits for it, since a line may come after the answer that it is about."""
    return becomes_true(lambda: any(text in line for line in served.log), LIMIT)
